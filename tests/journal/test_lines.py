"""Files of JSON lines that several programs share: a line is whole or an error, and nothing is swallowed."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outlay.core.errors import JournalError
from outlay.journal.lines import append_line, json_line, read_objects


class Wide(float):
    """A number of another kind."""


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"a": 1.5, 2: None}, '{"a":1.5,"2":null}'),
        ({"a": np.float32(0.5), "b": np.arange(3), "c": np.int64(7)}, '{"a":0.5,"b":[0,1,2],"c":7}'),
        ({"a": float("nan"), "b": np.float64("inf")}, '{"a":null,"b":null}'),
        ({"a": Wide(2.5), "b": Wide("nan")}, '{"a":2.5,"b":null}'),
        ({"a": Path("x/y")}, '{"a":"x/y"}'),
        ({"a": np.array(["x"])}, '{"a":["x"]}'),
        # what needs the slower way: half a pair of surrogates, a number of more than 64 bits
        ({"a": "half \ud800", 1: [(float("inf"), {2: 3})]}, '{"a": "half ?", "1": [[null, {"2": 3}]]}'),
        ({"a": 2**70, "b": np.array([1.0, float("nan")])}, '{"a": 1180591620717411303424, "b": [1.0, null]}'),
    ],
)
def test_whatever_a_program_hands_over_is_one_line_of_json(data: dict[Any, Any], line: str) -> None:
    assert json_line(data).decode() == line


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
