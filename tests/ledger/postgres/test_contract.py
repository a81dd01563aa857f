"""The ledger in PostgreSQL keeps the contract."""

from collections.abc import Iterator

import pytest

from outlay.core.ports import Ledger
from outlay.ledger import PostgresLedger
from outlay.testing import KeepingContract, LedgerContract, SelectingContract


class TestPostgresLedger(LedgerContract, KeepingContract, SelectingContract):
    """The contract, kept by PostgreSQL."""

    @pytest.fixture
    def ledger(self, url: str) -> Iterator[Ledger]:
        ledger = PostgresLedger(url)
        yield ledger
        ledger.close()
