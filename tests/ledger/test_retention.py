"""Keeping house in the embedded ledger: what a prune leaves, what is removed when, and what verify finds."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from outlay.core.cost import Cost, Price
from outlay.core.errors import LedgerError
from outlay.core.ids import uuid7
from outlay.core.keeping import Disagreement
from outlay.core.query import Query
from outlay.core.record import Loss, Record, Score
from outlay.journal import Journal, line_of, segments
from outlay.ledger import DuckLedger
from outlay.testing import NOON, FixedClock, call
from outlay.testing.revisions import revision

DAY = timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DuckLedger]:
    ledger = DuckLedger(tmp_path)
    yield ledger
    ledger.close()


def journalled(ledger: DuckLedger, *days: int) -> list[Record]:
    """Write one call for each day before noon, each in a segment of its day, last written then."""
    found = []
    for day in days:
        at = NOON - day * DAY
        journal = Journal(ledger.journals, clock=FixedClock(at))
        found.append(call(at, user=f"d{day}"))
        journal.append(found[-1])
        assert journal.flush(10)
        journal.close()
        (newest,) = (each.path for each in segments(ledger.journals) if each.name.startswith(f"{at:%Y%m%d}"))
        os.utime(newest, (at.timestamp(), at.timestamp()))
    return found


def tamper(ledger: DuckLedger, sql: str) -> None:
    """Change the ledger's file behind its back."""
    with duckdb.connect(str(ledger.folder / "ledger.duckdb")) as other:
        other.execute(sql)


def test_a_prune_removes_the_segments_that_it_made_needless(ledger: DuckLedger) -> None:
    """Those written before the horizon and wholly taken in; a torn one is a fault and taken in as well."""
    journalled(ledger, 9, 8, 2)
    assert len(segments(ledger.journals)) == 3
    assert ledger.prune(NOON - 5 * DAY).calls == 2
    assert [each.name[:8] for each in segments(ledger.journals)] == ["20261120"]
    assert ledger.rows(Query()).total["calls"] == 3
    assert ledger.verify() == ()


def test_a_segment_that_is_still_written_is_not_removed(ledger: DuckLedger) -> None:
    journal = Journal(ledger.journals)
    journal.append(call(NOON - 9 * DAY))
    assert journal.flush(10)
    for each in segments(ledger.journals):
        os.utime(each.path, (0, 0))
    ledger.prune(NOON)
    assert len(segments(ledger.journals)) == 1
    journal.append(call(NOON + DAY))
    journal.close()
    assert ledger.rows(Query()).total["calls"] == 2
    ledger.prune(NOON + timedelta(hours=12))
    assert ledger.rows(Query()).total["calls"] == 2


def test_a_segment_out_of_a_backup_counts_nothing_twice(ledger: DuckLedger) -> None:
    """It was removed, and comes back: pruned calls are late, the others known."""
    journalled(ledger, 9, 2)
    kept = {each.name: each.path.read_bytes() for each in segments(ledger.journals)}
    ledger.prune(NOON - 5 * DAY)
    for name, content in kept.items():
        (ledger.journals / name).write_bytes(content)
    assert ledger.rows(Query()).total["calls"] == 2
    assert (ledger.info().late, ledger.info().conflicts) == (1, 0)
    assert ledger.verify() == ()


PRUNE = """
import os, sys
from datetime import datetime
from pathlib import Path
from outlay.journal import removal
from outlay.ledger import DuckLedger, duck, retention
spot, folder, before = sys.argv[1], Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
def die(*args, **kwargs):
    os.kill(os.getpid(), 9)
if spot == "before the commit":
    retention._move = lambda engine, until: (engine.run("BEGIN"), engine.run('DELETE FROM calls'), die())
elif spot == "after the commit":
    duck.remove_taken = die
elif spot == "within the removal":
    unlink = Path.unlink
    removal.sync_folder = die
elif spot == "after the removal":
    remove = duck.remove_taken
    duck.remove_taken = lambda *args: (remove(*args), die())
DuckLedger(folder).prune(before)
"""


