"""Removing journals: only what is wholly taken in, old, and written by nobody any more."""

import logging
import os
from pathlib import Path

import pytest

from outlay.journal import Journal, removal, remove_taken, segments
from outlay.testing import NOON, call

LINE = b"{}\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Give a journal of one line that was last written in 1970."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINE)
    os.utime(path, (0, 0))
    return path


def test_what_is_taken_in_and_old_goes(old: Path) -> None:
    assert remove_taken(old.parent, {"a.jsonl": len(LINE)}, NOON) == ["a.jsonl"]
    assert not old.exists()


@pytest.mark.parametrize("taken", [{}, {"a.jsonl": len(LINE) - 1}])
def test_what_is_not_wholly_taken_in_stays(old: Path, taken: dict[str, int]) -> None:
    assert remove_taken(old.parent, taken, NOON) == []
    assert old.exists()


def test_what_was_written_since_stays(old: Path) -> None:
    os.utime(old, (NOON.timestamp(), NOON.timestamp()))
    assert remove_taken(old.parent, {"a.jsonl": len(LINE)}, NOON) == []
    assert old.exists()


def test_what_a_process_writes_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call())
    assert journal.flush(10)
    (segment,) = segments(tmp_path)
    os.utime(segment.path, (0, 0))
    taken = {segment.name: segment.size}
    assert remove_taken(tmp_path, taken, NOON) == []
    journal.close()
    os.utime(segment.path, (0, 0))
    assert remove_taken(tmp_path, taken, NOON) == [segment.name]


def test_what_another_process_has_just_removed_is_no_fault(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two may ship from one home, each to a ledger of its own."""

    def removed_meanwhile(path: Path) -> bool:
        path.unlink()
        return False

    monkeypatch.setattr(removal, "is_live", removed_meanwhile)
    assert remove_taken(old.parent, {"a.jsonl": len(LINE)}, NOON) == []


def test_what_its_writer_added_before_it_died_stays(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies_after_a_last_line(path: Path) -> bool:
        with path.open("ab") as file:
            file.write(LINE)
        os.utime(path, (0, 0))
        return False

    monkeypatch.setattr(removal, "is_live", dies_after_a_last_line)
    assert remove_taken(old.parent, {"a.jsonl": len(LINE)}, NOON) == []
    assert old.read_bytes() == 2 * LINE


def test_a_journal_that_cannot_be_removed_stays_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n")
    os.utime(path, (0, 0))

    def refuse(_path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - Path's signature
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    with caplog.at_level(logging.WARNING, "outlay"):
        assert remove_taken(tmp_path, {"a.jsonl": 3}, NOON) == []
    assert "cannot be removed: Operation not permitted" in caplog.text
    assert path.exists()


def test_an_empty_segment_of_a_process_that_was_killed_goes_too(tmp_path: Path) -> None:
    """It was opened and never written; no ledger has heard of it."""
    empty = tmp_path / "a.jsonl"
    empty.touch()
    os.utime(empty, (0, 0))
    assert remove_taken(tmp_path, {}, NOON) == ["a.jsonl"]
