"""What every ledger promises about costs that are reckoned again."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from outlay.core.cost import Cost, CostLine, Price, unpriced
from outlay.core.ports import Ledger
from outlay.core.query import Query, filters
from outlay.core.record import Record, Revision
from outlay.testing.asking import asked, call, calls
from outlay.testing.clock import NOON


def revision(record: Record, cost: str | None, hours: int = 1, currency: str = "USD") -> Revision:
    """Make a revision of a call, so many hours after noon; ``cost`` None makes it unpriced."""
    charge = unpriced("no price") if cost is None else Cost(Decimal(cost), "priced", currency)
    return Revision(record_id=record.id, at=NOON + timedelta(hours=hours), charge=charge)


class RevisionsContract:
    """Revisions: the newest cost counts, the recorded one stays."""

    def test_the_newest_cost_counts_everywhere(self, ledger: Ledger) -> None:
        """In single calls, in totals, in filters and in the order by cost."""
        a, b, c = call(cost=None, model="a"), call(cost="2", model="b"), call(cost="3", model="c")
        assert ledger.add([a, b, c]) == len("abc")
        assert ledger.add([revision(a, "9"), revision(b, "1")]) == 0
        found = ledger.get(a.id)
        assert found is not None
        assert (found.cost, found.cost_status, found.usage) == (Decimal(9), "priced", a.usage)
        assert [each.model for each in calls(ledger, order="cost")] == ["a", "c", "b"]
        assert [each.cost for each in calls(ledger, order="cost")] == [Decimal(9), Decimal(3), Decimal(1)]
        total = ledger.rows(Query()).total
        assert (total["cost"], total["unpriced_calls"]) == (Decimal(13), 0)
        assert {model: row["cost"] for model, row in asked(ledger, "model").items()} == {
            "a": Decimal(9),
            "b": Decimal(1),
            "c": Decimal(3),
        }
        assert ledger.rows(Query(where=filters({"cost_status": "unpriced"}))).total["calls"] == 0
        assert len(calls(ledger, where=filters({"cost_status": "priced"}))) == len("abc")

    def test_currency_and_unknown_costs_are_revised_too(self, ledger: Ledger) -> None:
        """An unknown cost is no zero, and one revision though it is told twice; yuan are no dollars."""
        known, paid = call(cost="1", model="a"), call(cost="1", model="b")
        unknown = revision(known, None)
        ledger.add([known, paid, unknown, revision(paid, "7", currency="CNY")])
        ledger.add([unknown])
        assert len(ledger.revisions(known.id)) == 2
        rows = asked(ledger, "model")
        assert (rows["a"]["cost"], rows["a"]["unpriced_calls"]) == (None, 1)
        assert rows["b"]["costs"] == {"CNY": Decimal(7)}
        assert set(asked(ledger, "currency")) == {"USD", "CNY"}

    def test_costs_of_one_instant_are_told_apart_by_amount_currency_and_status(self, ledger: Ledger) -> None:
        """The one that came last counts; what differs by its reason alone is the same again."""
        record = call(cost="1")
        first = Revision(record_id=record.id, at=NOON, charge=Cost(Decimal(0), "free"))
        charges = (
            Cost(Decimal(0), "free", "CNY"),
            Cost(Decimal(7), "free", "CNY"),
            Cost(Decimal(7), "priced", "CNY"),
        )
        others = [replace(first, charge=charge) for charge in charges]
        ledger.add([record, first, others[0]])
        ledger.add(others[1:])
        again = [replace(each, charge=replace(each.charge, reason="again")) for each in (first, *others)]
        for _ in range(2):
            costs = [each.charge for each in ledger.revisions(record.id)]
            assert costs == [record.charge, first.charge, *(each.charge for each in others)]
            (row,) = ledger.rows(Query(by=("cost_status",))).rows
            assert (row["cost_status"], row["costs"]) == ("priced", {"CNY": Decimal(7)})
            ledger.add(again)

    def test_histories_are_those_of_calls_that_were_reckoned_again(self, ledger: Ledger) -> None:
        """Asked for many calls at once; the recorded cost comes first."""
        a, b, c = call(cost="1", model="a"), call(cost="2", model="b"), call(cost="3", model="c")
        ledger.add([a, b, c, revision(a, "9"), revision(a, "8", 2), revision(c, "4")])
        found = ledger.histories([a.id, b.id])
        assert set(found) == {a.id}
        assert [each.charge.amount for each in found[a.id]] == [Decimal(1), Decimal(9), Decimal(8)]
        assert ledger.histories([]) == {}

    def test_a_cost_of_a_call_that_is_not_here_is_no_history(self, ledger: Ledger) -> None:
        """It may come before its call, or that never comes."""
        record = call(cost="1")
        ledger.add([revision(record, "2")])
        assert (ledger.histories([record.id]), ledger.revisions(record.id)) == ({}, ())
        ledger.add([record])
        assert [each.charge.amount for each in ledger.histories([record.id])[record.id]] == [1, 2]

    def test_the_newest_revision_counts_in_whatever_order_they_come(self, ledger: Ledger) -> None:
        """Also before their call; the same one twice is one."""
        record = call(cost="1")
        late, early = revision(record, "3", 2), revision(record, "2", 1)
        ledger.add([late])
        ledger.add([record, early, early])
        assert ledger.add([late]) == 0
        assert [each.cost for each in calls(ledger)] == [Decimal(3)]
        assert [each.charge.amount for each in ledger.revisions(record.id)] == [
            Decimal(1),
            Decimal(2),
            Decimal(3),
        ]

    def test_of_two_at_one_instant_the_later_one_to_come_counts(self, ledger: Ledger) -> None:
        """As with scores."""
        record = call(cost="1")
        ledger.add([record, *(revision(record, cost) for cost in ("4", "2", "3"))])
        assert [each.cost for each in calls(ledger)] == [Decimal(3)]
        assert ledger.rows(Query()).total["cost"] == Decimal(3)

    def test_every_cost_of_a_call_is_kept_whole(self, ledger: Ledger) -> None:
        """With lines, price, reason and flags; the recorded one stands first."""
        record = call(cost="1")
        whole = Cost(
            Decimal("0.0025"),
            "partial",
            lines=(CostLine("input", 1000, Decimal("2.50"), 1_000_000, Decimal("0.0025"), note="batch"),),
            price=Price("a contract", NOON, "v2", extrapolated=True),
            reason="no rate for images",
            flags=("no_rate",),
            computed=Decimal("0.003"),
        )
        again = Revision(record_id=record.id, at=NOON + timedelta(hours=1), charge=whole)
        ledger.add([record, again])
        recorded = Revision(record_id=record.id, at=record.at, charge=record.charge)
        assert ledger.revisions(record.id) == (recorded, again)
        assert ledger.revisions(record.id[:18]) == (recorded, again)
        found = ledger.get(record.id)
        assert found is not None
        assert found.charge == whole

    def test_a_call_without_revisions_has_one_cost_and_no_call_has_none(self, ledger: Ledger) -> None:
        """And what is no id names no call."""
        record = call(cost="1")
        ledger.add([record])
        assert [each.charge for each in ledger.revisions(record.id)] == [record.charge]
        assert ledger.revisions("ffffffff") == ledger.revisions("no id at all") == ()

    def test_a_revised_call_that_comes_back_is_the_same_call(self, ledger: Ledger) -> None:
        """With its first cost or with a later one; any other cost is a conflict."""
        record = call(cost="1")
        ledger.add([record, revision(record, "2"), revision(record, "3", 2)])
        assert ledger.add([*calls(ledger), record]) == 0
        assert ledger.conflicts() == 0
        ledger.add([call(cost="4", id=record.id)])
        assert ledger.conflicts() == 1