@pytest.mark.parametrize(
    "spot", ["before the commit", "after the commit", "within the removal", "after the removal", "never"]
)
def test_a_prune_that_is_killed_anywhere_changes_no_total(ledger: DuckLedger, spot: str) -> None:
    """And the next one ends what it began."""
    journalled(ledger, 9, 8, 2, 1)
    before = NOON - 5 * DAY
    command = [sys.executable, "-c", PRUNE, spot, str(ledger.folder), before.isoformat()]
    done = subprocess.run(command, check=False)
    assert done.returncode == (0 if spot == "never" else -9)
    assert ledger.rows(Query()).total["calls"] == 4
    assert ledger.verify() == ()
    ledger.prune(before)
    assert len(segments(ledger.journals)) == 2
    assert ledger.rows(Query()).total["calls"] == 4
    assert (ledger.verify(), ledger.info().late, ledger.info().pruned_calls) == ((), 0, 2)


def test_compacting_gives_room_back_and_keeps_all(ledger: DuckLedger) -> None:
    """Rows, judgements and costs in their order, faults and offsets."""
    records = [call(NOON - n % 9 * DAY, session=str(n), prompt=f"{n}" * 50) for n in range(30_000)]
    ledger.add(records)
    for rating in (1.0, 2.0):
        ledger.add([Score(record_id=records[0].id, at=NOON, user_rating=rating)])
        ledger.add([revision(records[0], str(rating))])
    (ledger.journals).mkdir(exist_ok=True)
    (ledger.journals / "a.jsonl").write_bytes(b"{broken\n")
    ledger.prune(NOON - 2 * DAY)
    done = ledger.compact()
    assert done.before is not None
    assert done.after is not None
    assert done.after < done.before * 0.7
    assert ledger.rows(Query()).total["calls"] == 30_000
    found = ledger.get(records[0].id)
    assert found is not None
    assert (found.user_rating, found.cost) == (2.0, Decimal(2))
    assert (ledger.info().faults, ledger.info().pending_bytes) == (1, 0)
    assert sorted(path.name for path in ledger.folder.glob("ledger.duckdb*")) == ["ledger.duckdb"]
    assert ledger.verify() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix thing")
@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_compacting_keeps_a_ledger_as_open_as_its_owner_has_made_it(ledger: DuckLedger, mode: int) -> None:
    ledger.add([call()])
    file = ledger.folder / "ledger.duckdb"
    file.chmod(mode)
    ledger.compact()
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_compacting_a_ledger_that_a_link_leads_to_leaves_it_where_it_is(
    ledger: DuckLedger, tmp_path: Path
) -> None:
    """On another disk, say, as the home's is too small for it."""
    ledger.add([call()])
    ledger.close()
    file, other = ledger.folder / "ledger.duckdb", tmp_path / "large" / "calls.duckdb"
    other.parent.mkdir()
    file.rename(other)
    file.symlink_to(other)
    before = other.stat().st_ino
    ledger.compact()
    assert file.is_symlink()
    assert other.stat().st_ino != before
    assert list(other.parent.iterdir()) == [other]
    assert ledger.rows(Query()).total["calls"] == 1


def test_compacting_that_fails_leaves_the_ledger_as_it_was(ledger: DuckLedger) -> None:
    """And nothing beside it: that may be what fills the disk."""
    ledger.add([call()])
    tamper(ledger, "CREATE TABLE mine (x INTEGER)")
    with pytest.raises(LedgerError, match="tables that outlay did not make: mine"):
        ledger.compact()
    assert not list(ledger.folder.glob("*.new*"))
    assert ledger.rows(Query()).total["calls"] == 1


def test_compacting_writes_over_what_a_killed_attempt_left_behind(ledger: DuckLedger) -> None:
    """A whole copy, say, killed before it took the ledger's place: its rows count no second time."""
    ledger.add([call(), call()])
    ledger.close()
    file = ledger.folder / "ledger.duckdb"
    shutil.copy(file, file.with_name("ledger.duckdb.new"))
    ledger.compact()
    assert ledger.rows(Query()).total["calls"] == 2
    assert ledger.verify() == ()


