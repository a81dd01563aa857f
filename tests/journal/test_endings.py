"""Ends that pass exit handlers by, in real processes: what was recorded a moment before is there."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.journal.test_processes import PRELUDE, run, users

from outlay.journal import Journal, endings
from outlay.testing import call

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")

WORK = """
import pathlib, sys
from outlay.journal import Journal
from outlay.testing import call

journal = Journal(pathlib.Path(sys.argv[1]))

def work(n):
    journal.append(call(user=f"{n:03}"))
"""
APPEND = "import time\njournal.append(call(user='x'))\n"


def test_a_hard_exit_writes_what_is_pending(tmp_path: Path) -> None:
    done = run(f"{APPEND}os._exit(7)", tmp_path)
    assert (done.returncode, done.stderr) == (7, "")
    assert users(tmp_path) == ["x"]


def test_a_forked_worker_that_exits_hard_writes_its_own_and_no_more(tmp_path: Path) -> None:
    """As those of job queues do after each job, whether or not their parent has recorded something."""
    code = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of forks beside threads
def child(name):
    if not os.fork():
        journal.append(call(user=name))
        os._exit(0)
    os.wait()
child("a")
journal.append(call(user="parent"))
child("b")
if not os.fork():
    os._exit(0)  # one that has nothing to write
os.wait()
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == ["a", "b", "parent"]


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("signal.raise_signal(signal.SIGTERM)", 15),  # as uvicorn's server does, when it has shut down
        ("os.kill(os.getpid(), signal.SIGKILL)", 9),
    ],
)
def test_a_process_that_ends_itself_by_a_signal_writes_what_is_pending(
    tmp_path: Path, how: str, number: int
) -> None:
    code = f"""
import signal
{APPEND}
signal.raise_signal(signal.SIGWINCH)
os.kill(os.getpid(), 0)
journal.append(call(user="y"))
{how}
"""
    assert run(code, tmp_path).returncode == -number
    assert users(tmp_path) == ["x", "y"]


@pytest.mark.parametrize("how", ["execv", "execlpe"])
def test_a_program_that_takes_the_processs_place_comes_after_what_is_pending(
    tmp_path: Path, how: str
) -> None:
    environ = ", {}" if how == "execlpe" else ""
    given = "[sys.executable, '-S', '-c', '']" if how == "execv" else "sys.executable, '-S', '-c', ''"
    done = run(f"{APPEND}os.{how}(sys.executable, {given}{environ})", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == ["x"]


def test_where_no_program_takes_its_place_the_process_goes_on(tmp_path: Path) -> None:
    code = f"""
{APPEND}
try:
    os.execv("/no/such/program", ["program"])
except FileNotFoundError:
    journal.append(call(user="y"))
assert os.execve in os.supports_fd
"""
    assert run(code, tmp_path).returncode == 0
    assert users(tmp_path) == ["x", "y"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_under_outlay_run_ends_the_process_when_all_is_written(tmp_path: Path, name: str) -> None:
    code = f"""
import signal
from outlay.journal.endings import drain_when_terminated
signal.signal(signal.{name}, signal.SIG_DFL)  # these tests may run under nohup
drain_when_terminated(journal.flush)
{APPEND}
os.kill(os.getpid(), signal.{name})
time.sleep(60)
"""
    assert run(code, tmp_path).returncode == -signal.Signals[name]
    assert users(tmp_path) == ["x"]


@pytest.mark.skipif(
    subprocess.run(["sh", "-c", "unshare -rfp true"], capture_output=True, check=False).returncode != 0,
    reason="no namespaces here",
)
def test_the_first_process_of_a_container_ends_too(tmp_path: Path) -> None:
    """The system ends that one by no signal which it does not handle."""
    code = f"""
import signal
from outlay.journal.endings import drain_when_terminated
signal.signal(signal.SIGTERM, signal.SIG_DFL)
drain_when_terminated(journal.flush)
{APPEND}
assert os.getpid() == 1
os.kill(1, signal.SIGTERM)
time.sleep(20)
"""
    command = ["unshare", "-rfp", "--kill-child", sys.executable, "-c", PRELUDE + code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")
    assert users(tmp_path) == ["x"]


def test_a_signal_that_came_just_before_the_main_thread_waits_is_sent_again(tmp_path: Path) -> None:
    """What comes between Python's look for signals and the system's call does not interrupt that call."""
    code = f"""
import signal, threading
from outlay.journal.endings import drain_when_terminated
from outlay.journal import endings
sent, kill = [], os.kill

def missed_once(*given):
    if threading.current_thread() is threading.main_thread() or sent:
        kill(*given)
    sent.append(given)

