"""The DuckDB file: built by numbered steps, let go of after each question, refused when it is not ours."""

import _thread
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import filelock
import pytest

from outlay.core.errors import LedgerBusyError, LedgerError, LedgerSchemaError
from outlay.core.query import Query
from outlay.journal import Journal
from outlay.ledger import DuckLedger
from outlay.ledger.engine import Engine, told_plainly
from outlay.ledger.migrations import migrations
from outlay.ledger.native import heard, interruptible
from outlay.ledger.reach import edge
from outlay.testing import call


def test_steps_are_numbered_without_gaps() -> None:
    steps = migrations("duckdb")
    assert [number for number, _ in steps] == list(range(1, len(steps) + 1))


def test_ctrl_c_is_told_to_the_engine_that_works_on() -> None:
    told = threading.Event()
    connection = cast("duckdb.DuckDBPyConnection", SimpleNamespace(interrupt=told.set))

    def work() -> None:
        time.sleep(0.3)  # so that it is waited for again
        _thread.interrupt_main()
        assert told.wait(30)

    with pytest.raises(KeyboardInterrupt):
        heard(connection, work)
    assert told.is_set()


class Interrupted:
    """A connection at which Ctrl-C comes just as a transaction is to end."""

    def __init__(self, memory: duckdb.DuckDBPyConnection) -> None:
        self._memory = memory

    def execute(self, text: str, *given: object) -> duckdb.DuckDBPyConnection:
        if text == "COMMIT":
            raise KeyboardInterrupt
        return self._memory.execute(text, *given)


def test_an_interruption_as_a_transaction_ends_leaves_none_open(tmp_path: Path) -> None:
    """What tidies up behind it had failed in it, which was told in place of the interruption."""
    engine = Engine(tmp_path)
    memory = engine._memory
    engine.run("CREATE TEMP TABLE kept (n INTEGER)")
    engine._memory = cast("duckdb.DuckDBPyConnection", Interrupted(memory))
    with pytest.raises(KeyboardInterrupt), engine.transaction():
        engine.run("INSERT INTO temp.kept VALUES (1)")
    engine._memory = memory
    with engine.transaction():
        assert engine.all("SELECT count(*) FROM temp.kept") == [(0,)]
    engine.close()


class InterruptedBehind:
    """A connection at which Ctrl-C comes once, just as a statement is done."""

    def __init__(self, memory: duckdb.DuckDBPyConnection, statement: str) -> None:
        self._memory = memory
        self._left = [statement]

    def execute(self, text: str, *given: object) -> duckdb.DuckDBPyConnection:
        done = self._memory.execute(text, *given)
        if self._left and text.startswith(self._left[0]):
            self._left.clear()
            raise KeyboardInterrupt
        return done


@pytest.mark.parametrize("statement", ["ATTACH", "USE ledger", "BEGIN", "DROP", "USE memory", "DETACH"])
def test_an_interruption_leaves_a_ledger_that_answers_here_and_elsewhere(
    tmp_path: Path, statement: str
) -> None:
    """In a notebook each cell behind an interrupted one had failed: the file was attached already."""
    with closing(DuckLedger(tmp_path)) as ledger, closing(DuckLedger(tmp_path)) as other:
        ledger.add([call()])
        engine = ledger._loaded()
        memory = engine._memory
        engine._memory = cast("duckdb.DuckDBPyConnection", InterruptedBehind(memory, statement))
        with pytest.raises(KeyboardInterrupt):
            ledger.add([call()])
        engine._memory = memory
        assert other.info().calls in {1, 2}
        assert ledger.info().calls == ledger.rows(Query()).total["calls"]
        assert ledger.add([call()]) == 1


def test_a_commit_that_fails_is_told_as_itself(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    with pytest.raises(duckdb.Error, match="no transaction is active"), engine.transaction():
        engine.run("COMMIT")  # so that there is none to end
    engine.close()


def test_between_questions_the_file_is_free(tmp_path: Path) -> None:
    ledger = DuckLedger(tmp_path)
    ledger.add([call()])
    with duckdb.connect(str(tmp_path / "ledger.duckdb")) as other:
        assert other.execute("SELECT count(*) FROM calls").fetchall() == [(1,)]
    assert not (tmp_path / "ledger.duckdb.wal").exists()
    assert ledger.rows(Query()).total["calls"] == 1
    ledger.close()


def test_a_file_of_a_newer_outlay_is_refused(tmp_path: Path) -> None:
    DuckLedger(tmp_path).add([call()])
    with duckdb.connect(str(tmp_path / "ledger.duckdb")) as other:
        other.execute("INSERT INTO outlay_schema VALUES (999)")
    with pytest.raises(LedgerSchemaError, match=r"newer outlay .schema 999.*upgrade"):
        DuckLedger(tmp_path).rows(Query())


def test_a_file_that_is_no_ledger_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.duckdb").write_text("hello")
    with pytest.raises(LedgerError, match=r"ledger\.duckdb") as error:
        DuckLedger(tmp_path).rows(Query())
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match="cannot use the ledger"):
        DuckLedger(tmp_path / "file" / "home").rows(Query())


def test_the_first_so_many_rows_are_those_with_the_least_rowids(tmp_path: Path) -> None:
    """Seals count so; in row groups that several threads read, and where rows were deleted."""
    engine = Engine(tmp_path)
    with closing(engine):
        assert engine.all("SELECT current_setting('preserve_insertion_order')") == [(True,)]
        engine.run("SET threads = 4")
        engine.run("CREATE TABLE calls AS SELECT range AS n FROM range(400_000)")
        engine.run("DELETE FROM calls WHERE n % 97 = 3")
        rowids = [rowid for (rowid,) in engine.all("SELECT rowid FROM calls ORDER BY rowid")]
        wanted = range(100, 390_000, 6_500)
        assert [edge(engine, first) for first in wanted] == [rowids[first] for first in wanted]


