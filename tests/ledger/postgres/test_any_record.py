"""Whatever a record holds comes back equal, and PostgreSQL answers every question as plain Python does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.any_record import AT, ZONES, check_answers, check_equal, many
from tests.support.postgres import empty

from outlay.core.query import DIMENSIONS, Query, Row
from outlay.core.record import Record
from outlay.ledger import MemoryLedger, PostgresLedger
from outlay.testing import call

DIMENSION = st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True)


@settings(max_examples=15, deadline=None)
@given(many)
def test_any_record_comes_back_equal(server: str, given_records: list[Record]) -> None:
    with empty(server) as url:
        ledger = PostgresLedger(url)
        check_equal(ledger, given_records)
        ledger.close()


@settings(max_examples=15, deadline=None)
@given(many, DIMENSION, ZONES, st.data())
def test_postgresql_answers_as_plain_python_does(
    server: str, given_records: list[Record], by: list[str], tz: str, data: st.DataObject
) -> None:
    with empty(server) as url:
        ledger = PostgresLedger(url)
        check_answers(ledger, given_records, by, tz, data)
        ledger.close()


@settings(max_examples=25, deadline=None)
@given(many, DIMENSION, ZONES, st.none() | AT, st.none() | AT)
def test_rollups_answer_as_plain_python_does(  # a question and the calls it is about
    server: str, given_records: list[Record], by: list[str], tz: str, since: Any, until: Any
) -> None:
    """All but percentiles, which are read from buckets and looked at apart."""
    oracle = MemoryLedger()
    oracle.add(given_records)
    query = Query(tuple(by), since, until, (), tz)
    expected = oracle.rows(query)
    with empty(server) as url:
        ledger = PostgresLedger(url, exact=0)
        ledger.add(given_records)
        found = ledger.rows(query)
        ledger.close()
    assert told(found.total) == told(expected.total)
    assert [told(row) for row in found.rows] == [told(row) for row in expected.rows]


@pytest.mark.parametrize("minute", [0, 10])
@pytest.mark.parametrize("by", [(), ("day",), ("hour",), ("model",)])
def test_the_last_hour_of_the_calendar_can_be_asked_for(
    server: str, by: tuple[str, ...], minute: int
) -> None:
    last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    oracle, entries = MemoryLedger(), [call(last), call(last - timedelta(hours=3))]
    oracle.add(entries)
    query = Query(by, since=last.replace(minute=minute))
    with empty(server) as url:
        ledger = PostgresLedger(url, exact=0)
        ledger.add(entries)
        found = ledger.rows(query)
        ledger.close()
    assert found.total["calls"] == 1
    assert [told(row) for row in found.rows] == [told(row) for row in oracle.rows(query).rows]


def told(row: Row) -> Row:
    """Give what is exact of a row, means to nine digits."""
    named = {name: value for name, value in row.items() if not name.startswith("p")}
    mean = named["avg_latency_ms"]
    return {**named, "avg_latency_ms": mean if not mean else pytest.approx(mean, rel=1e-9)}
