"""Buckets: names and periods agree in every zone, and a zone's offsets are found to the second."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.core.buckets import bucket, offsets, span
from outlay.core.errors import QueryError

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana"]
).map(ZoneInfo)
INSTANTS = st.datetimes(
    datetime(2023, 1, 1),  # noqa: DTZ001  # bounds are naive
    datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize("unit", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),  # no time at all, as Go and .NET write it
        datetime(999, 12, 31, 23, 59, tzinfo=UTC),
        datetime(1899, 12, 31, 12, tzinfo=UTC),
        datetime(2300, 7, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, tzinfo=UTC),
    ],
    ids=lambda at: f"{at.year}",
)
def test_a_bucket_at_the_ends_of_the_calendar_has_a_name_and_a_period(
    unit: str, zone: str, at: datetime
) -> None:
    local = ZoneInfo(zone)
    name = bucket(unit, at, local)
    start, end = span(unit, name, local)
    assert start <= at < end
    assert (abs(int(name[:4]) - at.year) <= 1, name[4]) == (True, "-")  # four digits


@given(st.sampled_from(["hour", "day", "week", "month"]), INSTANTS, ZONES)
def test_an_instant_lies_in_the_period_of_its_bucket(unit: str, at: datetime, zone: ZoneInfo) -> None:
    start, end = span(unit, bucket(unit, at, zone), zone)
    assert start <= at < end
    assert bucket(unit, start, zone) == bucket(unit, end - timedelta(microseconds=1), zone)
    assert bucket(unit, end, zone) != bucket(unit, at, zone)
    assert bucket(unit, start - timedelta(microseconds=1), zone) != bucket(unit, at, zone)


def test_an_hour_without_its_offset_is_both_hours_of_that_name() -> None:
    start, end = span("hour", "2026-10-25T02:00:00", ZoneInfo("Europe/Berlin"))
    assert (start, end) == (datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC))


def test_a_half_hour_change_cuts_the_hour_short() -> None:
    """Lord Howe puts its clocks back from 02:00+11:00 to 01:30+10:30 at 2026-04-04T15:00Z."""
    start, end = span("hour", "2026-04-05T01:00:00+10:30", ZoneInfo("Australia/Lord_Howe"))
    assert (start, end) == (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 4, 4, 15, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("day", "2026-2-1"),
        ("day", "2026-02-30"),
        ("week", "2026-47"),
        ("month", "2026-13"),
        ("hour", "2026-11-22T14:30"),
    ],
)
def test_a_name_of_no_bucket_is_refused_with_the_right_form(unit: str, text: str) -> None:
    with pytest.raises(QueryError, match=f"is no {unit}; write it as 2026-"):
        span(unit, text, ZoneInfo("UTC"))


def test_offsets_of_a_year_in_berlin() -> None:
    found = offsets(
        ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    )
    assert found == [
        (datetime(2026, 1, 1, tzinfo=UTC), 3600),
        (datetime(2026, 3, 29, 1, tzinfo=UTC), 7200),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), 3600),
    ]


def test_the_first_and_the_last_day_of_the_calendar_have_no_offset() -> None:
    """Local times of them would lie outside the calendar."""
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 12, tzinfo=UTC)
    assert offsets(ZoneInfo("Etc/GMT-9"), first, last) == [
        (first, 0),
        (datetime(1, 1, 2, tzinfo=UTC), 9 * 3600),
        (datetime(9999, 12, 31, tzinfo=UTC), 0),
    ]


@given(INSTANTS, INSTANTS, ZONES)
def test_offsets_are_those_of_the_zone(one: datetime, other: datetime, zone: ZoneInfo) -> None:
    found = offsets(zone, min(one, other), max(one, other))
    for at in (one, other):
        seconds = next(offset for start, offset in reversed(found) if start <= at)
        assert timedelta(seconds=seconds) == at.astimezone(zone).utcoffset()
