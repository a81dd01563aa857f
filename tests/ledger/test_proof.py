"""What `verify` must not complain of: a call that is told in several ways, or whose id says another day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from outlay.core.cost import Cost, Price, unpriced
from outlay.core.ids import uuid7
from outlay.core.keeping import Disagreement
from outlay.core.query import Query
from outlay.core.record import Record
from outlay.journal import Journal
from outlay.ledger import DuckLedger
from outlay.testing import NOON, FixedClock, call

DAY = timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DuckLedger]:
    ledger = DuckLedger(tmp_path)
    yield ledger
    ledger.close()


def tell(ledger: DuckLedger, hour: int, *calls: Record) -> None:
    """Write calls into a journal of their own, as a process that began at this hour does."""
    journal = Journal(ledger.journals, clock=FixedClock(NOON + timedelta(hours=hour)))
    for each in calls:
        journal.append(each)
    journal.close()


def booked(amount: int) -> Cost:
    """Give a cost by a price book whose version is that amount."""
    return Cost(Decimal(amount), "priced", price=Price("list", NOON, str(amount)))


def test_a_call_that_readers_priced_by_the_books_of_their_days_is_one(ledger: DuckLedger) -> None:
    """As a batch's results that are read again after `outlay prices update`; the first to come counts."""
    record = call(charge=booked(1))
    for hour, charge in enumerate((booked(1), booked(2), unpriced("no price"), unpriced("no price yet"))):
        tell(ledger, hour, replace(record, charge=charge))
        assert ledger.verify() == ()
    assert (ledger.conflicts(), ledger.rows(Query()).total["cost"]) == (0, Decimal(1))
    unknown = call(charge=unpriced("no price"))
    tell(ledger, 9, unknown, replace(unknown, charge=unpriced("no price yet")))
    assert ledger.verify() == ()


def test_a_copy_that_was_set_aside_agrees_as_long_as_it_is_there(ledger: DuckLedger) -> None:
    record = call(user="first")
    tell(ledger, 0, record, replace(record, user="second"))
    assert (ledger.conflicts(), ledger.verify()) == (1, ())
    with duckdb.connect(str(ledger.folder / "ledger.duckdb")) as other:
        other.execute("UPDATE conflicts SET other = '{}'")
    assert [(each.what, each.found) for each in ledger.verify()] == [
        ("calls as the journal has them, or set aside", "1")
    ]


def test_a_call_that_came_late_is_missed_by_nobody_and_money_of_a_total_is(ledger: DuckLedger) -> None:
    tell(ledger, 0, call(NOON - 2 * DAY))
    ledger.prune(NOON)
    tell(ledger, 1, call(NOON - DAY))
    assert (ledger.verify(), ledger.info().late) == ((), 1)
    with duckdb.connect(str(ledger.folder / "ledger.duckdb")) as other:
        other.execute("UPDATE rollups SET cost = cost + 1")
    assert [each.what for each in ledger.verify()] == ["daily totals"]


def test_a_call_that_tells_no_time_may_be_read_at_two_instants(ledger: DuckLedger) -> None:
    """As a batch's line by two processes; before a prune that lies between them and after it."""
    first = call(NOON - 9 * DAY, id=uuid7(datetime(1970, 1, 1, tzinfo=UTC)), extra={"time_assumed": True})
    tell(ledger, 0, first)
    tell(ledger, 1, replace(first, at=NOON - 2 * DAY))
    assert (ledger.verify(), ledger.conflicts()) == ((), 0)
    ledger.prune(NOON - 5 * DAY)
    assert (ledger.verify(), ledger.rows(Query()).total["calls"]) == ((), 1)


def test_a_pruned_call_counts_on_the_day_of_its_instant_or_of_its_id(ledger: DuckLedger) -> None:
    """An answer that tells no time has an id of 1970. Where a call is lacking, its possible days are told."""
    days = [NOON - n * DAY for n in (9, 8)]
    timeless = call(days[1], id=uuid7(datetime(1970, 1, 1, tzinfo=UTC)))
    tell(ledger, 0, call(days[0]), call(days[1], id=uuid7(days[0])), timeless)
    ledger.prune(NOON)
    assert ledger.verify() == ()
    with duckdb.connect(str(ledger.folder / "ledger.duckdb")) as other:
        other.execute('DELETE FROM rollups WHERE "at" = ?', [days[1].date()])
        other.execute('DELETE FROM pruned_days WHERE "day" = ?', [days[1].date()])
    last, told = f"{days[1]:%Y-%m-%d}", "pruned calls that journals still tell of"
    assert ledger.verify() == (
        Disagreement(f"1970-01-01 to {last}", told, "3 or more", "1"),
        Disagreement(f"{days[0]:%Y-%m-%d} to {last}", told, "2 or more", "1"),
    )


def test_an_import_may_have_told_a_pruned_call_with_another_instant(ledger: DuckLedger) -> None:
    """Its id tells no day, and no journal the one on which it counts; where none holds it, that is told."""
    first = call(NOON, id="00000000-0000-4000-8000-000000000011")
    ledger.add([first])
    tell(ledger, 1, replace(first, at=NOON - DAY))
    assert ledger.prune(NOON + 2 * DAY).calls == 1
    assert ledger.verify() == ()
    with duckdb.connect(str(ledger.folder / "ledger.duckdb")) as other:
        other.execute("DELETE FROM rollups")
        other.execute("DELETE FROM pruned_days")
    where = f"{NOON - DAY:%Y-%m-%d}"
    what = "pruned calls that journals still tell of"
    assert ledger.verify() == (Disagreement(where, what, "1 or more", "0"),)
