"""``outlay run`` at SIGTERM with a server's ledger: what was recorded last arrives, in bounded time."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.command import clean_environ
from tests.support.postgres import empty, shared

from outlay.core.query import Query
from outlay.journal import read_segment, segments
from outlay.ledger import PostgresLedger

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")

PROGRAM = """
import os, sys, time
import outlay
from outlay import process
courier = process.current()._courier
courier._interval = 1000  # the next look at the journals is far away
for _ in range(3):
    if sys.argv[1] == "child" and os.fork():
        os.wait()
    else:
        outlay.record(provider="openai", model="gpt-4o", input_tokens=1)
        if sys.argv[1] == "child":
            outlay.flush()
            os._exit(0)
print("ready", flush=True)
while True:
    time.sleep(0.05)
    if sys.argv[1] == "busy":
        outlay.record(provider="openai", model="gpt-4o", input_tokens=1, user="busy")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with shared() as url:
        yield url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with empty(server) as url:
        yield url


@pytest.fixture
def terminated(tmp_path: Path) -> Callable[[str, str], tuple[int, float]]:
    """Give what runs the program with that ledger, ends it by SIGTERM, and says how and after how long."""

    def run(url: str, how: str = "alone") -> tuple[int, float]:
        (tmp_path / "prog.py").write_text(PROGRAM, encoding="utf-8")
        environ = {**clean_environ(tmp_path), "OUTLAY_LEDGER": url, "OUTLAY_HOME": str(tmp_path / "home")}
        command = [sys.executable, "-W", "ignore", "-m", "outlay", "run", "prog.py", how]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=environ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            began = time.monotonic()
            process.terminate()
            return process.wait(60), time.monotonic() - began

    return run


@pytest.mark.parametrize("how", ["alone", "child"])
def test_what_waits_is_shipped_before_the_end(
    url: str, terminated: Callable[..., tuple[int, float]], how: str
) -> None:
    """A container's own disk is gone a moment later; what children left is on it too."""
    assert terminated(url, how)[0] == -signal.SIGTERM
    ledger = PostgresLedger(url)
    assert ledger.rows(Query()).total["calls"] == 3
    ledger.close()


def test_a_server_that_swallows_all_holds_the_end_up_for_seconds_only(
    tmp_path: Path, terminated: Callable[..., tuple[int, float]]
) -> None:
    """What the program goes on to record meanwhile is written as well."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, took = terminated(f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/x", "busy")
    assert (code, took < 30) == (-signal.SIGTERM, True)
    written = [entry for each in segments(tmp_path / "home" / "journal") for entry in read_segment(each.path)]
    assert len(written) > 3
