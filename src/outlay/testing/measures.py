"""What every ledger promises about the further metrics that a question may name."""

# ruff: noqa: S101, PLR2004  # a contract speaks by assert, and expected numbers are its point

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from outlay.core.cost import Cost
from outlay.core.ports import Ledger
from outlay.core.query import LATENCY_BOUNDS_MS, METRICS, MORE_METRICS, Query
from outlay.core.record import Revision, Score
from outlay.testing.asking import by_label, call
from outlay.testing.clock import NOON
from outlay.testing.revisions import revision

_EVERY = (*MORE_METRICS, "slow:250")


def _total(ledger: Ledger, *metrics: str) -> dict[str, Any]:
    return ledger.rows(Query(metrics=metrics)).total


class MeasuresContract:
    """Further metrics: latency, first tokens, speed, people, errors, judgements."""

    def test_further_metrics_stand_behind_the_others_as_asked(self, ledger: Ledger) -> None:
        """In every row and in the total, and only if they are named; each once."""
        ledger.add([call(model="a"), call(model="b")])
        asked = ("users", "p90_latency_ms", "users", "slow:5", "error_cost")
        answer = ledger.rows(Query(by=("model",), metrics=asked))
        behind = ("users", "p90_latency_ms", "slow:5", "error_cost")
        assert {name: list(row)[-4:] for name, row in by_label(answer.rows, "model").items()} == {
            "a": list(behind),
            "b": list(behind),
        }
        assert list(answer.total) == [*METRICS, *behind]
        assert set(ledger.rows(Query()).total) == set(METRICS)

    def test_what_a_question_does_not_want_is_none_and_all_else_the_same(self, ledger: Ledger) -> None:
        """A further metric that is named is there nevertheless."""
        ledger.add(call(model="ab"[n % 2], latency_ms=float(n), cost=str(n)) for n in range(1, 12))
        asked = Query(by=("model",), metrics=("p90_latency_ms", "error_cost"))
        whole, sums = ledger.rows(asked), ledger.rows(replace(asked, detail="sums"))
        left = dict.fromkeys(("p50_latency_ms", "p95_latency_ms", "p99_latency_ms"))
        assert sums.total == {**whole.total, **left}
        assert sums.rows == tuple({**row, **left} for row in whole.rows)
        assert sums.total["avg_latency_ms"] == 6.0
        assert abs(sums.total["p90_latency_ms"] - 10.0) < 1e-9
        counts = ledger.rows(Query(by=("model",), detail="counts"))
        known = ("model", "calls", "errors", "unpriced_calls")
        assert [{name: row.get(name) for name in known} for row in counts.rows] == [
            {"model": "a", "calls": 5, "errors": 0, "unpriced_calls": 0},
            {"model": "b", "calls": 6, "errors": 0, "unpriced_calls": 0},
        ]
        assert {name for name, value in counts.total.items() if value is not None} == set(known[1:])

    def test_a_question_for_counts_has_no_money_but_what_it_names(self, ledger: Ledger) -> None:
        """Neither a cost nor costs by currency; what errors cost is whole where it is asked."""
        ledger.add(
            [
                call(model="a", cost="2", currency="EUR"),
                call(model="a", cost="3", status="error", correct=False),
                call(model="b", cost="5", status="error", currency="EUR"),
                call(model="b", cost=None, status="error"),
            ]
        )
        bare = ledger.rows(Query(by=("model",), detail="counts"))
        for row in (*bare.rows, bare.total):
            told = {name for name, value in row.items() if value is not None}
            assert told == {"calls", "errors", "unpriced_calls", *({"model"} & row.keys())}
        named = Query(
            by=("model",), metrics=("error_cost", "judged_cost", "unpriced_errors"), detail="counts"
        )
        answer = ledger.rows(named)
        rows = by_label(answer.rows, "model")
        assert (rows["a"]["error_cost"], rows["a"]["judged_cost"]) == (Decimal(3), Decimal(3))
        assert rows["b"]["error_costs"] == {"EUR": Decimal(5)}
        assert answer.total["error_costs"] == {"EUR": Decimal(5), "USD": Decimal(3)}
        assert (answer.total["error_cost"], answer.total["unpriced_errors"]) == (None, 1)
        assert {row.get("cost") for row in (*answer.rows, answer.total)} == {None}
        assert not any("costs" in row for row in (*answer.rows, answer.total))

    def test_of_no_calls_counts_are_zero_and_the_rest_is_unknown(self, ledger: Ledger) -> None:
        """The same for calls of which nothing further is known."""
        unknown: dict[str, Any] = {name: 0 if _counts(name) else None for name in _EVERY}
        unknown["latency_histogram"] = (0,) * (len(LATENCY_BOUNDS_MS) + 1)
        empty = _total(ledger, *_EVERY)
        assert {name: empty[name] for name in _EVERY} == unknown
        ledger.add([call()])
        bare = _total(ledger, *_EVERY)
        assert {name: bare[name] for name in _EVERY} == {**unknown, "successful_calls": 1}

    def test_latencies_in_full(self, ledger: Ledger) -> None:
        """Of 1 to 100 ms and one call of 700,000: percentiles lie between values, bounds belong below."""
        ledger.add([*(call(latency_ms=float(n)) for n in range(1, 101)), call(latency_ms=7e5), call()])
        found = _total(
            ledger, "timed_calls", "min_latency_ms", "p90_latency_ms", "max_latency_ms", "slow:90", "slow:99"
        )
        assert (found["timed_calls"], found["slow:90"], found["slow:99"]) == (101, 11, 2)
        assert (found["min_latency_ms"], found["max_latency_ms"]) == (1.0, 7e5)
        assert abs(found["p90_latency_ms"] - 91.0) < 1e-9
        histogram = _total(ledger, "latency_histogram")["latency_histogram"]
        assert histogram[:7] == (10, 5, 5, 10, 20, 20, 30)  # up to 10, 15, 20, 30, 50, 70, 100
        assert histogram[7:] == (*(0,) * (len(histogram) - 8), 1)
        assert sum(histogram) == 101

    def test_the_time_to_the_first_token(self, ledger: Ledger) -> None:
        """Of 10, 20, 30, 40 and 50 ms; calls without one do not count."""
        ledger.add([*(call(time_to_first_token_ms=10.0 * n) for n in range(1, 6)), call()])
        names = [f"{share}_first_token_ms" for share in ("avg", "p50", "p90", "p95", "p99")]
        found = _total(ledger, "first_token_calls", *names)
        assert found["first_token_calls"] == 5
        for name, expected in zip(names, (30.0, 30.0, 46.0, 48.0, 49.6), strict=True):
            assert abs(found[name] - expected) < 1e-9, name

    def test_output_tokens_per_second_is_that_of_timed_calls_that_worked(self, ledger: Ledger) -> None:
        """60 tokens in 1.5 s of two calls; a failed one, an untimed one, one of no time are left out."""
        ledger.add(
            [
                call(units={"output": 30, "reasoning": 20}, latency_ms=1000.0),
                call(units={"output": 10}, latency_ms=500.0),
                call(units={"output": 1000}, latency_ms=1.0, status="error"),
                call(units={"output": 1000}),
                call(units={"output": 1000}, latency_ms=0.0),
            ]
        )
        assert abs(_total(ledger, "output_tokens_per_second")["output_tokens_per_second"] - 40.0) < 1e-9

    def test_calls_that_read_from_a_cache(self, ledger: Ledger) -> None:
        """Writing to one is no reading."""
        usages: list[dict[str, int]] = [{"input": 1, "cache_read": 9}, {"cache_read_audio": 2}]
        usages += [{"input": 1, "cache_write": 9}, {}]
        ledger.add([call(units=units) for units in usages])
        assert _total(ledger, "cached_calls")["cached_calls"] == 2

    def test_people_are_counted_once(self, ledger: Ledger) -> None:
        """A missing user is none, an empty name is one."""
        who = [("a", "1"), ("a", "2"), ("b", "2"), ("", None), (None, "3")]
        ledger.add([call(user=user, session=session) for user, session in who])
        found = _total(ledger, "users", "sessions")
        assert (found["users"], found["sessions"]) == (3, 3)

    def test_what_errors_cost(self, ledger: Ledger) -> None:
        """Known costs of failed calls; those without one are counted beside."""
        ledger.add(
            [
                call(cost="1", model="a"),
                call(cost="2", model="a", status="error"),
                call(cost=None, model="a", status="error"),
                call(cost=None, model="b", status="error"),
                call(cost="4", model="c"),
            ]
        )
        asked = ("successful_calls", "error_cost", "unpriced_errors")
        rows = by_label(ledger.rows(Query(by=("model",), metrics=asked)).rows, "model")
        assert {name: tuple(row[each] for each in asked) for name, row in rows.items()} == {
            "a": (1, Decimal(2), 1),
            "b": (0, None, 1),
            "c": (1, None, 0),
        }
        assert _total(ledger, "error_cost")["error_cost"] == Decimal(2)

    def test_calls_at_a_price_of_later_are_counted(self, ledger: Ledger) -> None:
        """By the flags of the newest cost: a price that was found since may hold at their instant."""
        later = Cost(Decimal(2), "priced", flags=("extrapolated", "guessed"))
        first, second = call(model="a", charge=later), call(model="b", charge=later)
        ledger.add([call(model="a"), first, second, call(model="b", cost=None), call(model="c")])
        asked = Query(by=("model",), metrics=("extrapolated_calls",), detail="counts")
        rows = by_label(ledger.rows(asked).rows, "model")
        assert {name: row["extrapolated_calls"] for name, row in rows.items()} == {"a": 1, "b": 1, "c": 0}
        ledger.add([revision(first, "3"), Revision(record_id=second.id, at=NOON, charge=later)])
        assert {row["model"]: row["extrapolated_calls"] for row in ledger.rows(asked).rows} == {
            "a": 0,
            "b": 1,
            "c": 0,
        }
        assert _total(ledger, "extrapolated_calls")["extrapolated_calls"] == 1

    def test_no_call_at_a_price_of_later_is_none_of_them(self, ledger: Ledger) -> None:
        """0 and not unknown, of each group and of all, whatever a ledger knows beforehand."""
        ledger.add([call(model="a"), call(model="b", cost=None)])
        asked = Query(by=("model",), metrics=("extrapolated_calls",), detail="counts")
        assert [row["extrapolated_calls"] for row in ledger.rows(asked).rows] == [0, 0]
        assert _total(ledger, "extrapolated_calls")["extrapolated_calls"] == 0

    def test_further_sums_are_by_currency_too(self, ledger: Ledger) -> None:
        """As the cost itself: several are never added up, a single foreign one says which it is."""
        ledger.add(
            [
                call(cost="1", status="error", correct=True),
                call(cost="2", currency="EUR", status="error", model="b"),
                call(cost="4", currency="EUR", correct=False, model="b"),
                call(cost="8", currency="JPY", model="b"),
            ]
        )
        answer = ledger.rows(Query(by=("model",), metrics=("error_cost", "judged_cost")))
        total, rows = answer.total, by_label(answer.rows, "model")
        assert (total["cost"], total["error_cost"], total["judged_cost"]) == (None, None, None)
        assert total["error_costs"] == {"EUR": Decimal(2), "USD": Decimal(1)}
        assert total["judged_costs"] == {"EUR": Decimal(4), "USD": Decimal(1)}
        assert rows["b"]["costs"] == {"EUR": Decimal(6), "JPY": Decimal(8)}
        assert (rows["b"]["error_cost"], rows["b"]["error_costs"]) == (Decimal(2), {"EUR": Decimal(2)})
        assert rows["gpt-4o"]["error_cost"] == Decimal(1)
        assert "error_costs" not in rows["gpt-4o"]

    def test_judgements(self, ledger: Ledger) -> None:
        """Given with the call or later; the newest value of each field counts, whoever gave it."""
        late, other = call(cost="1", correct=False, quality_score=0.2), call(cost="2", user_rating=2.0)
        silent, unpriced = call(cost="4"), call(cost=None, correct=True)
        later = NOON + timedelta(hours=2)
        ledger.add([late, other, silent, unpriced])
        before = _total(ledger, "judged_calls", "correct_calls", "avg_quality_score")
        assert (before["judged_calls"], before["correct_calls"], before["avg_quality_score"]) == (2, 1, 0.2)
        ledger.add(
            [
                Score(record_id=late.id, at=later, correct=True, quality_score=0.8),
                Score(record_id=late.id, at=NOON, correct=False, user_rating=5.0),
                Score(record_id=other.id, at=NOON, correct=True),
                Score(record_id=other.id, at=NOON, correct=False, quality_score=0.4),
            ]
        )
        found = _total(
            ledger,
            *("judged_calls", "correct_calls", "judged_cost", "unpriced_judged"),
            *("quality_scores", "avg_quality_score", "user_ratings", "avg_user_rating"),
        )
        assert (found["judged_calls"], found["correct_calls"]) == (3, 2)
        assert (found["judged_cost"], found["unpriced_judged"]) == (Decimal(3), 1)
        assert (found["quality_scores"], found["user_ratings"]) == (2, 2)
        assert abs(found["avg_quality_score"] - 0.6) < 1e-9
        assert abs(found["avg_user_rating"] - 3.5) < 1e-9
        assert found["calls"] == 4

    def test_judgements_and_revised_costs_together(self, ledger: Ledger) -> None:
        """The newest of both."""
        record = call(cost="1")
        ledger.add([record, revision(record, "3"), Score(record_id=record.id, at=NOON, correct=True)])
        assert _total(ledger, "judged_cost")["judged_cost"] == Decimal(3)

    def test_further_metrics_by_local_hour_and_under_filters(self, ledger: Ledger) -> None:
        """The parameters of zones and filters keep their places."""
        ledger.add([call("2026-03-29T00:30:00Z", user="a", latency_ms=5.0), call("2026-11-01T00:30:00Z")])
        query = Query(
            by=("hour",),
            tz="Europe/Berlin",
            where=(("provider", ("openai",)),),
            metrics=("slow:4", "users", "latency_histogram"),
        )
        rows = by_label(ledger.rows(query).rows, "hour")
        assert [(name, row["slow:4"], row["users"]) for name, row in rows.items()] == [
            ("2026-03-29T01:00:00+01:00", 1, 1),
            ("2026-11-01T01:00:00+01:00", 0, 0),
        ]


def _counts(name: str) -> bool:
    return name in {
        *("successful_calls", "cached_calls", "timed_calls", "first_token_calls", "users", "sessions"),
        *("unpriced_errors", "extrapolated_calls"),
        *("judged_calls", "correct_calls", "unpriced_judged", "quality_scores", "user_ratings", "slow:250"),
    }
