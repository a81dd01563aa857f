"""Recorded calls priced as if another model or tariff had served them; all figures worked out by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.support.books import book_of

from outlay.core.cost import Cost, unpriced
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.pricing import Book
from outlay.pricing.elsewhere import (
    OTHER_REASONS,
    Alternative,
    alternatives,
    compare_calls,
    unknown,
    unlisted,
)
from outlay.pricing.tables import sheet_of
from outlay.testing import call

BOOK = Book.of(
    sheet_of("""
[[model]]
provider = "acme"
model = "big"
[[model.price]]
rates = { input = "10", output = "20" }
above = [{ tokens = 1000, rates = { input = "30", output = "40" } }]
[[model.price]]
when = { batch = "true" }
rates = { input = "5", output = "10" }
[[model]]
provider = "acme"
model = "small"
price = [
  { to = 2026-06-01, rates = { input = "1", output = "2" } },
  { from = 2026-06-01, rates = { input = "0.5", output = "1" } },
]
[[model]]
provider = "acme"
model = "yuan"
price = [{ rates = { input = "7" }, currency = "CNY" }]
""")
)
MAY, JULY = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
SMALL, BATCH = Alternative("small", "acme"), Alternative(tier="batch")


def recorded(at: datetime = JULY, **given: Any) -> Record:
    fields: dict[str, Any] = {"provider": "acme", "model": "big", "units": {"input": 100, "output": 10}}
    return call(at, **{"cost": "0.0012", **fields, **given})  # 100 x 10 + 10 x 20, each a million


PLACES = """
[[model]]
provider = "acme"
model = "placed"
[[model.price]]
rates = { input = "1" }
[[model.price]]
when = { region = "eu" }
rates = { input = "2" }
[[model.price]]
when = { batch = "true" }
rates = { input = "0.5" }
[[model.price]]
when = { batch = "true", region = "eu" }
rates = { input = "0.8" }
"""


def test_another_tariff_is_that_of_the_same_place() -> None:
    record = recorded(model="placed")
    record = replace(record, usage=Usage.of({"input": 100}).with_terms(region="eu", service_tier="priority"))
    book = book_of(PLACES)
    # 100 x 0.8, and without the batch 100 x 2 a million: neither priority's price nor that of elsewhere
    assert BATCH.cost(record, book).amount == Decimal("0.00008")
    assert Alternative(tier="standard").cost(record, book).amount == Decimal("0.0002")


def test_each_call_is_priced_at_its_own_instant() -> None:
    # 100 x 1 + 10 x 2 in May, 100 x 0.5 + 10 x 1 in July, each a million
    calls, (found,) = compare_calls([recorded(MAY), recorded(JULY)], [SMALL], BOOK)
    sums = found.sums["USD"]
    assert (calls, sums.calls, sums.cost, sums.there) == (2, 2, Decimal("0.0024"), Decimal("0.00018"))
    assert sums.difference == Decimal("-0.00222")
    (now,) = compare_calls([recorded(MAY)], [SMALL], BOOK, JULY)[1]
    assert now.sums["USD"].there == Decimal("0.00006")


def test_another_tariff_of_the_same_model_keeps_place_and_parts() -> None:
    usage = Usage.of(
        {"input": 100, "output": 10},
        terms=(("geo", "eu"), ("service_tier", "priority")),
        reported_cost=Decimal(7),
        parts=(Usage.of({"input": 60}, model="small"),),
    )
    record = recorded(usage=usage)
    # small has no batch rate: 60 x 0.5 halved; the rest on big's batch rates: 40 x 5 + 10 x 10
    cost = BATCH.cost(record, BOOK)
    assert cost.amount == Decimal("0.000315")
    assert cost.status == "priced"
    assert "assumed_tier" in cost.flags


def test_the_size_of_a_request_decides_its_rates_there_too() -> None:
    big = Alternative("big", "acme")
    assert big.cost(recorded(units={"input": 2000}), BOOK).amount == Decimal("0.06")  # 2000 x 30
    small_requests = Usage.of({"input": 2000}, context_tokens=500)
    assert big.cost(recorded(usage=small_requests), BOOK).amount == Decimal("0.02")  # 2000 x 10


def test_what_is_unknown_on_a_side_is_in_neither_sum() -> None:
    records = [
        recorded(),
        recorded(cost=None),
        recorded(charge=Cost(Decimal(1), "partial")),
        recorded(units={"input": 100, "web_search": 1}),
        recorded(charge=unpriced("unheard of")),
    ]
    calls, (found,) = compare_calls(records, [SMALL], BOOK)
    assert (calls, found.sums["USD"].calls, found.sums["USD"].cost) == (5, 1, Decimal("0.0012"))
    assert found.left_out == {
        "its own cost is unpriced": 2,
        "its own cost is partial": 1,
        "small has no rate for web_search": 1,
    }


def test_currencies_are_never_mixed() -> None:
    yuan = Alternative("yuan", "acme")
    (found,) = compare_calls(
        [recorded(units={"input": 1}), recorded(units={"input": 1}, currency="CNY")], [yuan], BOOK
    )[1]
    assert set(found.sums) == {"CNY"}
    assert found.sums["CNY"].calls == 1
    assert found.left_out.total() == 1


def test_a_free_call_is_known_to_cost_nothing() -> None:
    (found,) = compare_calls([recorded(charge=Cost(Decimal(0), "free"))], [SMALL], BOOK)[1]
    assert (found.sums["USD"].cost, found.sums["USD"].there) == (Decimal(0), Decimal("0.00006"))


def test_reasons_of_strangers_do_not_grow_without_bound() -> None:
    def records() -> Iterator[Record]:
        for number in range(200):
            yield recorded(units={"input": 1, f"count_{number}": 1})

    (found,) = compare_calls(records(), [SMALL], BOOK)[1]
    assert found.left_out.total() == 200
    assert len(found.left_out) == 51
    assert found.left_out[OTHER_REASONS] == 150


def test_every_model_stands_under_every_tariff() -> None:
    assert alternatives(["a", "b"], [], "p") == [Alternative("a", "p"), Alternative("b", "p")]
    assert alternatives([], ["batch", "flex"], None) == [BATCH, Alternative(tier="flex")]
    assert alternatives(["a"], ["batch", "standard"], None) == [
        Alternative("a", None, "batch"),
        Alternative("a", None, "standard"),
    ]
    assert Alternative(tier="standard").terms == {}
    assert Alternative(tier="flex").terms == {"service_tier": "flex"}


def test_unknown_models_are_named() -> None:
    lost = Alternative("gpt-99", "openai")
    assert set(unknown([SMALL, BATCH, lost], BOOK, JULY)) == {lost}


def test_another_models_costs_as_an_object() -> None:
    prices = book_of('[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1" } }]')
    record = call(provider="acme", model="big", units={"input": 1_000_000}, cost="3")
    _, (found,) = compare_calls([record], [Alternative("one", "acme")], prices)
    said = found.to_dict()
    assert (said["model"], said["provider"], said["tier"]) == ("one", "acme", None)
    (sums,) = said["sums"]
    assert (sums["currency"], sums["calls"], sums["cost"]) == ("USD", 1, Decimal(3))


def test_a_model_without_a_provider_is_that_of_its_maker_and_a_provider_alone_serves_the_same_one() -> None:
    theirs = (
        '[[model]]\nprovider = "beta"\nmodel = "big"\nprice = [{ rates = { input = "3", output = "4" } }]'
    )
    book = Book.of(*(sheet_of(text) for text in (theirs,)))
    record = recorded(provider="openai", model="gpt-4o")
    # Sonnet costs 3 and 15 a million: 100 x 3 + 10 x 15
    assert Alternative("claude-sonnet-4-5").cost(record, book).amount == Decimal("0.00045")
    # 100 x 3 + 10 x 4
    assert Alternative(provider="beta").cost(recorded(), book).amount == Decimal("0.00034")


def test_a_tariff_that_no_list_names_is_told_unless_a_call_has_a_price_under_it() -> None:
    asked = [
        BATCH,
        Alternative(tier="bacht"),
        Alternative("small", "acme", "bacht"),
        Alternative("big", "acme"),
    ]
    assert unlisted(compare_calls([recorded()], asked, BOOK)[1]) == ["bacht"]
    assert unlisted(compare_calls([], asked, BOOK)[1]) == []  # without calls nobody can know
    ours = Book.of(
        sheet_of("""
[[model]]
provider = "acme"
model = "big"
[[model.price]]
rates = { input = "10", output = "20" }
[[model.price]]
when = { service_tier = "nights" }
rates = { input = "1", output = "2" }
""")
    )
    assert unlisted(compare_calls([recorded()], [Alternative(tier="nights")], ours)[1]) == []
    assert unlisted(compare_calls([recorded()], [Alternative(tier="nightz")], ours)[1]) == ["nightz"]


def test_a_tariff_that_a_list_names_is_no_mistyped_one_where_no_call_has_its_price() -> None:
    ours = Book.of(
        sheet_of("""
[[model]]
provider = "acme"
model = "big"
price = [{ rates = { input = "10", output = "20" } }]
""")
    )
    asked = [Alternative(tier=tier) for tier in ("batch", None, "bacht")]
    _, found = compare_calls([recorded()], asked, ours)
    assert [each.flags["assumed_tier"] for each in found] == [1, 0, 1]
    assert unlisted(found) == ["bacht"]
