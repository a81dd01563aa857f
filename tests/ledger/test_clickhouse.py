"""The ledger on ClickHouse keeps the contract; the real engine runs in this process."""

from collections.abc import Iterator

import pytest
from tests.support.chdb import a_database

from outlay.core.ports import Ledger
from outlay.core.query import Query
from outlay.journal import line_of
from outlay.ledger.clickhouse import ClickHouseLedger
from outlay.testing import KeepingContract, LedgerContract, SelectingContract, call


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
