"""What waits in a journal: bytes, lines and since when, beyond what was taken."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outlay.journal import Waiting, segments, waiting


def test_a_folder_that_is_not_there_has_nothing_waiting(tmp_path: Path) -> None:
    assert waiting(tmp_path / "none", {}) == Waiting(0, 0, None)


def test_only_what_lies_beyond_the_offsets_waits(tmp_path: Path) -> None:
    first, second = '{"at": "2026-11-01T00:00:00Z"}\n', '{"at": "2026-11-02T00:00:00Z"}\n'
    (tmp_path / "a.jsonl").write_text(first + second, encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(first, encoding="utf-8")
    found = waiting(tmp_path, {"a.jsonl": len(first), "b.jsonl": len(first)})
    assert found == Waiting(len(second), 1, datetime(2026, 11, 2, tzinfo=UTC))
    assert waiting(tmp_path, {"a.jsonl": len(first)}).since == datetime(2026, 11, 1, tzinfo=UTC)
    both = 2 * len(first) + len(second)
    assert waiting(tmp_path, {}) == Waiting(both, 3, datetime(2026, 11, 1, tzinfo=UTC))


def test_a_faulty_line_waits_too_and_says_no_time(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{no json\n[]\n", encoding="utf-8")
    assert waiting(tmp_path, {}) == Waiting(12, 2, None)


def test_what_goes_while_it_is_counted_has_no_lines_and_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pruning process may take a segment away between the listing and the look into it."""
    (tmp_path / "a.jsonl").write_text('{"at": "2026-11-01T00:00:00Z"}\n', encoding="utf-8")
    listed = segments(tmp_path)
    (tmp_path / "a.jsonl").unlink()
    monkeypatch.setattr(sys.modules[waiting.__module__], "segments", lambda _: listed)
    assert waiting(tmp_path, {}) == Waiting(31, 0, None)
