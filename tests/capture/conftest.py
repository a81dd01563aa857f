"""A recorder over a list, with a clock that stands still."""

from datetime import UTC, datetime

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder
from outlay.pricing import cost_of

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class StoppedClock:
    """Always noon; each look at the stopwatch is a second later."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def recorder(kept: Kept) -> Recorder:
    return Recorder(kept, clock=StoppedClock(), price=cost_of, tags={"service": "web"})
