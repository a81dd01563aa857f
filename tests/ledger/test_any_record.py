"""Whatever a record holds comes back equal, and every engine answers as plain Python does."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.any_record import ZONES, check_answers, check_equal, many
from tests.support.chdb import an_empty_ledger

from outlay.core.ports import Ledger
from outlay.core.query import DIMENSIONS, Query
from outlay.core.record import Record
from outlay.ledger import DuckLedger, MemoryLedger


@contextmanager
def _duckdb() -> Iterator[Ledger]:
    with TemporaryDirectory() as folder:
        ledger = DuckLedger(Path(folder))
        yield ledger
        ledger.close()


Empty = Callable[[], AbstractContextManager[Ledger]]
every_engine = pytest.mark.parametrize(
    "empty", [pytest.param(_duckdb, id="duckdb"), pytest.param(an_empty_ledger, id="clickhouse")]
)


@every_engine
@settings(max_examples=15, deadline=None)
@given(given_records=many)
def test_any_record_comes_back_equal(empty: Empty, given_records: list[Record]) -> None:
    with empty() as ledger:
        check_equal(ledger, given_records)


@every_engine
@settings(max_examples=15, deadline=None)
@given(
    given_records=many,
    by=st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True),
    tz=ZONES,
    data=st.data(),
)
def test_every_engine_answers_as_plain_python_does(
    empty: Empty, given_records: list[Record], by: list[str], tz: str, data: st.DataObject
) -> None:
    with empty() as ledger:
        check_answers(ledger, given_records, by, tz, data)


@settings(max_examples=15, deadline=None)
@given(many, st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=3, unique=True), ZONES)
def test_rows_add_up_to_the_total(given_records: list[Record], by: list[str], tz: str) -> None:
    ledger = MemoryLedger()
    ledger.add(given_records)
    answer = ledger.rows(Query(tuple(by), tz=tz))
    for metric in ("calls", "errors", "unpriced_calls", "input_tokens", "output_tokens", "total_tokens"):
        assert sum(row[metric] for row in answer.rows) == answer.total[metric]
    by_currency: dict[str, Decimal] = {}
    for record in given_records:
        if record.cost is not None:
            by_currency[record.currency] = by_currency.get(record.currency, Decimal(0)) + record.cost
    summed: dict[str, Decimal] = {}
    for row in answer.rows:
        sums = row.get("costs", {} if row["cost"] is None else {"USD": row["cost"]})
        for currency, amount in sums.items():
            summed[currency] = summed.get(currency, Decimal(0)) + amount
    assert summed == by_currency
