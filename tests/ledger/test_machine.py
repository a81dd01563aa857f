"""Ledgers beside a plain model of them: whatever is told, revised, pruned and settled, in any order."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support.chdb import an_empty_ledger
from tests.support.postgres import empty, shared

from outlay.core.cost import Cost, Price, unpriced
from outlay.core.ids import time_of, uuid7
from outlay.core.instants import midnight
from outlay.core.ports import Ledger
from outlay.core.query import Query
from outlay.core.record import Entry, Record, Revision, Score
from outlay.journal import Journal
from outlay.ledger import DuckLedger, MemoryLedger, PostgresLedger
from outlay.testing import NOON, call
from outlay.testing.asking import calls, keeping

DAYS = st.integers(0, 4)
BEGINNING = -1  # in a day's place: that of ids which are made where nothing tells a time
COSTS = st.sampled_from((None, "1", "0.000000000000000001", "2.5"))
Empty = Callable[[], AbstractContextManager[Ledger]]


def cost(amount: str | None, number: int) -> Cost:
    """Make a cost by a price book of its own."""
    book = Price("list", None, str(number))
    return unpriced("no price") if amount is None else Cost(Decimal(amount), "priced", price=book)


class Model:
    """What a ledger must say."""

    def __init__(self) -> None:
        self.calls: dict[str, Record] = {}
        self.costs: defaultdict[str, list[Revision]] = defaultdict(list)
        self.judged: dict[str, bool] = {}
        self.conflicts: list[Record] = []
        self.totals: list[tuple[datetime, Decimal | None]] = []
        self.horizon: datetime | None = None
        self.late: dict[str, Record] = {}
        self.settled: set[str] = set()  # with the pruned calls whose ids do not tell that they are

    def tell(self, entry: Entry) -> None:
        """Take an entry."""
        if isinstance(entry, Record):
            self._tell_call(entry)
        elif isinstance(entry, Revision) and not self._is_old(entry.record_id):
            self.costs[entry.record_id].append(entry)
        elif isinstance(entry, Score) and not self._is_old(entry.record_id):
            self.judged[entry.record_id] = bool(entry.correct)

    def _tell_call(self, record: Record) -> None:
        if self._is_old(record.id, record.at):
            if record.id not in self.settled:
                self.late.setdefault(record.id, record)
        elif is_another(self.calls.setdefault(record.id, record), record) and record not in self.conflicts:
            self.conflicts.append(record)

    def _is_old(self, name: str, at: datetime | None = None) -> bool:
        if self.horizon is None or name in self.calls:
            return False
        if at is not None and (at < self.horizon or name in self.late or name in self.settled):
            return True
        return by_id(name, self.horizon) < self.horizon

    def prune(self, before: datetime) -> None:
        """Make totals of the calls before a day."""
        self.horizon = max(midnight(before), self.horizon or before - timedelta(days=99))
        for record in [each for each in self.calls.values() if each.at < self.horizon]:
            self.totals.append((record.at, self.cost(record)))
            del self.calls[record.id]
            if by_id(record.id, self.horizon) >= self.horizon:
                self.settled.add(record.id)
            self.costs.pop(record.id, None)
            self.judged.pop(record.id, None)
            self.conflicts = [each for each in self.conflicts if each.id != record.id]

    def settle(self, *, count_in: bool) -> None:
        """Count late calls in, or give them up."""
        for record in self.late.values() if count_in else ():
            self.totals.append((min(record.at, by_id(record.id, record.at)), record.cost))
        self.settled |= set(self.late)
        self.late = {}

    def cost(self, record: Record) -> Decimal | None:
        """Give the cost that counts."""
        newest = max(self.costs.get(record.id, ()), key=lambda each: each.at, default=None)
        return record.cost if newest is None else newest.charge.amount

    def days(self) -> dict[str, tuple[int, Decimal | None]]:
        """Give the number of calls and their cost by day."""
        found: defaultdict[str, list[Decimal | None]] = defaultdict(list)
        for at, amount in (*self.totals, *((each.at, self.cost(each)) for each in self.calls.values())):
            found[f"{at:%Y-%m-%d}"].append(amount)
        known = {day: [each for each in amounts if each is not None] for day, amounts in found.items()}
        return {
            day: (len(amounts), sum(known[day], Decimal(0)) if known[day] else None)
            for day, amounts in found.items()
        }


def is_another(kept: Record, copy: Record) -> bool:
    """Whether a copy says something else, leaving aside what a price book made of it."""
    return (kept.user, kept.at) != (copy.user, copy.at)


def by_id(name: str, otherwise: datetime) -> datetime:
    """Give the instant that an id tells, if it tells one."""
    return time_of(name) or otherwise


class Machine(RuleBasedStateMachine):
    """Does the same to a ledger and to the model, and asks both after each step."""

    def __init__(self, opening: Empty) -> None:
        super().__init__()
        self.held = opening()
        self.ledger = self.held.__enter__()
        self.journal = Journal(self.ledger.journals) if isinstance(self.ledger, DuckLedger) else None
        self.model = Model()
        self.told: list[Record] = []
        self.number = 0

    def teardown(self) -> None:
        if self.journal is not None:
            self.journal.close()
        self.held.__exit__(None, None, None)

    def tell(self, entry: Entry) -> None:
        """Hand an entry over, every second one by a journal where there is one."""
        self.number += 1
        self.model.tell(entry)
        if self.journal is not None and self.number % 2:
            self.journal.append(entry)
            assert self.journal.flush(10)
        else:
            self.ledger.add([entry])

    @rule(day=DAYS, amount=COSTS, id_day=st.none() | DAYS | st.just(BEGINNING))
    def call(self, day: int, amount: str | None, id_day: int | None) -> None:
        """Tell a new call; its id says a day of its own, or no time at all."""
        name = str(UUID(int=self.number, version=4)) if id_day is None else uuid7(NOON - timedelta(id_day))
        if id_day == BEGINNING:
            name = uuid7(datetime(1970, 1, 1, tzinfo=UTC))
        self.told.append(call(NOON - timedelta(day), id=name, charge=cost(amount, self.number)))
        self.tell(self.told[-1])

    @precondition(lambda self: self.told)
    @rule(
        data=st.data(),
        user=st.sampled_from((None, "other")),
        day=st.none() | DAYS,
        priced_again=st.booleans(),
    )
    def copy(self, data: st.DataObject, user: str | None, day: int | None, *, priced_again: bool) -> None:
        """Tell a call again: as it was, by another price book, or as another call, of another day say."""
        first = data.draw(st.sampled_from(self.told))
        charge = cost("7", self.number) if priced_again else first.charge
        at = first.at if day is None else NOON - timedelta(day)
        self.tell(replace(first, user=user, at=at, charge=charge))

    @precondition(lambda self: self.told)
    @rule(data=st.data(), amount=COSTS, earlier=st.booleans())
    def revise(self, data: st.DataObject, amount: str | None, *, earlier: bool) -> None:
        """Tell another cost, newer or older than those before."""
        name = data.draw(st.sampled_from(self.told)).id
        at = NOON + timedelta(minutes=-self.number if earlier else self.number)
        self.tell(Revision(record_id=name, at=at, charge=cost(amount, self.number)))

    @precondition(lambda self: self.told)
    @rule(data=st.data(), correct=st.booleans())
    def judge(self, data: st.DataObject, *, correct: bool) -> None:
        """Tell a judgement."""
        name = data.draw(st.sampled_from(self.told)).id
        self.tell(Score(record_id=name, at=NOON + timedelta(minutes=self.number), correct=correct))

    @rule(day=DAYS)
    def prune(self, day: int) -> None:
        """Make daily totals of what is older."""
        keeping(self.ledger).prune(NOON - timedelta(day))
        self.model.prune(NOON - timedelta(day))

    @rule(count_in=st.booleans())
    def settle(self, *, count_in: bool) -> None:
        """Settle what came late."""
        done = keeping(self.ledger).settle_late(count_in=count_in)
        assert done.calls == len(self.model.late)
        self.model.settle(count_in=count_in)

    @invariant()
    def agrees(self) -> None:
        """Sums, single calls, what is set aside, and all that stands twice."""
        rows = self.ledger.rows(Query(by=("day",))).rows
        assert {row["day"]: (row["calls"], row["cost"]) for row in rows} == self.model.days()
        found = {each.id: (each.cost, each.correct) for each in calls(self.ledger, limit=None)}
        kept = self.model.calls.values()
        assert found == {each.id: (self.model.cost(each), self.model.judged.get(each.id)) for each in kept}
        assert {each.id: each for each in keeping(self.ledger).late_calls(99)} == self.model.late
        assert self.ledger.conflicts() == len(self.model.conflicts)
        assert keeping(self.ledger).verify() == ()


@contextmanager
def _memory() -> Iterator[Ledger]:
    yield MemoryLedger()


@contextmanager
def _duckdb() -> Iterator[Ledger]:
    with TemporaryDirectory() as folder:
        ledger = DuckLedger(Path(folder))
        yield ledger
        ledger.close()


@contextmanager
def _postgresql() -> Iterator[Ledger]:
    with shared() as server, empty(server) as url:
        ledger = PostgresLedger(url)
        yield ledger
        ledger.close()


@pytest.mark.parametrize(
    ("opening", "examples", "steps"),
    [
        pytest.param(_memory, 150, 30, id="memory"),
        pytest.param(_duckdb, 3, 12, id="duckdb"),
        pytest.param(_postgresql, 4, 12, id="postgresql"),
        pytest.param(an_empty_ledger, 2, 10, id="clickhouse"),
    ],
)
def test_a_ledger_says_what_a_plain_model_says(opening: Empty, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: Machine(opening),  # type: ignore[arg-type]  # whatever makes one is good
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None),
    )
