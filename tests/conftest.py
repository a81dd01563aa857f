"""Settings that all tests share."""

import gc
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.support.left_hooked import Hooked

# How long an example takes says more of the machine than of the code; no test here is a timing.
settings.register_profile("outlay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("outlay")


_LARGE = ("anthropic", "llama_index.core", "openai", "google.genai", "agents", "streamlit", "pandas", "dspy")
_MANY = 40  # modules, beyond which it pays to look through all that is new once more
_frozen = 0  # how many modules there were when that was done last


def pytest_configure(config: pytest.Config) -> None:
    """Let each worker begin with other packages and rooms; all compiled the same ones in a fresh clone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        number = int(worker.removeprefix("gw"))
        for name in _turned(_LARGE, number * 3):
            with suppress(ImportError):
                importlib.import_module(name)
        if config.args == config.getini("testpaths"):
            rooms = sorted(str(each) for each in Path(__file__).parent.iterdir() if _holds_tests(each))
            config.args = _turned(rooms, number * len(rooms) // 3)


def _turned(names: Sequence[str], first: int) -> list[str]:
    first %= len(names)
    return [*names[first:], *names[:first]]


def _holds_tests(path: Path) -> bool:
    return path.match("test_*.py") or (path.is_dir() and next(path.rglob("test_*.py"), None) is not None)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Have the same order of tests in all workers, wherever each began."""
    items.sort(key=lambda each: each.path)  # which leaves those of one file as they stand
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected: hardly any is made, and what stays is looked through."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Take what was imported until now out of the garbage collector's sight."""
    _freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Do that again once a test has imported more: an SDK is a hundred thousand objects."""
    if len(sys.modules) > _frozen + _MANY:
        _freeze()


def _freeze() -> None:
    """Leave what there is out of later collections.

    Tests that drop a stream collect garbage to see it end; over half a gigabyte of modules that takes long.
    """
    global _frozen  # noqa: PLW0603  # of this process
    _collect_quietly()
    gc.freeze()
    _frozen = len(sys.modules)


def _collect_quietly() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of loops that frameworks leave
        gc.collect()


def pytest_sessionfinish() -> None:
    """Give it back, so that the interpreter's end finds nothing that leaked.

    Which lines ran, where that is measured, is written down here: a worker that takes long to end is killed.
    """
    coverage = sys.modules.get("coverage")
    measuring = coverage and coverage.Coverage.current()
    if measuring is not None:
        measuring.save()
    gc.collect()  # what leaked since is told; what was left before had been passed over, and is here, too
    gc.unfreeze()
    _collect_quietly()


def pytest_xdist_auto_num_workers() -> int:
    """Have one worker more than processors: tests wait for processes, servers and browsers of theirs."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def hooked() -> Iterator[Hooked]:
    """Remember what this process hooks."""
    made = Hooked()
    with made.remembering():
        yield made


@pytest.fixture(autouse=True)
def _nothing_left_hooked(hooked: Hooked) -> Iterator[None]:
    """Fail the test that leaves SDKs hooked, and not a later one that meets its hooks."""
    with hooked.left_as_found():
        yield


@pytest.fixture(scope="session")
def home_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the folder of a ledger by its name in ``tests.support.homes``; made when it is first asked for."""
    from tests.support.homes import make_home  # noqa: PLC0415  # most tests need none of it

    folder = tmp_path_factory.mktemp("homes")
    return cache(lambda name: make_home(folder, name))
