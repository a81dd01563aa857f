"""Calls priced again at their own instant: what changes, what is filled, what stays."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from outlay.core.cost import Cost, CostStatus, Price, unpriced
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.pricing import Book
from outlay.pricing.reprice import Repricing, reckoned, verdict
from outlay.pricing.tables import sheet_of
from outlay.testing import NOON, call

BOOK = Book.of(
    sheet_of("""
[[model]]
provider = "acme"
model = "one"
price = [
  { to = 2026-06-01, rates = { input = "2" } },
  { from = 2026-06-01, rates = { input = "1" } },
]
[[model]]
provider = "acme"
model = "gratis"
price = [{ rates = { input = "0" } }]
[[model]]
provider = "acme"
model = "tiny"
price = [{ rates = { input = "0.0000123456789" }, per = 1_000_000 }]
""")
)
MAY, JULY = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def recorded(at: datetime = JULY, model: str = "one", **given: Any) -> Record:
    fields: dict[str, Any] = {"units": {"input": 1000}, **given}
    return call(at, provider="acme", model=model, **fields)


def test_a_call_is_priced_at_its_own_instant() -> None:
    # 1000 x 2 a million before June, 1000 x 1 after
    assert reckoned(recorded(MAY), BOOK).amount == Decimal("0.002")
    assert reckoned(recorded(JULY), BOOK).amount == Decimal("0.001")


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (recorded(cost="0.001"), "same"),
        (recorded(cost="0.002"), "changed"),
        (recorded(cost=None), "filled"),
        (recorded(cost=None, model="unheard"), "unpriced"),
        (recorded(cost="5", model="unheard"), "known_no_more"),
        (recorded(charge=Cost(Decimal("0.5"), "reported")), "stated"),
        (recorded(charge=Cost(Decimal("0.5"), "priced", price=Price("own price", None, "own"))), "stated"),
        (recorded(cost="0.5", usage=Usage.of({"input": 1, "images": 1})), "known_no_more"),
        (recorded(cost=None, usage=Usage.of({"input": 1, "images": 1})), "filled"),
        (recorded(cost="0.001", currency="CNY"), "changed"),
        (recorded(charge=Cost(Decimal(0), "free")), "changed"),
        (recorded(charge=unpriced("unheard of"), model="gratis"), "filled"),
        (recorded(charge=Cost(Decimal(0), "free"), model="gratis"), "same"),
        (recorded(cost="5", model="gratis"), "changed"),
        (recorded(charge=Cost(Decimal(1), "partial"), model="unheard"), "known_no_more"),
        (
            recorded(charge=Cost(Decimal(1), cast("CostStatus", "estimated"))),
            "changed",
        ),  # somebody else's word
        (recorded(cost="5", usage=Usage.of({"input": 1}, reported_cost=Decimal(7))), "changed"),
    ],
)
def test_what_a_new_cost_means_for_a_call(record: Record, found: str) -> None:
    assert verdict(record, reckoned(record, BOOK)) == found


def test_what_was_unknown_before_is_no_zero() -> None:
    found = Repricing(ZoneInfo("UTC"))
    list(found.revisions([recorded(cost=None), recorded(cost=None)], BOOK, NOON))
    (row,), (total,) = found.rows(), found.totals()
    assert (row["before"], row["after"], row["difference"]) == (None, Decimal("0.002"), Decimal("0.002"))
    assert (total["before"], total["filled"]) == (None, 2)
    list(found.revisions([recorded(cost="0.003")], BOOK, NOON))
    assert found.totals()[0]["before"] == Decimal("0.003")


def test_an_amount_that_no_ledger_holds_is_rounded_before_it_is_compared() -> None:
    # 1 x 0.0000123456789 a million has 19 places, a ledger holds 18
    record = recorded(model="tiny", units={"input": 1})
    new = reckoned(record, BOOK)
    assert new.amount == Decimal("0.000000000012345679")
    assert verdict(recorded(model="tiny", units={"input": 1}, charge=new), new) == "same"


def test_the_difference_by_model_and_day() -> None:
    late = datetime(2026, 7, 1, 23, tzinfo=UTC)  # the 2nd in Berlin
    records = [
        recorded(JULY, cost="0.003"),
        recorded(late, cost="0.003"),
        recorded(late, cost=None),
        recorded(late, cost="0.001"),
        recorded(late, cost="9", currency="CNY"),
        recorded(late, charge=Cost(Decimal(9), "reported")),
    ]
    found = Repricing(ZoneInfo("Europe/Berlin"))
    revisions = list(found.revisions(records, BOOK, NOON))
    assert [each.record_id for each in revisions] == [records[n].id for n in (0, 1, 2, 4)]
    assert {(each.at, each.charge.amount) for each in revisions} == {(NOON, Decimal("0.001"))}
    first, foreign, second = found.rows()
    assert (first["day"], first["calls"], first["before"], first["after"]) == (
        "2026-07-01",
        1,
        Decimal("0.003"),
        Decimal("0.001"),
    )
    assert (second["day"], second["calls"], second["filled"]) == ("2026-07-02", 2, 1)
    assert second["difference"] == Decimal("-0.001")  # 0.003 became twice 0.001
    assert (foreign["currency_before"], foreign["currency"], foreign["difference"]) == ("CNY", "USD", None)
    assert found.counts() == {
        "calls": 6,
        "same": 1,
        "changed": 3,
        "filled": 1,
        "stated": 1,
        "known_no_more": 0,
        "unpriced": 0,
    }
    dollars = found.totals()[1]
    assert (dollars["calls"], dollars["before"], dollars["after"]) == (3, Decimal("0.006"), Decimal("0.003"))
    assert (dollars["filled"], foreign["filled"]) == (1, 0)


def test_nothing_is_new_the_second_time() -> None:
    records = [recorded(cost=None), recorded(cost="7"), recorded(model="tiny", units={"input": 1})]
    charges = {e.record_id: e.charge for e in Repricing(UTC).revisions(records, BOOK, NOON)}
    assert len(charges) == 3
    again = [recorded(model=e.model or "", usage=e.usage, charge=charges[e.id], id=e.id) for e in records]
    assert list(Repricing(UTC).revisions(again, BOOK, NOON)) == []


def test_two_unknown_costs_for_different_reasons_are_both_unknown() -> None:
    record = call(charge=Cost(None, "unpriced", "CNY", reason="of old"))
    assert verdict(record, Cost(None, "unpriced", reason="of late")) == "unpriced"


def test_what_changed_counts_what_had_no_cost_too() -> None:
    found = Repricing(UTC)
    found.verdicts.update(["changed", "filled", "filled", "same"])
    assert found.changed == 3


def test_models_of_a_day_stand_in_order() -> None:
    found = Repricing(UTC)
    records = [recorded(cost="7", model=model) for model in ("one", "gratis")]
    assert len(list(found.revisions(records, BOOK, NOON))) == 2
    assert [row["model"] for row in found.rows()] == ["gratis", "one"]
