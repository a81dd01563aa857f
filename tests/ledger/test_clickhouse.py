"""The ledger on ClickHouse keeps the contract; the real engine runs in this process."""

from collections.abc import Iterator

import pytest
from tests.support.chdb import a_database

from outlay.core.ports import Ledger
from outlay.ledger.clickhouse import ClickHouseLedger
from outlay.testing import KeepingContract, LedgerContract, SelectingContract


class TestClickHouseLedger(LedgerContract, KeepingContract, SelectingContract):
    """The contract, kept by ClickHouse."""

    @pytest.fixture
    def ledger(self) -> Iterator[Ledger]:
        with a_database() as place:
            ledger = ClickHouseLedger(place)
            yield ledger
            ledger.close()
