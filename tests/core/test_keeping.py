"""What a ledger keeps, told as JSON."""

from datetime import UTC, datetime
from decimal import Decimal

from outlay.core.keeping import FaultyLine, LedgerInfo, Lost, Settled


def test_an_empty_ledger_tells_what_it_can() -> None:
    assert LedgerInfo(ledger="memory:", schema=3, calls=0, first=None, last=None).to_dict() == {
        "ledger": "memory:",
        "schema": 3,
        "recorded": 0,
        "first": None,
        "last": None,
        "revisions": 0,
        "conflicts": 0,
        "lost": [],
        "fault_count": 0,
        "faults": [],
        "pruned_before": None,
        "pruned_calls": 0,
        "late": 0,
    }


def test_a_full_one_tells_all() -> None:
    info = LedgerInfo(
        ledger="ledger.duckdb",
        schema=3,
        calls=7,
        first=datetime(2026, 11, 1, tzinfo=UTC),
        last=datetime(2026, 11, 2, 3, 4, 5, 6, tzinfo=UTC),
        lost=(Lost("the disk was full", 2),),
        faults=1,
        faulty=(FaultyLine("a.jsonl", 120, "not a record"),),
        pruned_before=datetime(2026, 10, 1, tzinfo=UTC),
        pending_bytes=0,
        size_bytes=4096,
    )
    told = info.to_dict()
    assert (told["first"], told["last"]) == ("2026-11-01T00:00:00.000000Z", "2026-11-02T03:04:05.000006Z")
    assert told["lost"] == [{"count": 2, "why": "the disk was full"}]
    assert told["faults"] == [{"segment": "a.jsonl", "offset": 120, "reason": "not a record"}]
    assert told["pruned_before"] == "2026-10-01T00:00:00.000000Z"
    assert (told["pending_bytes"], told["size_bytes"]) == (0, 4096)
    assert "journal_bytes" not in told


def test_parts_of_a_settlement_add_up_by_currency() -> None:
    one = Settled(calls=3, counted=True, rollups=2, costs={"USD": Decimal("0.25")}, dry_run=True)
    other = Settled(calls=1, counted=True, costs={"USD": Decimal("0.5"), "EUR": Decimal(1)}, dry_run=True)
    assert one + other == Settled(
        calls=4,
        counted=True,
        rollups=2,
        costs={"USD": Decimal("0.75"), "EUR": Decimal(1)},
        dry_run=True,
    )
