"""Windows: hours, days, weeks and months of a zone, days of 23 and 25 hours among them."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from outlay.alerts.windows import Unit, window_before, window_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("unit", "moment", "tz", "label", "start", "end"),
    [
        ("day", "2026-11-25T23:30Z", "UTC", "2026-11-25", "2026-11-25T00:00Z", "2026-11-26T00:00Z"),
        ("day", "2026-11-25T23:30Z", "Europe/Berlin", "2026-11-26", "2026-11-25T23:00Z", "2026-11-26T23:00Z"),
        ("day", "2026-03-29T12:00Z", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("day", "2026-10-25T12:00Z", "Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("week", "2027-01-01T12:00Z", "UTC", "2026-W53", "2026-12-28T00:00Z", "2027-01-04T00:00Z"),
        ("month", "2026-12-31T12:00Z", "UTC", "2026-12", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("month", "2026-10-31T12:00Z", "Europe/Berlin", "2026-10", "2026-09-30T22:00Z", "2026-10-31T23:00Z"),
        (
            "hour",
            "2026-11-25T10:40Z",
            "Asia/Kolkata",
            "2026-11-25T16h",
            "2026-11-25T10:30Z",
            "2026-11-25T11:30Z",
        ),
    ],
)
def test_the_window_of_an_instant(unit: Unit, moment: str, tz: str, label: str, start: str, end: str) -> None:
    window = window_of(unit, at(moment), tz)
    assert (window.label, window.start, window.end) == (label, at(start), at(end))
    assert window_of(unit, at(moment).astimezone(timezone(timedelta(hours=9))), tz) == window
    assert at(moment) in window
    assert window.start in window
    assert window.end not in window


def test_the_day_on_which_clocks_go_back_has_25_hours() -> None:
    window = window_of("day", at("2026-10-25T12:00Z"), "Europe/Berlin")
    assert window.end - window.start == timedelta(hours=25)


def test_the_hour_that_comes_twice_where_clocks_go_back_is_two_windows() -> None:
    """What was told in the first one says nothing of the second."""
    moments = (at("2026-10-25T00:30Z"), at("2026-10-25T01:30Z"), at("2026-10-25T02:30Z"))
    windows = [window_of("hour", moment, "Europe/Berlin") for moment in moments]
    assert [window.label for window in windows] == [
        "2026-10-25T02h",
        "2026-10-25T02h +0100",
        "2026-10-25T03h",
    ]
    assert windows[0].end == windows[1].start


def test_where_clocks_change_by_half_an_hour_no_call_is_in_two_windows() -> None:
    """Lord Howe Island: after the first 01:59 comes 01:30, and after 01:59 comes 02:30."""
    for start in (datetime(2025, 4, 5, 13, tzinfo=UTC), datetime(2025, 10, 4, 13, tzinfo=UTC)):
        windows = [window_of("hour", start, "Australia/Lord_Howe")]
        while len(windows) < 6:
            windows.append(window_of("hour", windows[-1].end, "Australia/Lord_Howe"))
        assert all(later.start == window.end for window, later in pairwise(windows))
        assert sorted(window.end - window.start for window in windows)[:2] == [
            timedelta(minutes=30),
            timedelta(hours=1),
        ]


@pytest.mark.parametrize("unit", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("tz", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_windows_follow_each_other_without_a_gap(unit: Unit, tz: str) -> None:
    window = window_of(unit, at("2026-11-25T12:00Z"), tz)
    for _ in range(400):
        before = window_before(unit, window, tz)
        assert before.end == window.start
        assert before.start < before.end
        window = before