endings._kill = missed_once
drain_when_terminated(journal.flush)
{APPEND}
signal.raise_signal(signal.SIGTERM)
time.sleep(50)
"""
    assert run(code, tmp_path).returncode == -signal.SIGTERM
    assert users(tmp_path) == ["x"]


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As SIGHUP is under nohup."""
    code = f"""
import signal
from outlay.journal.endings import drain_when_terminated
signal.signal(signal.SIGHUP, signal.SIG_IGN)
drain_when_terminated(journal.flush)
{APPEND}
os.kill(os.getpid(), signal.SIGHUP)
"""
    assert run(code, tmp_path).returncode == 0
    assert users(tmp_path) == ["x"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_leaving_the_block_of_a_pool_loses_nothing(tmp_path: Path, method: str) -> None:
    """It terminates the workers, which handle that signal once they have recorded a call."""
    (tmp_path / "work.py").write_text(WORK)
    code = f"""
import multiprocessing
sys.path.insert(0, {str(tmp_path)!r})
import work
with multiprocessing.get_context("{method}").Pool(2) as pool:
    pool.map(work.work, range(100))
    children = multiprocessing.active_children()
for child in children:
    child.join()
assert all(child.exitcode in (0, -15) for child in children)
"""
    done = run(code, tmp_path / "journal")
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path / "journal") == [f"{n:03}" for n in range(100)]


def test_a_worker_whose_main_thread_is_not_interrupted_ends_all_the_same(tmp_path: Path) -> None:
    """As by a signal that comes between Python's look for signals and its wait: the pool waited for ever."""
    code = """
import multiprocessing, signal
fork = multiprocessing.get_context("fork")
lock, ready = fork.Lock(), fork.Event()
lock.acquire()
def wait():
    journal.append(call(user="x"))  # its thread takes the signal
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ready.set()
    lock.acquire()
child = fork.Process(target=wait)
child.start()
ready.wait()
child.terminate()
child.join(20)
assert child.exitcode == -signal.SIGTERM, child.exitcode
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == ["x"]


@pytest.mark.parametrize("first", ["journal", "theirs"])
def test_a_worker_may_have_itself_told_of_signals(tmp_path: Path, first: str) -> None:
    """As an event loop has: it meets no other there, gets what comes, and nobody's after that."""
    steps = ["journal.append(call(user='x'))", "assert signal.set_wakeup_fd(write) == -1"]
    code = f"""
import multiprocessing, signal, socket, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of forks beside threads
fork = multiprocessing.get_context("fork")
def tell():
    mine, theirs = socket.socketpair()
    theirs.setblocking(False)
    write = theirs.fileno()
    signal.signal(signal.SIGUSR1, lambda *_: None)
    {steps[first != "journal"]}
    {steps[first == "journal"]}
    os.kill(os.getpid(), signal.SIGUSR1)
    assert mine.recv(1) == bytes((signal.SIGUSR1,))
    assert signal.set_wakeup_fd(-1) == write
    assert signal.set_wakeup_fd(-1) == -1
    if not os.fork():
        assert signal.set_wakeup_fd(-1) == -1
        os._exit(0)
    assert os.wait()[1] == 0
child = fork.Process(target=tell)
child.start()
child.join(20)
assert child.exitcode == 0, child.exitcode
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert users(tmp_path) == ["x"]


def test_a_program_that_is_no_pools_worker_keeps_its_signals(tmp_path: Path) -> None:
    code = f"""
import signal
{APPEND}
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
assert not hasattr(signal.signal, "__wrapped__")
"""
    assert run(code, tmp_path).returncode == 0


def test_calls_of_daemon_threads_that_return_while_the_process_ends_are_kept(tmp_path: Path) -> None:
    """The main thread waits for the disk meanwhile, and gets its turn late: they hold the interpreter."""
    code = """
import threading, time
def calls():
    n = 0
    while True:
        journal.append(call(user=f"{n:06}"))
        n += 1
        os.write(1, b"%d\\n" % n)
threading.Thread(target=calls, daemon=True).start()
time.sleep(0.3)
"""
    done = run(code, tmp_path)
    returned = int(done.stdout.splitlines()[-1])
    assert users(tmp_path)[:returned] == [f"{n:06}" for n in range(returned)]


def test_ctrl_c_pressed_again_while_the_process_ends_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, batch_delay=600)
    journal.append(call(user="x"))
    pressed, flush = [KeyboardInterrupt(), KeyboardInterrupt()], journal.flush

    def interrupted(timeout: float | None = None) -> bool:
        if pressed:
            raise pressed.pop()
        return flush(timeout)

    monkeypatch.setattr(journal, "flush", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.drain_at_exit()
    assert users(tmp_path) == ["x"]


def test_a_fault_of_ours_does_not_keep_a_process_from_its_end(tmp_path: Path) -> None:
    done = run(f"{APPEND}journal.flush = None\nos._exit(7)", tmp_path)
    assert (done.returncode, done.stderr) == (7, "")


def test_the_wrapped_functions_are_told_from_the_plain_ones_by_nobody(tmp_path: Path) -> None:
    code = f"""
