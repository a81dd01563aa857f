"""Periods as people write them become instants of the zone that was asked for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from outlay.core.errors import QueryError
from outlay.core.instants import instant
from outlay.core.period import ends, moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # Thursday the 26th, 00:30, in Berlin


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("now", NOW),
        ("90min", NOW - timedelta(minutes=90)),
        ("5m", NOW - timedelta(minutes=5)),
        ("24h", NOW - timedelta(hours=24)),
        ("30d", NOW - timedelta(days=30)),
        ("2 w", NOW - timedelta(days=14)),
        ("today", datetime(2026, 11, 25, 23, tzinfo=UTC)),
        (" Yesterday ", datetime(2026, 11, 24, 23, tzinfo=UTC)),
        ("week", datetime(2026, 11, 22, 23, tzinfo=UTC)),  # Monday the 23rd
        ("month", datetime(2026, 10, 31, 23, tzinfo=UTC)),
        ("year", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ("2026-07", datetime(2026, 6, 30, 22, tzinfo=UTC)),  # summer time
        ("2026-11-01", datetime(2026, 10, 31, 23, tzinfo=UTC)),
        ("2026-11-01T12:00:00Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T12:00", datetime(2026, 11, 1, 11, tzinfo=UTC)),
    ],
)
def test_a_period_begins_where_people_mean(text: str, start: datetime) -> None:
    assert moment(text, NOW, BERLIN) == start


def test_an_instant_stays_and_nothing_stays_nothing() -> None:
    assert moment(None, NOW, BERLIN) is None
    assert moment(NOW, NOW, BERLIN) == NOW
    assert moment(datetime(2026, 7, 1), NOW, BERLIN) == datetime(2026, 6, 30, 22, tzinfo=UTC)  # noqa: DTZ001 - read in the zone that was asked for


@pytest.mark.parametrize("text", ["soon", "", "2026-13", "2026-02-30", "30 moons", "9" * 6 + "w"])
def test_what_is_no_period_says_how_to_write_one(text: str) -> None:
    with pytest.raises(QueryError, match=r"is no period; write 30d"):
        moment(text, NOW, BERLIN)


@pytest.mark.parametrize(
    "value", [1_793_534_400, 1_793_534_400.0, "2026-11-01T12:00:00Z", "2026-11-01T13+01:00"]
)
def test_an_instant_is_read_from_seconds_and_from_text(value: float | str) -> None:
    assert instant(value) == datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", ["never", float("nan"), 1e30, None])
def test_what_is_no_time_is_refused(value: float | str) -> None:
    with pytest.raises(QueryError, match="is no time"):
        instant(value)


def test_a_day_begins_at_the_first_of_two_midnights() -> None:
    """In Havana clocks went back from one to midnight: half past came twice, the day began before both."""
    second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 00:30 once more
    havana = ZoneInfo("America/Havana")
    for word in ("today", "month"):
        assert moment(word, second, havana) == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert moment("now", second, havana) == second


def test_a_period_that_ends_before_it_begins_is_refused_and_an_empty_one_is_not() -> None:
    tz = ZoneInfo("UTC")
    with pytest.raises(QueryError, match="since 2026-11-02 comes after until 2026-11-01"):
        ends("2026-11-02", "2026-11-01", NOW, tz)
    assert ends("2026-11-02", "2026-11-02", NOW, tz) == (instant("2026-11-02"),) * 2
