"""The ledger in memory keeps the contract."""

import pytest

from outlay.core.keeping import Lost
from outlay.core.ports import Ledger
from outlay.core.query import CallQuery, Query
from outlay.core.record import Loss, Record
from outlay.ledger import MemoryLedger
from outlay.testing import NOON, KeepingContract, LedgerContract, call


class TestMemoryLedger(LedgerContract, KeepingContract):
    """The contract, kept in plain Python."""

    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()


def test_calls_that_other_threads_record_meanwhile_end_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = MemoryLedger()
    ledger.add([call(), call()])
    plain = ledger._revised

    def revised(record: Record) -> Record:
        ledger.add([call()])
        return plain(record)

    monkeypatch.setattr(ledger, "_revised", revised)
    assert ledger.rows(Query()).total["calls"] == 2
    assert len(list(ledger.calls(CallQuery()))) == 4
    assert ledger.info().calls == 8


def test_losses_of_one_reason_are_one() -> None:
    """As every other ledger tells them."""
    ledger = MemoryLedger()
    ledger.add([Loss(at=NOON, count=2, why="full"), Loss(at=NOON, count=3, why="full")])
    assert ledger.info().lost == (Lost("full", 5),)