import inspect
{APPEND}
assert os._exit.__name__ == "_exit" and os._exit.__doc__
try:
    os._exit()
except TypeError:
    sys.exit(5)
"""
    assert run(code, tmp_path).returncode == 5
    assert os._exit.__name__ == "_exit"


def test_workers_of_celerys_pool_write_what_is_pending(tmp_path: Path) -> None:
    """Those of billiard, which know neither atexit nor the finalizers of multiprocessing."""
    (tmp_path / "work.py").write_text(WORK)
    code = f"""
import billiard
sys.path.insert(0, {str(tmp_path)!r})
import work
pool = billiard.Pool(2, maxtasksperchild=1)
pool.map(work.work, range(4), chunksize=1)
pool.close()
pool.join()
"""
    assert run(code, tmp_path / "journal").returncode == 0
    assert users(tmp_path / "journal") == [f"{n:03}" for n in range(4)]


def test_at_the_end_nobody_waits_longer_than_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Ctrl-C that comes when the time is up is raised all the same."""
    journal = Journal(tmp_path)
    monkeypatch.setattr("outlay.journal.journal.DRAIN_SECONDS", 0.01)

    def interrupted(_: float) -> bool:
        time.sleep(0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr(journal, "_flushed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.drain_at_exit()
    monkeypatch.undo()
    journal.close()


@pytest.fixture
def handlers() -> Iterator[None]:
    """Begin with the system's own, as a program does, and put back what was there."""
    plain, before = signal.signal, {number: signal.getsignal(number) for number in endings.SIGNALS}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    yield
    signal.signal = plain
    for number, handler in before.items():
        signal.signal(number, handler)


def _start(work: Callable[..., None], given: tuple[int, ...]) -> None:
    """Start a thread in which coverage sees what runs; a bare one it does not."""
    threading.Thread(target=work, args=given).start()


@pytest.mark.usefixtures("handlers")
def test_the_handler_writes_in_a_thread_and_sends_the_signal_until_it_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[int, int]] = []
    written: list[float] = []
    go_on = threading.Event()

    def write(seconds: float) -> None:
        assert go_on.wait(30)
        written.append(seconds)

    monkeypatch.setattr(endings, "_kill", lambda *given: sent.append(given))
    monkeypatch.setattr(endings, "_AGAIN", 0.001)
    monkeypatch.setattr(
        endings, "_thread", SimpleNamespace(start_new_thread=_start)
    )  # coverage sees no bare one
    elsewhere = threading.Thread(target=endings.drain_when_terminated, args=(write,))
    elsewhere.start()
    elsewhere.join()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL  # no other thread may set handlers

    endings.drain_when_terminated(write)
    handler = cast("Any", signal.getsignal(signal.SIGHUP))
    signal.signal(signal.SIGHUP, print)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # given back to the system: to us
    assert signal.getsignal(signal.SIGHUP) == handler

    handler(signal.SIGHUP, None)
    handler(signal.SIGHUP, None)  # once more, before all is written: nothing new begins
    go_on.set()
    until = time.monotonic() + 30
    while len(sent) < 3:
        assert time.monotonic() < until
    assert written == [endings.DRAIN_SECONDS]
    handler(signal.SIGHUP, None)  # as the signal that was sent does
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    assert set(sent) == {(os.getpid(), signal.SIGHUP)}


@pytest.mark.parametrize(
    "name", ["SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGTSTP", "SIGTTIN", "SIGTTOU"]
)
def test_a_signal_that_ends_no_process_makes_nobody_wait(name: str) -> None:
    number = signal.Signals[name]
    before = signal.signal(number, signal.SIG_DFL)
    try:
        assert not endings._is_fatal(number)
    finally:
        signal.signal(number, before)


def test_when_the_interpreter_is_ending_all_is_drained_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer's thread is frozen by then, and would be waited for in vain."""
    asked: list[int] = []
    owner = SimpleNamespace(end=lambda number: number)

    def is_end(number: int) -> bool:
        asked.append(number)
        return False

    endings._wrap(owner, "end", is_end, endings.drain_all)
    assert owner.end(1) == 1
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    assert owner.end(2) == 2
    assert asked == [1]


def test_what_ships_is_drained_behind_what_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Watched:
        def drain(self, timeout: float = endings.DRAIN_SECONDS) -> bool:
            done.append(f"written within {timeout:g}")
            return True

        def drain_at_exit(self) -> None:
            done.append("shipped")

    thing = Watched()
    monkeypatch.setattr(endings, "_drained", {thing})
    monkeypatch.setattr(endings, "_shipping", set())
    endings.watch_own_signals(thing)
    owner = SimpleNamespace(end=lambda: done.append("ended"))
    endings._wrap(owner, "end", lambda: True, endings._ship_all)
    owner.end()
    assert done == ["written within 5", "shipped", "ended"]
