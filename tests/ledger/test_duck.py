"""The embedded ledger keeps the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outlay.core.ports import Ledger
from outlay.ledger import DuckLedger
from outlay.testing import KeepingContract, LedgerContract, SelectingContract


class TestDuckLedger(LedgerContract, KeepingContract, SelectingContract):
    """The contract, kept by DuckDB."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        ledger = DuckLedger(tmp_path)
        yield ledger
        ledger.close()
