"""Savings: what is kept, in which order, of what a pricing that is handed in says."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from outlay.core.record import Record
from outlay.ledger import MemoryLedger
from outlay.report import LedgerReader
from outlay.report.savings import Change, savings_of
from outlay.testing import NOON, call
from outlay.testing.lines import line, lined

D = Decimal


def reader_of(*records: Record) -> LedgerReader:
    ledger = MemoryLedger()
    ledger.add(records)
    return LedgerReader(ledger, now=lambda: NOON)


def half(provider: str | None, model: str | None, records: Iterable[Record]) -> Iterator[Change]:
    """Say that another model costs half, and a third one more."""
    cost = sum((each.cost or D(0) for each in records), D(0))
    yield Change("model", provider, model, "small", 1, cost, cost / 2)
    yield Change("tier", provider, model, "priority", 1, cost, cost * 2)
    yield Change("tier", provider, model, "default", 1, cost, cost)


def test_only_what_saves_is_kept_the_largest_saving_first() -> None:
    found = savings_of(reader_of(call(cost="1", model="a"), call(cost="4", model="b")), half)
    assert [(each.model, each.to, each.saving) for each in found.changes] == [
        ("b", "small", D(2)),
        ("a", "small", D("0.5")),
    ]
    assert (found.looked_at, found.calls) == (2, 2)


def test_the_largest_saving_stands_before_the_largest_cost() -> None:
    def other(provider: str | None, model: str | None, records: Iterable[Record]) -> Iterator[Change]:
        cost = sum((each.cost or D(0) for each in records), D(0))
        yield Change("model", provider, model, "small", 1, cost, cost - 1 if cost > D(3) else D(0))

    found = savings_of(reader_of(call(cost="3", model="a"), call(cost="4", model="b")), other)
    assert [(each.model, each.saving) for each in found.changes] == [("a", D(3)), ("b", D(1))]


def test_a_model_of_two_providers_is_priced_again_for_each_by_its_own_calls() -> None:
    reader = reader_of(
        call(cost="1", provider="openai", model="a"), call(cost="4", provider="azure", model="a")
    )
    found = savings_of(reader, half)
    assert [(each.provider, each.cost) for each in found.changes] == [("azure", D(4)), ("openai", D(1))]
    assert (found.looked_at, found.calls) == (2, 2)


def test_the_newest_calls_of_each_model_are_looked_at_up_to_a_limit() -> None:
    old, new = call("2026-11-01T00:00:00Z", cost="8"), call("2026-11-02T00:00:00Z", cost="2")
    found = savings_of(reader_of(old, new), half, limit=1)
    assert [each.saving for each in found.changes] == [D(1)]
    assert (found.looked_at, found.calls) == (1, 2)


def test_models_that_cost_nothing_known_are_not_priced_again() -> None:
    found = savings_of(reader_of(call(cost=None), call(cost="0", model="b")), half)
    assert (found.changes, found.looked_at) == ((), 0)
    assert found.total["unpriced_calls"] == 1


def test_filters_hold_for_the_calls_that_are_priced_again() -> None:
    reader = reader_of(call(cost="1", user="u"), call(cost="4", user="v"))
    found = savings_of(reader, half, where={"user": "u"})
    assert [each.saving for each in found.changes] == [D("0.5")]


def test_a_cache_saves_at_most_what_reading_all_from_it_would() -> None:
    reader = reader_of(lined(line("input", 1_000_000, "2.5")))
    (found,) = savings_of(reader, lambda *_: (), cache_rate=lambda *_: D("0.5")).changes
    assert (found.kind, found.to, found.at_most) == ("caching", "use a cache", True)
    assert (found.cost, found.cost_there, found.saving) == (D("2.5"), D("0.5"), D(2))
    known = lined(line("input", 1_000_000, "2.5"))
    unknown = call(cost=None, provider=known.provider, model=known.model)
    (part,) = savings_of(reader_of(known, unknown), lambda *_: (), cache_rate=lambda *_: D("0.5")).changes
    assert (part.calls, part.left_out, part.saving) == (1, 1, D(2))


def test_right_answers_of_both_models_stand_beside_where_enough_are_judged() -> None:
    judged = [call(model="a", cost="1", correct=n < 15) for n in range(20)]
    judged += [call(model="small", cost="0", correct=True) for _ in range(20)]
    (found,) = savings_of(reader_of(*judged), half).changes
    assert (found.correct_rate, found.correct_rate_there) == (0.75, 1.0)
    (few,) = savings_of(reader_of(*judged[:19]), half).changes
    assert (few.correct_rate, few.correct_rate_there) == (None, None)
    assert few.to_dict()["saving"] == "9.5"
