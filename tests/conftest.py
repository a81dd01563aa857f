"""Settings that all tests share."""

import gc
import os
import sys

from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code; no test here is a timing.
settings.register_profile("outlay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("outlay")


def pytest_collection_finish() -> None:
    """Take what was imported until now out of the garbage collector's sight.

    Tests that drop a stream collect garbage to see it end; over half a gigabyte of modules that takes long.
    """
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Give it back, so that the interpreter's end finds nothing that leaked.

    Which lines ran, where that is measured, is written down here: a worker that takes long to end is killed.
    """
    gc.unfreeze()
    coverage = sys.modules.get("coverage")
    measuring = coverage and coverage.Coverage.current()
    if measuring is not None:
        measuring.save()


def pytest_xdist_auto_num_workers() -> int:
    """Have one worker more than processors: tests wait for processes, servers and browsers of theirs."""
    return (os.cpu_count() or 1) + 1
