"""The process's own set: forks and garbage collections in the middle of its work hold nobody up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.garbage import ends_within

from outlay.process import Process
from outlay.settings import Settings
from outlay.testing import call


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_child_forked_while_another_thread_reads_the_settings_can_record(tmp_path: Path) -> None:
    program = """
import os, threading, time
from outlay import process
inside, go_on, load = threading.Event(), threading.Event(), process.load
def slow(*asked):
    inside.set()
    go_on.wait(20)
    return load(*asked)
process.load = slow
reading = threading.Thread(target=process.current().recorder)
reading.start()
inside.wait()
child = os.fork()
if child == 0:
    process.load = load
    os._exit(0 if process.current().recorder().record(model="m", input_tokens=1).model == "m" else 1)
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        print(os.waitstatus_to_exitcode(status))
        break
    time.sleep(0.01)
else:
    os.kill(child, 9)
    print("the child waits for ever")
go_on.set()
reading.join()
"""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OUTLAY_LEDGER": str(tmp_path)},
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")


def test_an_entry_that_a_garbage_collection_brings_while_another_is_kept_is_kept_too(tmp_path: Path) -> None:
    """A ledger in memory is written to at once, and a stream may be collected just then."""
    here = Process(Settings(home=tmp_path, ledger="memory:"))
    sink = here.recorder().sink
    lock = sink._lock  # type: ignore[attr-defined]  # as within append
    assert ends_within(
        lock, lambda: sink.append(call(user="collected")), lambda: sink.append(call(user="kept"))
    )
    with here.open() as reader:
        assert {record.user for record in reader.calls()} == {"collected", "kept"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_child_forked_while_another_thread_keeps_a_call_in_memory_can_record() -> None:
    program = """
import os, signal, threading
from outlay import process
recorder = process.current().recorder()
inside, go_on = threading.Event(), threading.Event()
def keep():
    with recorder.sink._lock:  # as within append
        inside.set()
        go_on.wait(20)
keeping = threading.Thread(target=keep)
keeping.start()
inside.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    recorder.record(model="m", input_tokens=1)
    os._exit(0)
go_on.set()
keeping.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OUTLAY_LEDGER": "memory:"},
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")
