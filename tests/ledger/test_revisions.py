"""Revisions in the embedded ledger: through journals, over pages, into a ledger of before."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from outlay.core.query import CallQuery, Query
from outlay.core.record import Revision
from outlay.journal import Journal
from outlay.ledger import DuckLedger
from outlay.ledger.migrations import migrations
from outlay.testing import NOON, call
from outlay.testing.revisions import revision


def test_revisions_come_in_through_a_journal(tmp_path: Path) -> None:
    record = call(cost=None, units={"input": 5})
    journal = Journal(tmp_path / "journal")
    journal.append(record)
    journal.append(revision(record, "2"))
    assert journal.flush(10)
    ledger = DuckLedger(tmp_path)
    assert ledger.rows(Query()).total["cost"] == Decimal(2)
    journal.append(revision(record, "3", 2))
    assert journal.flush(10)
    assert ledger.rows(Query()).total["cost"] == Decimal(3)
    info = ledger.info()
    assert (info.calls, info.revisions, info.faults) == (1, 2, 0)
    journal.close()
    ledger.close()


def test_pages_by_cost_follow_the_newest_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DuckLedger, "page_size", 2)
    ledger = DuckLedger(tmp_path)
    records = [call(NOON + timedelta(seconds=n), cost=str(n)) for n in range(7)]
    # The order is turned round: 0 costs 100, 1 costs 99, …
    ledger.add([*records, *(revision(each, str(100 - n)) for n, each in enumerate(records))])
    found = list(ledger.calls(CallQuery(order="cost", limit=None)))
    assert [each.cost for each in found] == [Decimal(100 - n) for n in range(7)]
    assert [each.id for each in found] == [each.id for each in records]
    assert [each.id for each in ledger.calls(CallQuery(limit=None))] == [e.id for e in reversed(records)]
    ledger.close()


def test_a_faulty_revision_is_reported_and_the_others_count(tmp_path: Path) -> None:
    record = call(cost="1")
    journal = Journal(tmp_path / "journal")
    journal.append(record)
    journal.append(revision(record, "2"))
    assert journal.flush(10)
    journal.close()
    (segment,) = (tmp_path / "journal").glob("*.jsonl")
    bad = f'{{"schema":1,"revision":"{record.id}","at":"2026-11-22T15:00:00Z","cost":"5"}}\n'
    segment.write_text(segment.read_text() + bad)
    ledger = DuckLedger(tmp_path)
    assert ledger.rows(Query()).total["cost"] == Decimal(2)
    assert ledger.info().faults == 1
    ledger.close()


def test_a_ledger_of_before_gets_the_table(tmp_path: Path) -> None:
    (first, text) = migrations("duckdb")[0]
    assert first == 1
    with duckdb.connect(str(tmp_path / "ledger.duckdb")) as old:
        old.execute('CREATE TABLE outlay_schema ("version" INTEGER NOT NULL)')
        old.execute(text)
        old.execute("INSERT INTO outlay_schema VALUES (1)")
    ledger = DuckLedger(tmp_path)
    record = call(cost="1")
    ledger.add([record, revision(record, "2")])
    assert isinstance(ledger.revisions(record.id)[1], Revision)
    ledger.close()
