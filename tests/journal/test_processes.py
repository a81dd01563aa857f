"""Journals of real processes: killed, forked, ended, out of room."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outlay.core.record import Entry, Loss, Record
from outlay.journal import Fault, read_segment, segments

PRELUDE = """
import os, sys
from pathlib import Path
from outlay.journal import Journal
from outlay.testing import call
journal = Journal(Path(sys.argv[1]))
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = [sys.executable, "-c", PRELUDE + code, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def read(folder: Path) -> list[Entry | Fault]:
    """Read everything that a folder holds."""
    return [entry for segment in segments(folder) for _, entry in read_segment(segment.path)]


def users(folder: Path) -> list[str]:
    """Give the users of all records, sorted; the tests number their calls by them."""
    return sorted(entry.user or "" for entry in read(folder) if isinstance(entry, Record))


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.1, 0.3])
def test_a_kill_takes_at_most_what_no_flush_confirmed(tmp_path: Path, after: float) -> None:
    """The program prints a number when a flush has confirmed all calls up to it."""
    code = """
n = 0
while True:
    for _ in range(50):
        journal.append(call(user=f"{n:06}"))
        n += 1
    assert journal.flush(30)
    print(n, flush=True)
"""
    command = [sys.executable, "-c", PRELUDE + code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        printed = [first, *process.stdout.read().splitlines()]
    confirmed = int(printed[-1])
    found = users(tmp_path)
    assert len(found) >= confirmed
    assert found == [f"{n:06}" for n in range(len(found))]
    assert len([entry for entry in read(tmp_path) if isinstance(entry, Fault)]) <= 1


def test_without_a_flush_a_kill_takes_at_most_the_last_moment(tmp_path: Path) -> None:
    """What is older than the time in which a batch is gathered stands in the file."""
    code = """
import time
for n in range(100):
    journal.append(call(user=f"{n:06}"))
time.sleep(2)
os.kill(os.getpid(), 9)
"""
    assert run(code, tmp_path).returncode == -signal.SIGKILL
    assert len(users(tmp_path)) == 100


def test_a_normal_end_writes_what_is_pending(tmp_path: Path) -> None:
    done = run("for n in range(1000): journal.append(call(user=f'{n:06}'))", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == [f"{n:06}" for n in range(1000)]


def test_an_entry_from_another_exit_handler_is_not_missed(tmp_path: Path) -> None:
    """It was registered before the journal's own handler, so it runs after it."""
    code = """
import atexit
atexit.register(lambda: journal.append(call(user="late")))
journal.append(call(user="x"))
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == ["late", "x"]


@pytest.mark.parametrize("more", ["", "; journal.append(call(user='two'))"])
def test_the_first_entry_of_all_may_come_from_an_exit_handler(tmp_path: Path, more: str) -> None:
    """No handler that is registered within another one is run."""
    code = f"""
import atexit
def last(): journal.append(call(user="one")){more}
atexit.register(last)
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == (["one", "two"] if more else ["one"])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_of_multiprocessing_write_what_is_pending(tmp_path: Path, method: str) -> None:
    """They skip atexit; the parent's pending entries stay the parent's."""
    (tmp_path / "program.py").write_text(
        f"""
import multiprocessing, sys
from pathlib import Path
from outlay.journal import Journal
from outlay.testing import call

journal = Journal(Path(sys.argv[1]), batch_delay=0.5)

def work(name):
    for n in range(100):
        journal.append(call(user=f"{{name}}{{n:03}}"))

if __name__ == "__main__":
    context = multiprocessing.get_context("{method}")
    work("p")
    children = [context.Process(target=work, args=(name,)) for name in "ab"]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
"""
    )
    folder = tmp_path / "journal"
    command = [sys.executable, str(tmp_path / "program.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(folder) == [f"{name}{n:03}" for name in "abp" for n in range(100)]
    assert len(segments(folder)) == 3


def test_a_bare_fork_begins_anew(tmp_path: Path) -> None:
    """Also when the parent's thread has something in hand."""
    code = """
import warnings
for n in range(2000):
    journal.append(call(user=f"p{n:04}"))
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of forks beside threads
child = os.fork()
if not child:
    assert journal.pending == 0
    journal.append(call(user="c"))
    os._exit(0 if journal.flush(30) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == ["c", *(f"p{n:04}" for n in range(2000))]
    assert len(segments(tmp_path)) == 2


def test_a_file_size_limit_only_means_more_segments(tmp_path: Path) -> None:
    """A limit that each file may reach is met by beginning another one; each holds whole lines."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
for n in range(30):
    journal.append(call(user=f"{n:06}"))
    journal.flush(30)
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == [f"{n:06}" for n in range(30)]
    assert len(segments(tmp_path)) > 1
    assert not [entry for entry in read(tmp_path) if isinstance(entry, Fault)]


def test_without_room_for_a_line_calls_are_lost_and_the_program_does_not_notice(tmp_path: Path) -> None:
    """And it says so once; when there is room again the journal tells of it."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for n in range(10):
    journal.append(call())
    journal.flush(30)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(call(user="after"))
"""
    done = run(code, tmp_path)
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    assert "could not be written to the journal and are lost: File too large" in warning
    assert users(tmp_path) == ["after"]
    assert sum(entry.count for entry in read(tmp_path) if isinstance(entry, Loss)) == 10


@pytest.mark.parametrize("end", ["", "os._exit(0)", "journal.close()"])
def test_what_was_lost_below_the_floor_is_kept_at_the_end(tmp_path: Path, end: str) -> None:
    """The log alone had it, so that doctor said that all is well. A count takes a hundred bytes."""
    code = f"""
journal = Journal(Path(sys.argv[1]), min_free=1 << 60)
for n in range(10):
    journal.append(call())
    journal.flush(30)
{end}
"""
    done = run(code, tmp_path)
    assert done.returncode == 0
    (loss,) = read(tmp_path)
    assert isinstance(loss, Loss)
    assert (loss.count, loss.why.endswith(f"(min_free) are free on the disk of {tmp_path}")) == (10, True)
    told = ["1 recorded call(s) could not", "10 recorded call(s) in all could not"]
    assert [line.partition(" be written")[0] for line in done.stderr.splitlines()] == told[: 1 + (not end)]


def test_a_program_that_ends_without_room_says_how_many_calls_it_lost_in_all(tmp_path: Path) -> None:
    """Nothing else will tell: no journal could be written."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for n in range(10):
    journal.append(call())
    journal.flush(30)
"""
    done = run(code, tmp_path)
    assert done.returncode == 0
    first, last = done.stderr.splitlines()
    assert "1 recorded call(s) could not be written to the journal and are lost: File too large" in first
    assert "10 recorded call(s) in all could not be written" in last


@pytest.mark.parametrize("before", [[], ["a"]])
def test_what_comes_when_the_interpreter_is_torn_down_is_written_without_a_wait(
    tmp_path: Path, before: list[str]
) -> None:
    """As from a stream in a module's variable that was not read to its end: the writer's thread is frozen."""
    code = f"""
class Stream:
    def __init__(self):
        self.itself, self.append, self.entry, self.sys = self, journal.append, call(user="z"), sys
    def __del__(self):
        assert self.sys.is_finalizing()
        self.append(self.entry)
stream = Stream()
for user in {before}:
    journal.append(call(user=user))
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == [*before, "z"]


def test_a_child_of_multiprocessing_drains_what_is_watched_too(tmp_path: Path) -> None:
    """What ships to a server, say: such a child ends by ``os._exit``, which drains journals alone."""
    script = tmp_path / "script.py"
    script.write_text(
        """
import multiprocessing, pathlib
from outlay.journal import watch_exit

class Thing:
    def drain_at_exit(self):
        pathlib.Path(__file__).with_name("drained").touch()

thing = Thing()

if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=watch_exit, args=[thing])
    child.start()
    child.join()
""",
        "utf-8",
    )
    subprocess.run([sys.executable, script], check=True)
    assert (tmp_path / "drained").exists()
