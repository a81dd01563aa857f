"""Reports about groups of calls, on a handful of calls whose figures are worked out by hand."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from outlay.core.cost import Cost
from outlay.core.errors import QueryError
from outlay.core.record import Record
from outlay.ledger import MemoryLedger
from outlay.report import LedgerReader
from outlay.report.adding import empty_row
from outlay.report.caching import caching_of
from outlay.report.economics import UNIT_COSTS, economics_of
from outlay.report.errors import errors_of
from outlay.report.latency import latency_of
from outlay.report.money import by_currency
from outlay.report.quality import quality_of
from outlay.report.shares import shares_of
from outlay.report.top import top_of
from outlay.testing import NOON, call
from outlay.testing.lines import line, lined

D = Decimal


def reader_of(*records: Record) -> LedgerReader:
    ledger = MemoryLedger()
    ledger.add(records)
    return LedgerReader(ledger, now=lambda: NOON)


def test_shares_are_of_the_total_and_run_up_in_the_order_of_the_rows() -> None:
    report = reader_of(call(cost="1", model="a"), call(cost="3", model="b")).report("model", order="cost")
    shared = shares_of(report)
    assert [(row["model"], row["share"], row["cumulative_share"]) for row in shared.rows] == [
        ("b", 0.75, 0.75),
        ("a", 0.25, 1.0),
    ]
    assert [row["share"] for row in shares_of(report, "calls").rows] == [0.5, 0.5]
    many = reader_of(*(call(cost=cost, model=name) for name, cost in zip("abcd", "1633", strict=True)))
    assert shares_of(many.report("model")).rows[-1]["cumulative_share"] == 1.0  # floats add up to more


def test_what_a_limit_left_out_keeps_its_share() -> None:
    report = reader_of(call(cost="1", model="a"), call(cost="3", model="b")).report("model", limit=1)
    assert [row["share"] for row in shares_of(report).rows] == [0.25]


def test_an_unknown_cost_has_no_share_and_is_no_part_of_others() -> None:
    report = reader_of(call(cost=None, model="a"), call(cost="3", model="b")).report("model")
    assert [(row["share"], row["cumulative_share"]) for row in shares_of(report).rows] == [
        (None, None),
        (1.0, 1.0),
    ]


def test_several_currencies_have_no_shares_of_cost() -> None:
    reader = reader_of(call(model="a"), call(model="b", currency="EUR"))
    assert [row["share"] for row in shares_of(reader.report("model")).rows] == [None, None]


def test_a_share_of_what_does_not_add_up_is_refused() -> None:
    with pytest.raises(QueryError, match="no share of 'avg_cost'"):
        shares_of(reader_of().report("model"), "avg_cost")


def test_slow_calls_are_counted_and_named() -> None:
    fast, slow, slower = (call(latency_ms=ms) for ms in (100.0, 2000.0, 9000.0))
    found = latency_of(reader_of(fast, slow, slower, call()), slow_ms=1999, slowest=1)
    assert (found.total["slow_calls"], found.total["slow_share"]) == (2, 2 / 3)
    assert found.slowest == (slower,)
    exactly = latency_of(reader_of(fast, slow, slower), slow_ms=2000)
    assert (exactly.total["slow_calls"], exactly.slowest) == (1, (slower,))
    assert latency_of(reader_of(fast)).slowest == ()
    with pytest.raises(QueryError, match="not -1"):
        latency_of(reader_of(), slow_ms=-1)


def test_errors_by_type_and_model_with_what_they_cost() -> None:
    found = errors_of(
        reader_of(
            call(cost="1", model="a", status="error", error_type="Timeout"),
            call(cost=None, model="a", status="error", error_type="Timeout"),
            call(cost="2", model="b", status="error", error_type="RateLimit"),
            call(cost="4", model="b"),
        )
    )
    rows = [
        (row["error_type"], row["model"], row["calls"], row["cost"], row["unpriced_calls"])
        for row in found.rows
    ]
    assert rows == [("Timeout", "a", 2, D(1), 1), ("RateLimit", "b", 1, D(2), 0)]
    assert [row["share"] for row in found.rows] == [2 / 3, 1 / 3]
    assert [(row["model"], row["error_rate"], row["error_cost"]) for row in found.models] == [
        ("a", 1.0, D(1)),
        ("b", 0.5, D(2)),
    ]
    assert (found.total["error_cost"], found.total["unpriced_errors"]) == (D(3), 1)


def economics(*records: Record) -> dict[str, Decimal | None]:
    total = economics_of(reader_of(*records)).total
    return {name: total[name] for name in UNIT_COSTS}


def test_unit_costs() -> None:
    units = {"input": 1000, "output": 1000}
    assert economics(
        call(cost="1", user="u", session="s", correct=True, units=units),
        call(cost="2", user="u", session="t", correct=False, status="error"),
        call(cost="3", user="v"),
        call(cost="6", session="t", correct=True),
    ) == {
        "cost_per_call": D(3),  # 12 by 4
        "cost_per_successful_call": D(4),  # 12 by 3: failed calls are paid for by those that worked
        "cost_per_user": D(3),  # 6 by 2: one call is nobody's
        "cost_per_session": D("4.5"),  # 9 by 2
        "cost_per_correct_answer": D("4.5"),  # 9 by 2: wrong ones are paid for by right ones
        "cost_per_1k_tokens": D(6),  # 12 by 2
    }


def test_calls_of_unknown_cost_are_no_units_either() -> None:
    known = call(cost="3", user="u", correct=True, units={"input": 1000})
    unknown = call(cost=None, user="v", session="s", correct=True, units={"input": 1000})
    assert economics(known, unknown) == economics(known)
    assert economics(unknown) == dict.fromkeys(UNIT_COSTS)
    quality = quality_of(reader_of(known, unknown)).total
    assert (quality["judged_calls"], quality["correct_calls"], quality["cost_per_correct_answer"]) == (
        2,
        2,
        D(3),
    )


def test_free_calls_cost_nothing_a_unit() -> None:
    free = call(charge=Cost(D(0), "free"), user="u", units={"input": 10})
    assert economics(free)["cost_per_user"] == D(0)


def test_unit_costs_by_dimension() -> None:
    reader = reader_of(
        call(cost="1", model="a", user="u"), call(cost="5", model="a"), call(cost=None, model="b")
    )
    rows = {row["model"]: row for row in economics_of(reader, "model").rows}
    assert (rows["a"]["cost_per_user"], rows["a"]["cost_per_call"]) == (D(1), D(3))
    assert rows["b"]["cost_per_call"] is None


def test_quality_beside_cost() -> None:
    found = quality_of(
        reader_of(
            call(cost="1", model="a", correct=True, quality_score=0.5),
            call(cost="3", model="a", correct=False, user_rating=2.0),
            call(cost="1", model="b"),
        )
    )
    a, b = found.rows
    assert (a["correct_rate"], a["cost_per_correct_answer"], a["avg_quality_score"]) == (0.5, D(4), 0.5)
    assert (b["correct_rate"], b["cost_per_correct_answer"], b["avg_quality_score"]) == (None, None, None)
    assert found.total["avg_user_rating"] == 2.0
    unknown = quality_of(reader_of(call(cost="1", correct=True), call(cost=None, correct=True)))
    assert unknown.total["cost_per_correct_answer"] == D(1)


def test_what_a_right_answer_costs_is_that_of_the_calls_that_are_asked_for() -> None:
    reader = reader_of(call(cost="2", user="u", correct=True), call(cost="8", user="v", correct=True))
    found = quality_of(reader, where={"user": "u"})
    assert [row["cost_per_correct_answer"] for row in (*found.rows, found.total)] == [D(2)] * 2


def test_reports_take_filters_on_what_they_filter_themselves() -> None:
    reader = reader_of(call(cost="2", user="u"), call(cost=None, user="u"), call(cost="4"))
    assert economics_of(reader, where={"user": "u"}).total["cost_per_user"] == D(2)
    assert economics_of(reader, where={"user": None}).total["cost_per_user"] is None
    assert economics_of(reader, where={"cost_status": "unpriced"}).total["cost_per_call"] is None


def test_quality_can_be_ordered_by_what_it_says() -> None:
    reader = reader_of(call(model="a", quality_score=0.1), call(model="b", quality_score=0.9))
    assert [row["model"] for row in quality_of(reader, order="avg_quality_score", limit=1).rows] == ["b"]


def cached(*records: Record, rate: str | None = None) -> dict[str, object]:
    told = None if rate is None else D(rate)
    total = caching_of(reader_of(*records), cache_rate=lambda provider, model, paid: told).total
    names = ("read_saving", "write_premium", "net_saving", "possible_saving", "unknown_tokens")
    return {name: total[name] for name in (*names, "possible_unknown_tokens")}


MILLION = 1_000_000


def test_what_caching_saved_and_could() -> None:
    """Read 2M at 0.25 beside fresh at 2.5; wrote 1M at 3.125; 3M fresh input could have been read."""
    records = (
        lined(line("input", MILLION, "2.5"), line("cache_read", 2 * MILLION, "0.25")),
        lined(line("input", 2 * MILLION, "2.5"), line("cache_write", MILLION, "3.125")),
    )
    assert cached(*records) == {
        "read_saving": D("4.5"),
        "write_premium": D("0.625"),
        "net_saving": D("3.875"),
        "possible_saving": D("6.75"),
        "unknown_tokens": 0,
        "possible_unknown_tokens": 0,
    }


def test_a_call_without_fresh_input_saved_what_its_like_did() -> None:
    alone = lined(line("cache_read", MILLION, "0.25"))
    beside = lined(line("input", 4, "2.5"), line("cache_read", 8, "0.25"))
    assert cached(alone, beside)["read_saving"] == D("2.25") + D("0.000018")
    assert cached(alone)["read_saving"] is None
    assert cached(alone)["unknown_tokens"] == MILLION


def test_two_rates_beside_one_leave_it_unknown() -> None:
    """As with a batch and without: nobody knows which one a lonely cached line had."""
    records = [lined(line("input", 4, rate), line("cache_read", 8, "0.25")) for rate in ("2.5", "1.25")]
    found = cached(*records, lined(line("cache_read", MILLION, "0.25")))
    assert found["unknown_tokens"] == MILLION
    yuan = replace(records[1], charge=replace(records[1].charge, currency="CNY"))  # nor is that in doubt
    assert cached(records[0], yuan, lined(line("cache_read", MILLION, "0.25")))["unknown_tokens"] == 0


def test_a_model_without_a_cache_in_the_records_is_told_by_the_rate_that_is_handed_in() -> None:
    fresh = lined(line("input", MILLION, "2.5"))
    assert cached(fresh)["possible_saving"] is None
    assert cached(fresh)["possible_unknown_tokens"] == MILLION
    assert cached(fresh, rate="0.5")["possible_saving"] == D(2)


def test_hit_rates_by_calls_and_by_tokens() -> None:
    found = caching_of(
        reader_of(
            call(units={"input": 5, "cache_read": 5}), call(units={"input": 10}), call(units={"input": 20})
        ),
        (),
    )
    assert (found.total["call_hit_rate"], found.total["cache_hit_rate"]) == (1 / 3, 5 / 40)


def test_the_dearest_groups_with_their_shares() -> None:
    reader = reader_of(*_for_users(("u", "3"), ("v", "6"), ("u", "4"), (None, "1")))
    found = top_of(reader, "users", limit=2)
    assert [(row["user"], row["cost"], row["share"]) for row in found.rows] == [
        ("u", D(7), 0.5),
        ("v", D(6), 6 / 14),
    ]
    assert found.left_out == 1
    assert [row["user"] for row in top_of(reader, "user", order="calls", limit=1).rows] == ["u"]
    assert "share" not in top_of(reader, order="avg_cost").rows[0]
    several = (call(user="u", cost="1"), call(user="u", cost="9", currency="CNY"), call(user="v", cost="5"))
    assert [row["user"] for row in top_of(reader_of(*several)).rows] == ["v", "u"]  # by dollars


def _for_users(*costs: tuple[str | None, str]) -> Iterable[Record]:
    return (call(user=user, cost=cost) for user, cost in costs)


def test_features_are_a_tag_or_else_query_types() -> None:
    tagged = call(tags={"feature": "search"}, query_type="rag")
    assert top_of(reader_of(tagged, call()), "features").query.by == ("tag:feature",)
    assert top_of(reader_of(tagged, call(cost="9")), "features", limit=1).query.by == ("tag:feature",)
    for of in ("features", "feature"):
        assert top_of(reader_of(call(query_type="rag")), of).query.by == ("query_type",)
    with pytest.raises(QueryError, match="did you mean features"):
        top_of(reader_of(), "featurs")
    with pytest.raises(QueryError, match="did you mean calls"):
        top_of(reader_of(), "callss")
    with pytest.raises(QueryError, match="no dimension"):
        top_of(reader_of(), "nonsense")


def test_costs_by_currency_tell_nothing_from_the_unknown() -> None:
    """Rows without calls are in no currency of their own."""
    dollars, euros, unknown = (
        reader_of(each).report().total for each in (call(cost="1"), call(currency="EUR"), call(cost=None))
    )
    rows = [dollars, euros, unknown, empty_row()]
    assert by_currency(rows) == {"EUR": [D(0), D("0.1"), None, D(0)], "USD": [D(1), D(0), None, D(0)]}
    assert by_currency([euros, empty_row()]) == {"EUR": [D("0.1"), D(0)]}
