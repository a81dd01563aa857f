"""Every SDK hooked over a recorder whose records stand in a list."""

from collections.abc import Iterator

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder, SystemClock
from outlay.capture.guard import failures
from outlay.instrumentation import Hooks
from outlay.pricing import cost_of


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def hooks(kept: Kept) -> Iterator[Hooks]:
    """Every SDK hooked, and taken out again; nothing of ours may have failed meanwhile."""
    failures.clear()
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
    made = Hooks(lambda: recorder)
    made.instrument()
    yield made
    made.uninstrument()
    assert not failures
