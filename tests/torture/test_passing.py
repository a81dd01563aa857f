"""Folders of servers and long runs in the temporary folder: those of dead processes go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.passing import made, passing, sweep


def test_what_killed_tests_left_is_removed_and_no_other_folder(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    names = (f"outlay-chdb-{ended.pid}-abc", f"outlay-chdb-{os.getpid()}-abc", "outlay-chdb-abc", "other-1-x")
    for name in names:
        (tmp_path / name / "store").mkdir(parents=True)
    sweep(tmp_path, "outlay-chdb-")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_folder_is_kept_while_its_maker_lives_and_gone_with_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = made("chdb")
    with passing("chdb") as second:
        assert {first, second} == set(tmp_path.iterdir())
    assert {first} == set(tmp_path.iterdir())
