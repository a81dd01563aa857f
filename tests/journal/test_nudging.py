"""A wait that a signal did not interrupt is interrupted, in a real process, and children are left alone."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from tests.journal.test_processes import run

from outlay.journal import nudging

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")


def test_a_wait_that_began_with_a_signal_unseen_is_interrupted(tmp_path: Path) -> None:
    """Another thread takes the signal, so that nothing interrupts the main one, which alone handles it."""
    code = """
import signal, socket, threading, time, warnings
from outlay.journal.nudging import Nudging
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of forks beside threads
come = threading.Event()
nudging = Nudging(lambda number: number == signal.SIGUSR1 and not come.is_set())
aside = threading.Thread(target=nudging.begin)
aside.start()
aside.join()
assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL  # only the main thread can ask for it
nudging.begin()
handler = signal.getsignal(signal.SIGURG)
nudging.begin()
assert signal.getsignal(signal.SIGURG) is handler
lock = threading.Lock()
lock.acquire()
def handle(*_):
    come.set()
    lock.release()
signal.signal(signal.SIGUSR1, handle)
threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
began = time.monotonic()
lock.acquire(timeout=20)
assert time.monotonic() - began < 15
mine, theirs = socket.socketpair()
theirs.setblocking(False)
assert signal.set_wakeup_fd(theirs.fileno()) == -1
if not os.fork():
    os._exit(signal.set_wakeup_fd(-1) != theirs.fileno())
assert os.wait()[1] == 0
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_main_thread_is_nudged_until_a_signal_is_handled_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nudging, "_MOST", 3)
    monkeypatch.setattr(nudging, "_AGAIN", 0)
    asked: list[int] = []
    nudged: list[int] = []

    def waits(number: int) -> bool:
        asked.append(number)
        return number == signal.SIGTERM or (number == signal.SIGHUP and asked.count(number) == 1)

    read, write = os.pipe()
    os.write(write, bytes((signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGCHLD)))
    os.close(write)
    before = signal.signal(signal.SIGURG, lambda number, _frame: nudged.append(number))
    try:
        nudging.Nudging(waits)._watch(read, threading.get_ident())
    finally:
        signal.signal(signal.SIGURG, before)
        os.close(read)
    assert [asked.count(each) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)] == [3, 2, 1]
    assert nudged == [signal.SIGURG] * 4
