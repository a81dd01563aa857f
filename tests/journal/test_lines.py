"""Files of JSON lines that several programs share: a line is whole or an error, and nothing is swallowed."""

import os
from pathlib import Path

import pytest

from outlay.core.errors import JournalError
from outlay.journal.lines import append_line, read_objects


def test_a_line_makes_its_folder_and_gives_the_size(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "lines.jsonl"
    assert append_line(path, b'{"a": 1}') == 9
    assert append_line(path, b'{"b": 2}') == 18
    assert list(read_objects(path)) == [{"a": 1}, {"b": 2}]


def test_a_line_stands_alone_behind_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a": 1}\n{"b":')
    append_line(path, b'{"c": 3}')
    assert list(read_objects(path)) == [{"a": 1}, None, {"c": 3}]


def test_what_is_no_object_is_told_as_none_and_blank_lines_are_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n[1]\n  \nnonsense\n')
    assert list(read_objects(path)) == [{"a": 1}, None, None]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert list(read_objects(tmp_path / "none.jsonl")) == []


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read: Is a directory"):
        list(read_objects(tmp_path))
    with pytest.raises(JournalError, match="cannot be written: Is a directory"):
        append_line(tmp_path, b"{}")


def test_a_disk_that_takes_a_part_of_a_line_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    with pytest.raises(JournalError, match="took only a part of a line"):
        append_line(tmp_path / "lines.jsonl", b'{"a": 1}')
