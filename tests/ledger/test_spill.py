"""What memory does not hold is put down by each engine apart, and goes with it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from outlay.core.query import Query
from outlay.ledger import DuckLedger, spill
from outlay.ledger.engine import Engine

_KILLED = """
import os, signal, sys
from pathlib import Path
from outlay.ledger.engine import Engine

engine = Engine(Path(sys.argv[1]))
(where,) = engine.all("SELECT current_setting('temp_directory')")[0]
Path(where, "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"put down")
os.kill(os.getpid(), signal.SIGKILL)
"""


def spill_of(engine: Engine) -> Path:
    return Path(engine.all("SELECT current_setting('temp_directory')")[0][0])


def test_two_engines_on_one_ledger_put_nothing_down_in_the_same_place(tmp_path: Path) -> None:
    """An engine of before 2.0 would read what the other one had written there, or find it gone."""
    one, other = Engine(tmp_path), Engine(tmp_path)
    first, second = spill_of(one), spill_of(other)
    assert first != second
    assert first.is_dir()
    beside = one.beside()
    beside.close()
    other.close()
    assert first.is_dir()
    assert not second.exists()
    one.close()
    assert list((tmp_path / "spool" / "duckdb").iterdir()) == []


def test_what_a_killed_engine_has_put_down_goes_with_the_next_one(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "spool" / "duckdb").iterdir())) == 1
    ledger = DuckLedger(tmp_path)
    assert ledger.rows(Query()).rows == ()
    (mine,) = (tmp_path / "spool" / "duckdb").iterdir()
    assert [each.name for each in mine.iterdir()] == ["engine.lock"]
    ledger.close()


_LET_GO = """
import atexit, gc, os, sys
from pathlib import Path
from outlay.core.query import Query
from outlay.ledger import DuckLedger

def handles():
    gc.collect()
    return len(os.listdir("/dev/fd"))

folder = Path(sys.argv[1])
DuckLedger(folder).rows(Query())
before = handles()
for _ in range(5):
    DuckLedger(folder).rows(Query())
print(handles() - before)
ledger = DuckLedger(folder)
ledger.rows(Query())
print(len(list((folder / "spool" / "duckdb").iterdir())))
sys.stdout.flush()
if os.fork() == 0:
    atexit._run_exitfuncs()
    os._exit(0)  # by itself DuckDB waits, under Python 3.14, for threads that a child does not have
os.wait()
print(len(list((folder / "spool" / "duckdb").iterdir())))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks, and counts its handles")
def test_a_ledger_that_is_let_go_of_leaves_no_handle_and_no_folder_and_a_child_takes_none(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LET_GO, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["0", "1", "1"]
    assert list((tmp_path / "spool" / "duckdb").iterdir()) == []


def test_an_engine_whose_folder_somebody_else_holds_leaves_it_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spill, "take", lambda _path, _patience: None)
    folder, remove = spill.own_folder(tmp_path)
    remove()
    assert folder.is_dir()


def test_a_folder_that_takes_no_spill_is_no_fault_of_the_question(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "duckdb").write_text("somebody's own")
    ledger = DuckLedger(tmp_path)
    assert ledger.rows(Query()).rows == ()
    ledger.close()


def limit_of(engine: Engine) -> str:
    return str(engine.all("SELECT current_setting('memory_limit')")[0][0])


def test_what_is_worked_out_beside_a_ledger_has_a_bound_of_memory_until_that_is_done(tmp_path: Path) -> None:
    """An import of millions of rows had grown by what DuckDB keeps of each block."""
    engine = Engine(tmp_path)
    usual = limit_of(engine)
    engine.run("SET memory_limit = '64GiB'")  # as on a large machine
    beside = engine.beside()
    assert limit_of(engine) == limit_of(beside) == "1.1 GiB"
    beside.close()
    assert limit_of(engine) == usual
    engine.close()


def test_a_machine_of_little_memory_keeps_the_bound_that_it_has(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.run("SET memory_limit = '300MiB'")
    assert limit_of(engine.beside()) == "300.0 MiB"
    engine.close()
