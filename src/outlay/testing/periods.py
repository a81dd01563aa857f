"""What every ledger promises about time: periods, zones and buckets."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from datetime import timedelta

from outlay.core.errors import QueryError
from outlay.core.ports import Ledger
from outlay.core.query import Filter, Query
from outlay.testing.asking import call, calls, labels_of
from outlay.testing.clock import NOON


class PeriodsContract:
    """Periods, zones and buckets of time."""

    def test_a_period_has_its_start_and_not_its_end(self, ledger: Ledger) -> None:
        """A call belongs to it if since <= at < until."""
        ledger.add([call(NOON + timedelta(microseconds=n)) for n in range(4)])
        since, until = NOON + timedelta(microseconds=1), NOON + timedelta(microseconds=3)
        assert ledger.rows(Query(since=since, until=until)).total["calls"] == 2
        assert [r.at for r in calls(ledger, since=since, until=until)] == [
            NOON + timedelta(microseconds=2),
            since,
        ]

    def test_the_hour_that_comes_twice_is_two_rows(self, ledger: Ledger) -> None:
        """Berlin puts its clocks back at 2026-10-25T01:00Z; the day then has 25 hours."""
        ledger.add([call("2026-10-25T00:30:00Z"), call("2026-10-25T01:30:00Z"), call("2026-10-24T22:00:00Z")])
        hours = ["2026-10-25T00:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
        assert labels_of(ledger, "hour", "Europe/Berlin") == hours
        assert labels_of(ledger, "day", "Europe/Berlin") == ["2026-10-25"]
        for hour in hours:
            found = ledger.rows(Query(where=(("hour", (hour,)),), tz="Europe/Berlin"))
            assert found.total["calls"] == 1, hour

    def test_the_hour_that_is_left_out_has_no_row(self, ledger: Ledger) -> None:
        """Berlin puts its clocks forward at 2026-03-29T01:00Z: after 01:59 comes 03:00."""
        ledger.add([call("2026-03-29T00:59:59Z"), call("2026-03-29T01:00:00Z")])
        assert labels_of(ledger, "hour", "Europe/Berlin") == [
            "2026-03-29T01:00:00+01:00",
            "2026-03-29T03:00:00+02:00",
        ]

    def test_a_change_within_an_hour_makes_two_rows_of_it(self, ledger: Ledger) -> None:
        """Chatham puts its clocks at 14:00Z back from 03:45+13:45 to 02:45, and forward in September."""
        ledger.add(
            call(f"2026-{day}T{time}Z") for day in ("09-26", "04-04") for time in ("14:00:00", "13:59:59")
        )
        hours = [
            *("2026-04-05T03:00:00+13:45", "2026-04-05T02:00:00+12:45"),
            *("2026-09-27T02:00:00+12:45", "2026-09-27T03:00:00+13:45"),
        ]
        assert labels_of(ledger, "hour", "Pacific/Chatham") == hours
        found = ledger.rows(Query(by=("hour",), tz="Pacific/Chatham"))
        assert ([row["calls"] for row in found.rows], found.total["calls"]) == ([1, 1, 1, 1], 4)

    def test_offsets_need_not_be_whole_hours(self, ledger: Ledger) -> None:
        """In Kathmandu it is 5:45 later than in UTC."""
        ledger.add([call("2026-11-22T18:14:59Z"), call("2026-11-22T18:15:00Z")])
        assert labels_of(ledger, "day", "Asia/Kathmandu") == ["2026-11-22", "2026-11-23"]
        assert labels_of(ledger, "hour", "Asia/Kathmandu")[1] == "2026-11-23T00:00:00+05:45"

    def test_weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday(self, ledger: Ledger) -> None:
        """ISO 8601: 2021-01-03 is in week 53 of 2020, 2024-12-30 in week 1 of 2025."""
        ledger.add([call("2021-01-03T23:59:59Z"), call("2021-01-04T00:00:00Z"), call("2024-12-30T00:00:00Z")])
        assert labels_of(ledger, "week", "UTC") == ["2020-W53", "2021-W01", "2025-W01"]
        assert ledger.rows(Query(where=(("week", ("2020-W53",)),))).total["calls"] == 1

    def test_a_day_begins_at_local_midnight(self, ledger: Ledger) -> None:
        """New Year's Eve in New York is five hours longer in UTC."""
        ledger.add([call("2026-01-01T04:59:59Z"), call("2026-01-01T05:00:00Z")])
        for unit, labels in (("day", ["2025-12-31", "2026-01-01"]), ("month", ["2025-12", "2026-01"])):
            assert labels_of(ledger, unit, "America/New_York") == labels
            where: tuple[Filter, ...] = ((unit, (labels[0],)),)
            assert ledger.rows(Query(where=where, tz="America/New_York")).total["calls"] == 1

    def test_a_filter_that_names_no_bucket_is_refused(self, ledger: Ledger) -> None:
        """It would match nothing, for ever and silently."""
        ledger.add([call()])
        for name, value in (
            ("day", "22.11.2026"),
            ("week", "2026-W60"),
            ("month", "November"),
            ("hour", "noon"),
        ):
            try:
                ledger.rows(Query(where=((name, (value,)),)))
            except QueryError as error:
                assert value in str(error)  # noqa: PT017  # the contract does without pytest
            else:
                raise AssertionError(f"{name}={value} was taken")
