"""The engine beside a server's ledger: its folder goes with its import, or with the next if it was killed."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from outlay.ledger import beside

HELD = """
import sys
from outlay.ledger.beside import Beside
beside = Beside(None)
print(beside.spool.parent, flush=True)
sys.stdin.read()
"""


def test_folders_of_killed_imports_go_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those of imports that still run, however long, nor what others keep there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "outlay-notes").mkdir()
    (tmp_path / "outlay-import-notes").mkdir()
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", HELD], stdin=-1, stdout=-1, env=environ) for _ in range(2)
    ]
    try:
        folders = [Path(each.stdout.readline().decode().strip()) for each in started if each.stdout]
        for folder in folders:
            os.utime(folder / "import.lock", (0, 0))
        started[0].send_signal(signal.SIGKILL)
        started[0].wait()
        nobody: Any = None
        beside.Beside(nobody).close()
        assert [folder.exists() for folder in folders] == [False, True]
    finally:
        for each in started:
            each.kill()
            each.communicate()
    left = {each.name for each in tmp_path.iterdir()}
    assert left == {"outlay-notes", "outlay-import-notes", folders[1].name}