def test_a_ledger_that_was_copied_has_a_place_for_what_memory_does_not_hold(tmp_path: Path) -> None:
    """Of twelve megabytes, in eight."""
    with closing(Engine(tmp_path)) as engine, engine.attached():
        engine.run("SET memory_limit = '8MB'")
        engine.run("CREATE TEMP TABLE batch AS SELECT hash(i) AS h FROM range(1_500_000) AS numbers(i)")
        assert engine.all("SELECT count(h) FROM temp.batch") == [(1_500_000,)]


def test_who_waits_too_long_is_told(tmp_path: Path) -> None:
    """An ingest of somebody else holds the lock."""
    ledger = DuckLedger(tmp_path, patience=0.05)
    ledger.add([call()])
    hold = (
        "import sys, filelock\n"
        "with filelock.FileLock(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", hold, str(tmp_path / "ledger.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LedgerBusyError, match=r"0\.05 seconds; ask again"):
            ledger.rows(Query())
        other.stdin.close()
    assert ledger.rows(Query()).total["calls"] == 1


def test_another_program_that_has_the_file_open_is_named_as_the_reason(tmp_path: Path) -> None:
    DuckLedger(tmp_path).add([call()])
    hold = (
        "import sys, duckdb\nc = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", hold, str(tmp_path / "ledger.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LedgerBusyError, match="another program has"):
            DuckLedger(tmp_path).rows(Query())
        other.stdin.close()


def test_the_locks_are_free_after_an_error(tmp_path: Path) -> None:
    ledger = DuckLedger(tmp_path)
    with pytest.raises(LedgerError):
        ledger.add([call(id="no uuid")])
    for name in ("ledger.lock", "ledger.queue"):
        with filelock.FileLock(tmp_path / name, timeout=0):
            pass
    ledger.close()


def test_a_folder_whose_name_the_locale_cannot_write_is_refused(tmp_path: Path) -> None:
    """As Python reads umlauts where the locale is ASCII; DuckDB would speak of a bad cast."""
    with pytest.raises(LedgerError, match="has no name in UTF-8 in this locale; set PYTHONUTF8=1"):
        Engine(tmp_path / "b\udcfccher")


def test_an_interrupt_is_an_interrupt_and_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    """DuckDB ends the statement, and tells it by an error of its own."""
    script = (
        "import os, signal, sys, threading\n"
        "from pathlib import Path\n"
        "from outlay.ledger.engine import Engine\n"
        "engine = Engine(Path(sys.argv[1]))\n"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    with engine.attached(), engine.transaction():\n"
        "        engine.run('DELETE FROM calls')\n"
        "        while True:\n"
        "            engine.all('SELECT sum(range) FROM range(3000000)')\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    DuckLedger(tmp_path).add([call()])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "interrupted\n"
    assert DuckLedger(tmp_path).rows(Query()).total["calls"] == 1


def test_ctrl_c_while_duckdb_loads_comes_when_it_is_loaded() -> None:
    """It makes enumerations of Python's as it loads, and aborts the process where one cannot be made."""
    script = (
        "import contextlib, enum, os, signal, sys, threading, typing\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def told(frame, event, _):\n"
        "    if event == 'call' and frame.f_code.co_filename == enum.__file__ and '_duckdb' in sys.modules:\n"
        "        sys.setprofile(None)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.setprofile(told)\n"
        "try:\n"
        "    import outlay.ledger.native\n"
        "except KeyboardInterrupt:\n"
        "    from outlay.ledger.native import duckdb\n"
        "    print('interrupted', duckdb.connect().execute('SELECT 42').fetchall())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted [(42,)]\n"), done.stderr


def test_a_full_disk_is_said_and_not_the_engines_document(tmp_path: Path) -> None:
    said = 'IO Error: Async write failed: {"exception_message":"No space left on device","errno":"28"}'
    with pytest.raises(LedgerError) as error, told_plainly(tmp_path):
        raise duckdb.IOException(said)
    assert str(error.value) == (
        f"{tmp_path}: No space left on device, here or where a file is written; make room"
    )


def test_another_fault_of_the_engine_is_told_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="something else"), interruptible():
        raise RuntimeError("something else")


def test_a_compaction_that_is_interrupted_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = DuckLedger(tmp_path)
    ledger.add([call()])

    def interrupted(_engine: Engine) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("outlay.ledger.compaction._copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ledger.compact()
    assert not list(tmp_path.glob("*.new"))
    assert ledger.rows(Query()).total["calls"] == 1


def test_ctrl_c_while_an_engine_starts_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB tells it as a RuntimeError of its own, which had passed for a fault of outlay's."""

    class Broken:
        def execute(self, *_: object) -> None:
            raise RuntimeError("Query interrupted")

    monkeypatch.setattr("outlay.ledger.engine.duckdb.connect", lambda *_, **__: Broken())
    with pytest.raises(KeyboardInterrupt):
        Engine(tmp_path)


def test_a_file_that_a_full_disk_left_empty_is_made_anew(tmp_path: Path) -> None:
    """It stayed a file that is no database after room was made, and had to be put aside by hand."""
    (tmp_path / "ledger.duckdb").touch()
    journal = Journal(tmp_path / "journal")
    journal.append(call())
    journal.close()
    assert DuckLedger(tmp_path).rows(Query()).total["calls"] == 1


def test_a_small_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "ledger.duckdb"
    file.write_text("what somebody keeps here")
    with pytest.raises(LedgerError, match="not a valid DuckDB"):
        DuckLedger(tmp_path).rows(Query())
    assert file.read_text() == "what somebody keeps here"