def test_a_copy_that_does_not_reach_the_disk_takes_no_ledgers_place(
    ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.add([call()])
    file = ledger.folder / "ledger.duckdb"
    before = file.stat().st_ino

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((LedgerError, OSError)):
        ledger.compact()
    monkeypatch.undo()
    assert file.stat().st_ino == before
    assert ledger.rows(Query()).total["calls"] == 1


def test_a_prune_keeps_no_judgement_of_a_call_that_it_takes(ledger: DuckLedger) -> None:
    """Those of a call that stays are kept."""
    old, kept = call(NOON - 9 * DAY), call(NOON)
    ledger.add([old, kept, *(Score(record_id=each.id, at=NOON, correct=True) for each in (old, kept))])
    ledger.prune(NOON - 5 * DAY)
    ledger.close()
    with duckdb.connect(str(ledger.folder / "ledger.duckdb"), read_only=True) as file:
        assert [str(name) for (name,) in file.execute("SELECT record_id FROM scores").fetchall()] == [kept.id]


def test_verify_says_where_things_do_not_agree(ledger: DuckLedger) -> None:
    """A call that is missing, one that is changed, a fault that is not told, totals of a day that are off."""
    old, new, newest = journalled(ledger, 9, 2, 1)
    names = {each.name[:8]: each.name for each in segments(ledger.journals)}
    (ledger.journals / "b.jsonl").write_bytes(b"\n{broken\n")
    (ledger.journals / "c.jsonl").write_bytes(b'{"at": "2026-11-20T12:00:00Z"}\n')  # JSON, and no entry
    assert ledger.verify() == ()
    assert [(each.segment, each.offset) for each in ledger.info().faulty] == [("b.jsonl", 1), ("c.jsonl", 0)]
    ledger.prune(NOON - 5 * DAY)
    tamper(ledger, f"DELETE FROM calls WHERE id = '{new.id}'")  # noqa: S608  # an id
    tamper(ledger, f"UPDATE calls SET cost = cost + 1 WHERE id = '{newest.id}'")  # noqa: S608  # an id
    tamper(ledger, "DELETE FROM faults")
    tamper(ledger, "UPDATE rollups SET calls = 7")
    day = f"{old.at:%Y-%m-%d}"
    cost = "0.100000000000000000"
    unlike = "calls as the journal has them, or set aside"
    assert set(ledger.verify()) == {
        Disagreement(names["20261120"], "calls of the journal", "1", "0"),
        Disagreement(names["20261121"], unlike, "1", "0"),
        Disagreement("b.jsonl", "faulty lines", "1", "0"),
        Disagreement("c.jsonl", "faulty lines", "1", "0"),
        Disagreement(f"{day} USD", "daily totals", f"1 calls, {cost}", f"7 calls, {cost}"),
    }


def test_verify_sees_a_cost_that_a_price_book_made_and_that_is_another_now(ledger: DuckLedger) -> None:
    """A copy priced by another book is the same call; a ledger with another cost is not what was recorded."""
    charge = Cost(Decimal(1), "priced", price=Price("list", NOON, "1"))
    record = replace(call(NOON), charge=charge)
    journal = Journal(ledger.journals)
    journal.append(record)
    journal.close()
    assert ledger.verify() == ()
    tamper(ledger, "UPDATE calls SET cost = cost + 1")
    unlike = "calls as the journal has them, or set aside"
    assert [(each.what, each.expected, each.found) for each in ledger.verify()] == [(unlike, "1", "0")]


def test_verify_sees_a_doubled_call_a_cut_journal_and_totals_that_lack_calls(ledger: DuckLedger) -> None:
    journal = Journal(ledger.journals)
    for entry in (call(NOON - 9 * DAY), call(NOON), Loss(at=NOON, count=3, why="full")):
        journal.append(entry)
    journal.close()
    ledger.prune(NOON - 5 * DAY)
    (segment,) = segments(ledger.journals)
    tamper(ledger, "INSERT INTO calls SELECT * FROM calls")
    tamper(ledger, "DELETE FROM rollups")
    tamper(ledger, "DELETE FROM losses")
    tamper(ledger, "INSERT INTO calls SELECT * REPLACE (TIMESTAMP '2026-11-01' AS \"at\") FROM calls LIMIT 1")
    found = {(each.where, each.what) for each in ledger.verify()}
    day = f"{NOON - 9 * DAY:%Y-%m-%d}"
    assert found == {
        ("calls", "ids, each once"),
        ("calls", "calls of days that were pruned"),
        (f"{day} USD", "daily totals"),
        (day, "pruned calls that journals still tell of"),
        (segment.name, "losses of the journal"),
        (segment.name, "calls as the journal has them, or set aside"),
    }
    segment.path.write_bytes(segment.path.read_bytes()[:-200])
    assert (segment.name, "bytes taken in") in {(each.where, each.what) for each in ledger.verify()}


def test_a_copy_that_judges_the_same_call_is_no_disagreement(ledger: DuckLedger) -> None:
    record = call()
    ledger.journals.mkdir(parents=True)
    judged = replace(record, quality_score=0.5)
    (ledger.journals / "a.jsonl").write_bytes(line_of(record) + line_of(judged))
    assert ledger.rows(Query()).total["calls"] == 1
    assert ledger.verify() == ()


@pytest.mark.parametrize(
    "name", ["11111111-1111-4111-8111-111111111111", uuid7(NOON + DAY)], ids=["of no time", "of a later day"]
)
def test_what_is_said_of_a_pruned_call_is_not_missing_whatever_its_id_tells(
    ledger: DuckLedger, name: str
) -> None:
    """It went with its call; what is said of a call that is here is looked for as before."""
    old, kept = call(NOON - 9 * DAY, id=name), call(NOON)
    journal = Journal(ledger.journals)
    for each in (old, kept):
        journal.append(Score(record_id=each.id, at=NOON, correct=True))
        journal.append(revision(each, "5"))
        journal.append(each)
    assert journal.flush(10)
    journal.close()
    assert ledger.verify() == ()
    ledger.prune(NOON - 7 * DAY)
    assert ledger.verify() == ()
    tamper(ledger, "DELETE FROM scores; DELETE FROM revisions")
    assert [(each.what, each.expected, each.found) for each in ledger.verify()] == [
        ("scores of the journal", "1", "0"),
        ("revisions of the journal", "1", "0"),
    ]


def test_a_prune_of_days_without_a_known_cost_tells_none(ledger: DuckLedger) -> None:
    ledger.add([call(NOON - 9 * DAY, cost=None), call(NOON - 8 * DAY, cost="0.50"), call(NOON)])
    assert ledger.prune(NOON - 9 * DAY + DAY, dry_run=True).costs == {}
    assert ledger.prune(NOON - DAY).costs == {"USD": Decimal("0.50")}


def test_a_ledger_of_the_first_form_is_migrated_with_what_it_holds(tmp_path: Path) -> None:
    """From each numbered step on."""
    from outlay.ledger.migrations import migrations  # noqa: PLC0415  # only here

    steps = migrations("duckdb")
    for have in range(1, len(steps)):
        folder = tmp_path / str(have)
        folder.mkdir()
        with duckdb.connect(str(folder / "ledger.duckdb")) as old:
            old.execute("CREATE TABLE outlay_schema (version INTEGER NOT NULL)")
            for version, text in steps[:have]:
                old.execute(text)
                old.execute("INSERT INTO outlay_schema VALUES (?)", [version])
            old.execute(
                f"""INSERT INTO calls (id, "at", provider, operation, status, input_tokens, cached_tokens,
                cache_write_tokens, output_tokens, reasoning_tokens, currency, cost_status, cost)
                VALUES ('{uuid7(NOON)}', TIMESTAMP '2026-11-22 12:00:00', 'openai', 'chat', 'success',
                1, 0, 0, 1, 0, 'USD', 'priced', 0.5)"""  # noqa: S608  # an id
            )
        ledger = DuckLedger(folder)
        done = ledger.migrate()
        assert (done.before, done.after) == (have, steps[-1][0])
        assert ledger.rows(Query()).total["calls"] == 1
        assert ledger.prune(datetime(2026, 11, 24, tzinfo=UTC)).calls == 1
        assert ledger.verify() == ()
        ledger.close()
