"""Many real processes: eight record while two ask all the time; readers are killed in the middle."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outlay.core.query import CallQuery, Query
from outlay.journal import Journal
from outlay.ledger import DuckLedger
from outlay.testing import call

WRITER = """
import sys, time
from pathlib import Path
from outlay.journal import Journal
from outlay.testing import call
journal = Journal(Path(sys.argv[1]) / "journal")
for n in range(5000):
    journal.append(call(user=sys.argv[2], session=str(n)))
    if n % 100 == 0:
        time.sleep(0.05)
"""
READER = """
import os, sys
from pathlib import Path
from outlay.core.query import Query
from outlay.ledger import DuckLedger
ledger = DuckLedger(Path(sys.argv[1]))
turns = os.open(Path(sys.argv[1]) / "turns", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
seen = 0
while seen < int(sys.argv[2]):
    total = ledger.rows(Query()).total["calls"]
    assert seen <= total <= int(sys.argv[2]), (seen, total)
    seen = total
    os.write(turns, sys.argv[3].encode())
    print(seen, flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a Python program."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def assert_they_took_turns(turns: str) -> None:
    """Neither of two readers kept the other from asking, for as long as both asked.

    How many questions fit into the time that the writers take is the machine's business; that the two get
    about as many as each other is ours.
    """
    both = range(max(map(turns.index, "ab")), min(map(turns.rindex, "ab")) + 1)
    answered = [sum(turns[place] == name for place in both) for name in "ab"]
    assert min(answered) * 2 >= max(answered), turns


def test_row_051_eight_processes_record_while_two_ask_all_the_time(tmp_path: Path) -> None:
    """Each of 40,000 calls is in the report once; neither reader keeps the other from asking."""
    readers = [start(READER, tmp_path, 40_000, name) for name in "ab"]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "0\n"
    writers = [start(WRITER, tmp_path, f"w{n}") for n in range(8)]
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    for reader in readers:
        reader.communicate(timeout=120)
        assert reader.returncode == 0
    assert_they_took_turns((tmp_path / "turns").read_text())
    ledger = DuckLedger(tmp_path)
    rows = ledger.rows(Query(by=("user",))).rows
    assert {row["user"]: row["calls"] for row in rows} == {f"w{n}": 5000 for n in range(8)}
    assert ledger.rows(Query(by=("session",))).total["calls"] == 40_000
    assert (ledger.conflicts(), ledger.info().faults) == (0, 0)
    ledger.close()


def test_a_reader_that_is_killed_leaves_nothing_doubled_and_nothing_out(tmp_path: Path) -> None:
    """Whether before, within or after its transaction."""
    journal = Journal(tmp_path / "journal", segment_bytes=200_000)
    expected = 0
    chance = random.Random(7)  # noqa: S311  # only moments
    for _ in range(6):
        for _ in range(3000):
            journal.append(call())
        expected += 3000
        assert journal.flush(30)
        reader = start(READER, tmp_path, 10**9, "a")
        assert reader.stdout is not None
        if chance.random() < 0.5:
            reader.stdout.readline()
        time.sleep(chance.uniform(0.1, 0.6))
        reader.send_signal(signal.SIGKILL)
        reader.communicate()
    journal.close()
    ledger = DuckLedger(tmp_path)
    assert ledger.rows(Query()).total["calls"] == expected
    assert len({record.id for record in ledger.calls(CallQuery(limit=None))}) == expected
    assert (ledger.conflicts(), ledger.info().faults) == (0, 0)
    ledger.close()


LEFT_BY_CHILD = """
import os, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of forks beside threads
from outlay.core.query import Query
from outlay.ledger import DuckLedger
from outlay.testing import call

ledger = DuckLedger(Path(sys.argv[1]))
ledger.add([call()])
child = os.fork()
if child == 0:
    if sys.argv[2] == "asks":
        ledger.add([call()])
    sys.exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
ledger.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("what", ["asks", "asks nothing"])
def test_a_forked_child_comes_to_its_own_end_with_a_ledger_of_its_parent_open(
    tmp_path: Path, what: str
) -> None:
    """DuckDB ended it by SIGSEGV or SIGABRT, as Python's end ended the engine whose threads it has not."""
    command = [sys.executable, "-c", LEFT_BY_CHILD, str(tmp_path), what]
    done = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


FORKED = """
import os, sys, threading
from pathlib import Path
from outlay.core.errors import LedgerBusyError
from outlay.core.query import Query
from outlay.ledger import DuckLedger
from outlay.testing import call

ledger = DuckLedger(Path(sys.argv[1]))
ledger.add([call()])
asked = sys.argv[2] == "asked"
has, may_end = threading.Event(), threading.Event()

def ask():
    with ledger.together():
        has.set()
        may_end.wait(60)

other = threading.Thread(target=ask)
if asked:
    other.start()
    has.wait(60)
child = os.fork()
if child == 0:
    try:
        ledger.add([call()])
        assert not asked
    except LedgerBusyError as error:
        assert asked and "since before it was forked" in str(error), error
    ledger.close()
    del ledger
    os._exit(0)
may_end.set()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
if asked:
    other.join()
assert ledger.rows(Query()).total["calls"] == 2 - asked
ledger.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("how", ["idle", "asked"])
def test_a_forked_child_asks_with_an_engine_of_its_own(tmp_path: Path, how: str) -> None:
    """Its parent's, which it closed, ended it with a fault; and it waited for a thread that it has not.

    In the middle of a question of its parent's the file is attached, for DuckDB in the child, too, for ever.
    """
    done = subprocess.run([sys.executable, "-c", FORKED, str(tmp_path), how], check=False, timeout=60)
    assert done.returncode == 0
