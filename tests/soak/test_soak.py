"""A few seconds of the soak; ``make soak`` does two minutes of 64 threads and 500 tasks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_ledger_says_what_the_server_billed_and_nothing_is_left_open() -> None:
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "tests.soak", "3", "8", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| yes |") == 8
