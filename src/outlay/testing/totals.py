"""What every ledger promises about totals and breakdowns."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from decimal import Decimal
from typing import Any

from outlay.core.cost import Cost
from outlay.core.ports import Ledger
from outlay.core.query import DIMENSIONS, METRICS, Filter, Query, filters
from outlay.testing.asking import asked, by_label, call, calls


class TotalsContract:
    """Metrics, money, dimensions."""

    def test_an_empty_ledger_has_no_rows_and_a_total_of_zeros_and_unknowns(self, ledger: Ledger) -> None:
        """Counts are zero, and what needs a call to be known is None."""
        answer = ledger.rows(Query(by=("model",)))
        unknown = {"cost", "avg_cost", "cache_hit_rate"} | {m for m in METRICS if m.endswith("_ms")}
        assert answer.rows == ()
        assert ledger.rows(Query()).rows == ()
        assert answer.total == {metric: None if metric in unknown else 0 for metric in METRICS}
        assert calls(ledger) == []
        assert ledger.get("0") is None
        assert ledger.conflicts() == 0

    def test_every_metric_of_a_group(self, ledger: Ledger) -> None:
        """Worked out by hand: input 10+20+30+40+5, of it cached 20 and written 30; output 7+3."""
        usage = {"input": 10, "cache_read": 20, "cache_write": 30, "cache_write_1h": 40, "output": 7}
        ledger.add(
            [
                call(units={**usage, "reasoning": 3}, cost="0.3", latency_ms=100.0),
                call(units={"input": 5}, cost=None, latency_ms=300.0, status="error", error_type="Timeout"),
            ]
        )
        total = ledger.rows(Query()).total
        assert total == {
            "calls": 2,
            "errors": 1,
            "unpriced_calls": 1,
            "input_tokens": 105,
            "cached_tokens": 20,
            "cache_write_tokens": 70,
            "output_tokens": 10,
            "reasoning_tokens": 3,
            "total_tokens": 115,
            "cost": Decimal("0.3"),
            "avg_cost": Decimal("0.3"),  # over the one call whose cost is known
            "avg_latency_ms": 200.0,
            "p50_latency_ms": 200.0,
            "p95_latency_ms": total["p95_latency_ms"],  # checked to a tolerance elsewhere
            "p99_latency_ms": total["p99_latency_ms"],
            "cache_hit_rate": 20 / 105,
        }
        assert ledger.rows(Query()).rows == (total,)

    def test_percentiles_lie_between_the_values(self, ledger: Ledger) -> None:
        """Of 1 to 100 ms: 50.5, 95.05 and 99.01; calls without a latency do not count."""
        ledger.add([call(latency_ms=float(n)) for n in range(1, 101)] + [call()])
        total = ledger.rows(Query()).total
        for name, expected in (("avg", 50.5), ("p50", 50.5), ("p95", 95.05), ("p99", 99.01)):
            assert abs(total[f"{name}_latency_ms"] - expected) < 1e-9, name

    def test_money_adds_up_exactly(self, ledger: Ledger) -> None:
        """A thousand times 0.1 is 100; the smallest amount a ledger holds is not lost beside it."""
        ledger.add([*(call() for _ in range(1000)), call(cost="0.000000000000000001")])
        total = ledger.rows(Query()).total
        assert total["cost"] == Decimal("100.000000000000000001")
        assert total["avg_cost"] == Decimal("0.099900099900099900")  # 100.000000000000000001 / 1001

    def test_an_unknown_cost_is_none_and_is_counted(self, ledger: Ledger) -> None:
        """A group without any known cost has none; free is known to be nothing."""
        free = Cost(Decimal(0), "free")
        ledger.add([call(cost=None, model="a"), call(charge=free, model="b")])
        rows = asked(ledger, "model")
        assert (rows["a"]["cost"], rows["a"]["avg_cost"], rows["a"]["unpriced_calls"]) == (None, None, 1)
        assert (rows["b"]["cost"], rows["b"]["unpriced_calls"]) == (Decimal(0), 0)
        assert ledger.rows(Query()).total["cost"] == Decimal(0)

    def test_currencies_are_never_added_up(self, ledger: Ledger) -> None:
        """A mixed group has no cost, but the sum of each; a foreign cost is named as such."""
        ledger.add(
            [call(cost="1"), call(cost="2"), call(cost="4", currency="EUR"), call(cost=None, currency="JPY")]
        )
        answer = ledger.rows(Query(by=("currency",)))
        rows = by_label(answer.rows, "currency")
        assert answer.total["cost"] is None
        assert answer.total["avg_cost"] is None
        assert answer.total["costs"] == {"EUR": Decimal(4), "USD": Decimal(3)}
        assert ledger.rows(Query()).total["costs"] == {"EUR": Decimal(4), "USD": Decimal(3)}
        assert (rows["EUR"]["cost"], rows["EUR"]["costs"]) == (Decimal(4), {"EUR": Decimal(4)})
        assert rows["USD"]["cost"] == Decimal(3)
        assert "costs" not in rows["USD"]
        assert rows["JPY"]["cost"] is None

    def test_every_dimension_groups_and_filters(self, ledger: Ledger) -> None:
        """The two calls differ in every dimension, time included."""
        names = [
            d
            for d in DIMENSIONS
            if d not in {"hour", "day", "week", "month", "currency", "cost_status", "status"}
        ]
        fields: dict[str, dict[str, Any]] = {n: dict.fromkeys(names, n) for n in ("one", "two")}
        one = call("2026-10-01T10:30:00Z", **fields["one"])
        two = call(cost=None, currency="EUR", status="error", **fields["two"])
        ledger.add([one, two])
        for name in (*DIMENSIONS, "tag:x"):
            rows = ledger.rows(Query(by=(name,))).rows
            if name == "tag:x":
                assert [(row[name], row["calls"]) for row in rows] == [(None, 2)]
                continue
            assert [row["calls"] for row in rows] == [1, 1], name
            for row in rows:
                where: tuple[Filter, ...] = ((name, (row[name],)),)
                assert ledger.rows(Query(where=where)).total["calls"] == 1, name
                assert len(calls(ledger, where=where)) == 1, name

    def test_a_missing_dimension_is_none_and_comes_last(self, ledger: Ledger) -> None:
        """It is a group like any other, and can be asked for."""
        ledger.add([call(user=None), call(user="b"), call(user=""), call(model=None)])
        assert [row["user"] for row in ledger.rows(Query(by=("user",))).rows] == ["", "b", None]
        assert asked(ledger, "user")[None]["calls"] == 2
        assert ledger.rows(Query(where=filters({"user": None}))).total["calls"] == 2
        assert ledger.rows(Query(where=filters({"user": [None, "b"]}))).total["calls"] == 3
        assert ledger.rows(Query(where=filters({"user": ["", "b"], "model": None}))).total["calls"] == 0
        assert ledger.rows(Query(where=filters({"user": []}))).total["calls"] == 0

    def test_tags_are_dimensions(self, ledger: Ledger) -> None:
        """Whatever their names and values look like."""
        odd = 'it\'s "odd"; --'
        ledger.add([call(tags={"team": "search", odd: odd}), call(tags={"team": "ads"}), call()])
        assert {k: row["calls"] for k, row in asked(ledger, "tag:team").items()} == {
            "search": 1,
            "ads": 1,
            None: 1,
        }
        assert {k: row["calls"] for k, row in asked(ledger, f"tag:{odd}").items()} == {odd: 1, None: 2}
        assert ledger.rows(Query(where=filters({f"tag:{odd}": odd}))).total["calls"] == 1

    def test_several_dimensions_make_one_row_for_each_combination(self, ledger: Ledger) -> None:
        """In the order of the dimensions."""
        ledger.add([call(model="b", user="x"), call(model="a", user="y"), call(model="a", user="x")])
        rows = ledger.rows(Query(by=("model", "user"))).rows
        assert [(row["model"], row["user"]) for row in rows] == [("a", "x"), ("a", "y"), ("b", "x")]
