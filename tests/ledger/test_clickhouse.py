"""The ledger on ClickHouse keeps the contract; the real engine runs in this process."""

from collections.abc import Iterator

import orjson
import pytest
from tests.support.chdb import a_database

from outlay.core.ports import Ledger
from outlay.core.query import Query
from outlay.journal import line_of
from outlay.ledger.clickhouse import ClickHouseLedger
from outlay.testing import KeepingContract, LedgerContract, SelectingContract, call, calls


class TestClickHouseLedger(LedgerContract, KeepingContract, SelectingContract):
    """The contract, kept by ClickHouse."""

    @pytest.fixture
    def ledger(self) -> Iterator[Ledger]:
        with a_database() as place:
            ledger = ClickHouseLedger(place)
            yield ledger
            ledger.close()


def test_lines_are_kept_as_their_entries_would_be_and_each_once() -> None:
    with a_database() as place:
        ledger = ClickHouseLedger(place)
        lines = [line_of(call(cost="0.25")), line_of(call(cost="0.5"))]
        assert (ledger.add_lines(lines), ledger.add_lines(lines[::-1])) == (2, 0)
        total = ledger.rows(Query()).total
        assert (total["calls"], str(total["cost"])) == (2, "0.75")
        ledger.close()


def test_a_line_that_begins_unusually_is_kept_as_any_other() -> None:
    one, other, usual = call(cost="0.25"), call(cost="0.5"), call(cost="1")
    capital = line_of(one).replace(one.id.encode(), one.id.upper().encode())
    sorted_anew = orjson.dumps(orjson.loads(line_of(other)), option=orjson.OPT_SORT_KEYS)
    with a_database() as place:
        ledger = ClickHouseLedger(place)
        lines = [capital, sorted_anew + b"\n", line_of(usual)]
        assert (ledger.add_lines(lines), ledger.add_lines(lines)) == (3, 0)
        assert {each.id: str(each.cost) for each in calls(ledger)} == {
            one.id: "0.25",
            other.id: "0.5",
            usual.id: "1",
        }
        ledger.close()
