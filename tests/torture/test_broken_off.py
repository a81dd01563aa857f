"""A run of these faults that is broken off leaves nothing running: no writer, no shipper, no server."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.torture.processes import ROOT, until

_PROGRAM = """
import fcntl, time
held = open("held", "w")
fcntl.flock(held, fcntl.LOCK_EX)
print(1, flush=True)
time.sleep(600)
"""
_RUN = f"""
import sys, time
from pathlib import Path
from tests.torture.processes import Program, environ

home = Path(sys.argv[1])
Program("-c", {_PROGRAM!r}, env=environ(home), folder=home).wait_for_a_number()
print(1, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_a_run_has_started_ends_with_it(tmp_path: Path, number: signal.Signals) -> None:
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"1\n"
        assert not _is_free(tmp_path / "held")
        run.send_signal(number)
        run.wait(60)
    until(lambda: _is_free(tmp_path / "held"))


def _is_free(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
