"""A short soak in this process; ``make soak`` does two minutes of 64 threads and 500 tasks in its own."""

from pathlib import Path

import pytest
from tests.soak.__main__ import soak, told

from outlay.capture.guard import failures
from outlay.process import Process
from outlay.settings import Settings


@pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")
def test_the_ledger_says_what_the_server_billed_and_nothing_is_left_open(tmp_path: Path) -> None:
    failures.clear()
    outcome = soak(Process(Settings(home=tmp_path)), 2, 8, 60, warming=1)
    assert outcome.well, told(outcome, "8 threads and 60 tasks for 2 s")
    assert [row[0] for row in outcome.table if row[3]] == [row[0] for row in outcome.table]
    assert len(outcome.table) == 10
    # What other tests left may go meanwhile; nothing may come.
    assert outcome.after.threads <= outcome.before.threads
    assert outcome.after.handles <= outcome.before.handles
