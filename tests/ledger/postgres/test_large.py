"""A large ledger, whose percentiles come from buckets and sums from rollups, keeps the contract."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.any_record import alike

from outlay.core.ports import Ledger
from outlay.core.query import Query, Row, filters
from outlay.core.record import Revision
from outlay.ledger import PostgresLedger
from outlay.testing import NOON, KeepingContract, LedgerContract, call
from outlay.testing.asking import keeping
from outlay.testing.keeping import two_weeks

NAMES = {50: "p50_latency_ms", 95: "p95_latency_ms", 99: "p99_latency_ms"}


class TestLargeLedger(LedgerContract, KeepingContract):
    """The contract, kept where every ledger is a large one; what it says of percentiles is to a tolerance."""

    @pytest.fixture
    def ledger(self, url: str) -> Iterator[Ledger]:
        ledger = PostgresLedger(url, exact=0)
        yield ledger
        ledger.close()

    def test_every_metric_of_a_group(self, ledger: Ledger) -> None:
        """Of two calls the median is either; all else is as in the contract."""
        first, second = call(latency_ms=100.0, units={"input": 7}), call(latency_ms=300.0, cost=None)
        ledger.add([first, second])
        total = ledger.rows(Query()).total
        assert total["p50_latency_ms"] == pytest.approx(100.0, rel=0.04)
        assert (total["calls"], total["unpriced_calls"], total["input_tokens"]) == (2, 1, 7)
        assert total["avg_latency_ms"] == 200.0

    def test_percentiles_lie_between_the_values(self, ledger: Ledger) -> None:
        """Of 1 to 100 ms, to four in a hundred and to the next value."""
        ledger.add([call(latency_ms=float(n)) for n in range(1, 101)] + [call()])
        answer = ledger.rows(Query())
        total = answer.total
        assert answer.rows == (total,)
        assert total["avg_latency_ms"] == 50.5
        for percent, name in NAMES.items():
            assert total[name] == pytest.approx(percent, rel=0.05), name

    def test_a_row_with_pruned_calls_has_no_percentiles_and_one_without_has(self, ledger: Ledger) -> None:
        """Of sixteen calls at 100 and sixteen at 300 ms the median is either; else as in the contract."""
        ledger.add(two_weeks())
        keeping(ledger).prune(NOON - timedelta(days=7))
        total = ledger.rows(Query()).total
        assert {total[name] for name in NAMES.values()} == {None}
        assert total["avg_latency_ms"] == 200.0
        recent = ledger.rows(Query(since=NOON - timedelta(days=7, hours=12)))
        assert (recent.total["calls"], recent.rolled) == (32, 0)
        assert recent.total["costs"] == {"USD": Decimal("2.8"), "CNY": Decimal(16)}
        assert recent.total["p50_latency_ms"] == pytest.approx(100.0, rel=0.04)
        period = NOON - timedelta(days=9), NOON - timedelta(days=6)
        days = ledger.rows(Query(("day",), *period)).rows
        assert [row["calls"] for row in days] == [4, 4, 1]
        assert [row["p50_latency_ms"] is None for row in days] == [True, False, True]


def test_percentiles_of_many_calls_are_right_to_four_in_a_hundred(url: str) -> None:
    """By whatever the calls are told apart; also at the broken hours and days at both ends of a period.

    The tolerance is that of a bucket, and of the step from one call to the next. All else is exact.
    """
    chance = random.Random(5)  # noqa: S311 - only latencies
    records = [
        call(
            NOON + timedelta(minutes=n),
            latency_ms=chance.lognormvariate(6, 0.5) if n % 50 else None,
            model=f"m{n % 2}",
            user=f"u{n % 3}",
            status="error" if n % 7 == 0 else "success",
            tags={"team": "x"} if n % 5 else {},
        )
        for n in range(6000)
    ]
    large, exactly = PostgresLedger(url, exact=0), PostgresLedger(url, exact=10**9)
    large.add(records)
    broken = (NOON + timedelta(minutes=77), NOON + timedelta(minutes=5001, seconds=1))
    for by in (("day", "model"), ("hour",), ("user",), ("status", "tag:team"), ("week",)):
        for tz in ("UTC", "Europe/Berlin", "Asia/Kathmandu"):
            for since, until in ((None, None), broken):
                query = Query(by, since, until, filters({"model": "m0"}), tz)
                one, other = large.rows(query), exactly.rows(query)
                check(one.total, other.total)
                for pair in zip(one.rows, other.rows, strict=True):
                    check(*pair)
    large.close()
    exactly.close()


@pytest.mark.parametrize("by", [(), ("hour",), ("model",), ("user",)])
def test_the_broken_hour_and_day_at_the_beginning_of_a_period_is_in_its_percentiles(
    url: str, by: tuple[str, ...]
) -> None:
    """By buckets of hours, of days, or of the calls themselves: all that there is lies in that hour."""
    large = PostgresLedger(url, exact=0)
    large.add(
        [call(NOON, latency_ms=5.0), *(call(NOON + timedelta(minutes=20), latency_ms=80.0) for _ in "abc")]
    )
    found = large.rows(Query(by, NOON + timedelta(minutes=10), NOON + timedelta(days=2)))
    large.close()
    for row in (found.total, *found.rows):
        assert row["calls"] == 3
        assert row["p50_latency_ms"] == pytest.approx(80.0, rel=0.04)


def test_percentiles_of_few_calls_out_of_many_are_those_of_the_calls_themselves(url: str) -> None:
    """Of 10, 20, 30 and 60 ms the middle lies between 20 and 30, whatever else the ledger holds."""
    large = PostgresLedger(url, exact=4)
    few = [
        call(latency_ms=latency, user="u1", model=f"m{latency % 20:.0f}")
        for latency in (10.0, 20.0, 30.0, 60.0)
    ]
    large.add([*few, *(call(latency_ms=5000.0, user="u2") for _ in range(20))])
    found = large.rows(Query(("model",), where=filters({"user": "u1"})))
    large.close()
    assert (found.total["calls"], found.total["p50_latency_ms"]) == (4, 25.0)
    assert {row["model"]: row["p50_latency_ms"] for row in found.rows} == {"m0": 40.0, "m10": 20.0}


def test_a_call_whose_cost_was_reckoned_again_is_in_the_percentiles_of_the_status_that_it_has_now(
    url: str,
) -> None:
    """Buckets by day know it by the one that it was recorded with."""
    large = PostgresLedger(url, exact=0)
    first, other = call(latency_ms=100.0, cost=None), call(latency_ms=300.0)
    large.add([first, other, Revision(record_id=first.id, at=NOON, charge=other.charge)])
    (row,) = large.rows(Query(("cost_status",))).rows
    chosen = large.rows(Query(where=filters({"cost_status": "priced"}))).total
    large.close()
    assert (row["cost_status"], row["calls"], chosen["calls"]) == ("priced", 2, 2)
    assert row["p50_latency_ms"] == chosen["p50_latency_ms"] == pytest.approx(100.0, rel=0.04)


def check(found: Row, exact: Row) -> None:
    """Compare a row of a large ledger with the exact one."""
    assert alike({**found, **dict.fromkeys(NAMES.values())}, {**exact, **dict.fromkeys(NAMES.values())})
    if exact["calls"] > 400:
        for name, tolerance in zip(NAMES.values(), (0.04, 0.06, 0.1), strict=True):
            assert found[name] == pytest.approx(exact[name], rel=tolerance), (name, exact)
