"""Portions: calls of the next one are drawn while the server adds up the one before; nothing else differs."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.any_record import alike

from outlay.core.cost import Cost
from outlay.core.errors import RefusedEntryError
from outlay.core.query import Query
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.journal import line_of
from outlay.ledger import PostgresLedger
from outlay.ledger.memory import MemoryLedger
from outlay.ledger.postgres import portions
from outlay.ledger.postgres.drawn import Drawing, Drawn
from outlay.ledger.postgres.portions import Portions
from outlay.ledger.usual import Seen
from outlay.testing import NOON, call


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven entries a portion, three of which are drawn ahead."""
    monkeypatch.setattr(portions, "_SIZE", 7)
    monkeypatch.setattr(portions, "_AHEAD", 3)


class _Counting(Drawing):
    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[str] = []

    def draw(self, call: Record | Seen) -> Drawn:
        self.drawn.append(call.id)
        return super().draw(call)


def _texts(some: list[Drawn]) -> list[str]:
    return [rest for _, rest in some]


def _calls(count: int) -> list[Record]:
    return [call(NOON + timedelta(minutes=n), user=f"u{n}", latency_ms=n) for n in range(count)]


@pytest.mark.usefixtures("small")
def test_each_call_is_drawn_once_and_in_order() -> None:
    calls, drawing = _calls(18), _Counting()
    found: list[str] = []
    parts = Portions(calls, drawing)
    for some in parts:
        found += _texts(list(parts.draw([each for each in some if isinstance(each, Record)])))
        parts.look_ahead()
    assert found == _texts([Drawing().draw(each) for each in calls])
    assert drawing.drawn == [each.id for each in calls]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("gone", [{7}, {8}, {9}, {7, 8, 9}, {13}, set(range(7, 14)) - {9}, {10, 11}])
def test_without_those_that_came_late_the_others_are_drawn_all_the_same(gone: set[int]) -> None:
    calls, left = _calls(16), [n for n in range(16) if n not in gone]
    found: list[str] = []
    parts = Portions(calls, Drawing())
    for some in parts:
        good = [each for each in some if isinstance(each, Record) and calls.index(each) in left]
        found += _texts(list(parts.draw(good)))
        parts.look_ahead()
    assert found == _texts([Drawing().draw(calls[n]) for n in left])


@pytest.mark.usefixtures("small")
def test_what_is_refused_is_told_in_its_turn() -> None:
    calls = _calls(10)
    broken = Seen(calls[8].id, "2026-11-02T12:08:00.000000Z", b'{"no": "call"}')
    parts = Portions([*calls[:8], broken, calls[9]], Drawing())
    turns = iter(parts)
    assert len(next(turns)) == 7
    parts.look_ahead()
    some = [each for each in next(turns) if isinstance(each, Seen | Record)]
    with pytest.raises(RefusedEntryError):
        list(parts.draw(some))


def _mixed(chance: random.Random) -> list[Entry]:
    """Calls of two days, the older one pruned, some told twice, and what is said about them."""
    days = [NOON - timedelta(days=3), NOON]
    calls = [call(chance.choice(days) + timedelta(minutes=n), latency_ms=n % 90, user="u") for n in range(70)]
    found: list[Entry] = []
    for each in calls:
        found.append(each)
        if chance.random() < 0.2:
            found.append(chance.choice(calls))
        if chance.random() < 0.1:
            found.append(Revision(record_id=each.id, at=NOON, charge=Cost(Decimal(7), "priced")))
        if chance.random() < 0.1:
            found.append(Score(record_id=each.id, at=NOON, quality_score=0.5))
    found.append(Loss(at=NOON, count=2, why="disk full"))
    return found


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pruned", [False, True])
def test_a_ledger_holds_the_same_whatever_its_portions_are(
    ledger: PostgresLedger, seed: int, *, pruned: bool
) -> None:
    """As one that keeps entry after entry, among them known, late and judged ones."""
    entries = _mixed(random.Random(seed))  # noqa: S311 - only numbers
    other = MemoryLedger()
    for each in (ledger, other):
        each.add([call(NOON - timedelta(days=4))])
        if pruned:
            each.prune(NOON - timedelta(days=1))
    assert ledger.add_lines(map(line_of, entries)) == sum(other.add([each]) for each in entries)
    for query in (Query(by=("hour",)), Query(by=("user", "currency"))):
        answer, expected = ledger.rows(query), other.rows(query)
        for pair in zip((answer.total, *answer.rows), (expected.total, *expected.rows), strict=True):
            assert alike(*pair)
    assert ledger.verify() == ()
    assert [each.id for each in ledger.late_calls(100)] == [each.id for each in other.late_calls(100)]
    assert ledger.info().revisions == other.info().revisions
