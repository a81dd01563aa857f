"""Windows: hours in UTC, over midnight, on weekdays and not on holidays."""

from datetime import UTC, date, datetime, time

import pytest

from outlay.pricing.windows import Window

NIGHT = Window(time(16, 30), time(0, 30))
PEAK = Window(time(1), time(4), frozenset({1, 2, 3, 4, 5}), frozenset({date(2026, 10, 1)}))


@pytest.mark.parametrize(
    ("hour", "minute", "inside"),
    [(16, 29, False), (16, 30, True), (23, 59, True), (0, 0, True), (0, 29, True), (0, 30, False)],
)
def test_over_midnight(hour: int, minute: int, *, inside: bool) -> None:
    assert NIGHT.holds(datetime(2026, 11, 22, hour, minute, tzinfo=UTC)) is inside


@pytest.mark.parametrize(
    ("day", "inside"),
    [
        (datetime(2026, 9, 30, 2, tzinfo=UTC), True),
        (datetime(2026, 10, 1, 2, tzinfo=UTC), False),
        (datetime(2026, 10, 3, 2, tzinfo=UTC), False),
    ],
)
def test_weekdays_and_holidays(day: datetime, *, inside: bool) -> None:
    assert PEAK.holds(day) is inside


def test_equal_ends_are_the_whole_day() -> None:
    assert Window(time(0), time(0)).holds(datetime(2026, 11, 22, 13, tzinfo=UTC))
