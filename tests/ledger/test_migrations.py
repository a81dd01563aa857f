"""Migrations of ledgers that hold something: nothing is lost, whoever watches is told."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.ledger_of_before import held, of_before

from outlay.core.query import CallQuery, Query
from outlay.ledger import DuckLedger
from outlay.ledger.migrations import Migrating, Progress, migrations, watched

_STEPS = migrations("duckdb")
WHOLE = (3000, Decimal(1500), 3000 * 2999 // 2, 1000)

_KILLED = """
import os, signal, sys
from pathlib import Path
from outlay.ledger import DuckLedger
from outlay.ledger.engine import Engine

step, text, moment = int(sys.argv[2]), sys.argv[3], sys.argv[4]
run = Engine.run

def dying(self, sql, parameters=()):
    if moment == "before" and text in sql:
        os.kill(os.getpid(), signal.SIGKILL)
    run(self, sql, parameters)
    if moment == "after" and text in sql:
        os.kill(os.getpid(), signal.SIGKILL)

Engine.run = dying
if moment == "detach":
    Engine._detach = lambda self: os.kill(os.getpid(), signal.SIGKILL)
DuckLedger(Path(sys.argv[1])).migrate()
"""


@pytest.mark.parametrize(
    ("text", "moment", "schema"),
    [
        ("prompt_anew", "before", 3),
        ("prompt_anew", "after", 3),
        ("INSERT INTO outlay_schema", "after", 3),
        ("", "detach", len(_STEPS)),  # it is kept, and not written back into the file yet
    ],
)
def test_a_killed_migration_leaves_the_old_schema_or_the_new_one(
    tmp_path: Path, text: str, moment: str, schema: int
) -> None:
    of_before(tmp_path)
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), "4", text, moment], check=False)
    assert done.returncode == -signal.SIGKILL
    assert held(tmp_path) == (schema, *WHOLE)
    ledger = DuckLedger(tmp_path)
    assert ledger.migrate().before == schema
    assert held(tmp_path) == (len(_STEPS), *WHOLE)
    assert ledger.verify() == ()
    ledger.close()


def test_a_killed_making_of_a_ledger_leaves_one_that_is_made_anew(tmp_path: Path) -> None:
    """All steps or none: the next one finds no part of a schema, and nobody is told of a migration."""
    killed = [sys.executable, "-c", _KILLED, str(tmp_path), "4", "prompt_anew", "after"]
    done = subprocess.run(killed, check=False)
    assert done.returncode == -signal.SIGKILL
    ledger = DuckLedger(tmp_path)
    migrated = ledger.migrate()
    assert (migrated.before, migrated.after) == (0, len(_STEPS))
    ledger.close()


def test_a_migrated_call_has_its_texts_and_what_comes_later_fits(tmp_path: Path) -> None:
    of_before(tmp_path, calls=4)
    ledger = DuckLedger(tmp_path)
    records = list(ledger.calls(CallQuery(limit=None)))
    assert sorted((each.prompt or "", dict(each.extra or {}).get("n")) for each in records) == [
        ("", None),
        ("", None),
        ("say 0", 0),
        ("say 3", 3),
    ]
    other = DuckLedger(tmp_path / "other")
    other.add(records)
    assert ledger.add(records) == 0
    assert ledger.conflicts() == 0
    ledger.compact()
    assert list(ledger.calls(CallQuery(limit=None))) == list(other.calls(CallQuery(limit=None)))
    ledger.close()
    other.close()


def test_who_watches_is_told_of_each_step_but_not_of_a_new_ledger(tmp_path: Path) -> None:
    of_before(tmp_path / "old", have=2)
    told: list[Progress] = []
    with watched(told.append):
        for name in ("old", "new"):
            ledger = DuckLedger(tmp_path / name)
            ledger.rows(Query())
            ledger.close()
    steps = len(_STEPS) - 2
    assert [(each.before, each.newest, round(each.part * steps)) for each in told] == [
        (2, len(_STEPS), done) for done in range(steps + 1)
    ]
    assert {each.ledger for each in told} == {str(tmp_path / "old" / "ledger.duckdb")}


def test_a_step_tells_which_part_of_it_is_done() -> None:
    told: list[Progress] = []
    going = Migrating([(2, ""), (3, "")], 1, "there")
    with watched(told.append):
        for _ in going:
            going.tell(0.5)
    assert [each.part for each in told] == [0, 0.25, 0.5, 0.75, 1]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Give both ends of a terminal."""
    pty = pytest.importorskip("pty", reason="Windows has none")
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def command(
    folder: Path, *arguments: str, stderr: int = subprocess.PIPE
) -> "subprocess.CompletedProcess[str]":
    """Run the command as people do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTLAY_")}
    return subprocess.run(
        [sys.executable, "-m", "outlay", "--ledger", str(folder), *arguments],
        env={**kept, "TERM": "xterm", "COLUMNS": "200"},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("arguments", [("ledger", "migrate", "--json"), ("report", "--json")])
def test_in_a_pipe_two_lines_on_standard_error_tell_of_it(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    of_before(tmp_path)
    done = command(tmp_path, *arguments)
    first, last = done.stderr.splitlines()
    file, newest = tmp_path / "ledger.duckdb", len(_STEPS)
    assert first == f"outlay: bringing {file} from schema 3 to {newest}; interrupted, it stays as it was"
    assert last.startswith(f"outlay: {file} has schema {newest} after ")
    assert done.stdout.startswith("{")
    again = command(tmp_path, *arguments)
    assert again.stderr == ""


def test_on_a_terminal_a_bar_shows_it(tmp_path: Path, terminal: tuple[int, int]) -> None:
    of_before(tmp_path)
    ours, theirs = terminal
    done = command(tmp_path, "ledger", "migrate", stderr=theirs)
    shown = os.read(ours, 100_000).decode()
    assert f"from schema 3 to {len(_STEPS)}" in shown
    assert "0:00:00" in shown
    assert f"has schema {len(_STEPS)} after" in shown
    assert done.stdout == f"from schema 3 to {len(_STEPS)}\n"
