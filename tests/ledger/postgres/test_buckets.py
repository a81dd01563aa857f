"""Percentiles out of buckets, beside those of the calls themselves, one by one."""

import random
from collections.abc import Sequence
from math import floor, log

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from outlay.ledger import PostgresLedger
from outlay.ledger.measures import SHARES
from outlay.ledger.postgres.buckets import shares
from outlay.ledger.postgres.dialect import POSTGRES
from outlay.testing import call

BUCKETS = st.dictionaries(st.integers(-177, 400), st.integers(1, 50), min_size=1, max_size=20)


def one_by_one(counted: dict[int, int], share: float) -> float:
    """Give the bucket of the call at a percentile, and how far into it, in steps of a bucket."""
    calls = [
        bucket + (nth + 0.5) / count for bucket, count in sorted(counted.items()) for nth in range(count)
    ]
    return calls[floor(share * (len(calls) - 1))]


def steps(percentiles: Sequence[float]) -> list[float]:
    return [log(each) / log(1.04) for each in percentiles]


@given(st.lists(BUCKETS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_percentile_is_where_it_is_when_all_calls_are_laid_out(
    groups: list[dict[int, int]], chance: random.Random
) -> None:
    """For each group, and for all of them together; the server gives buckets in any order."""
    whole: dict[int, int] = {}
    given_ = []
    for number, counted in enumerate(groups):
        order = list(counted)
        chance.shuffle(order)
        given_.append(((str(number),), order, [counted[bucket] for bucket in order]))
        for bucket, count in counted.items():
            whole[bucket] = whole.get(bucket, 0) + count
    found = shares(given_)
    for labels, counted in (*(((str(n),), each) for n, each in enumerate(groups)), (None, whole)):
        expected = [one_by_one(counted, share) for share in SHARES]
        assert steps(found[labels]) == pytest.approx(expected, abs=1e-6)


def test_no_group_has_no_percentiles() -> None:
    assert shares(()) == {}


def test_the_first_and_the_last_call_are_found_by_index(server: str, ledger: PostgresLedger) -> None:
    """Over the view all calls would be read for every question in a zone of its own."""
    ledger.add([call()])
    with psycopg.connect(server) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(ledger.schema)))
        connection.execute("SET enable_seqscan = off")
        plan = [line for (line,) in connection.execute(f"EXPLAIN {POSTGRES.bounds}".encode())]
    assert sum("Limit" in line for line in plan) == 2
    assert any("Index Only Scan using records_2026_11_at_kind_latency_ms_idx" in line for line in plan), plan
