"""Folders of ClickHouse's engine in the temporary folder: those of dead test processes go."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.chdb import sweep


def test_what_killed_tests_left_is_removed_and_no_other_folder(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    names = (f"outlay-chdb-{ended.pid}-abc", f"outlay-chdb-{os.getpid()}-abc", "outlay-chdb-abc", "other-1-x")
    for name in names:
        (tmp_path / name / "store").mkdir(parents=True)
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
