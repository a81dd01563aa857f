"""The ledger in memory keeps the contract."""

import pytest

from outlay.core.ports import Ledger
from outlay.ledger import MemoryLedger
from outlay.testing import KeepingContract, LedgerContract


class TestMemoryLedger(LedgerContract, KeepingContract):
    """The contract, kept in plain Python."""

    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()
