"""Reading segments: good lines come through whatever stands beside them."""

import fcntl
from pathlib import Path

import orjson
import pytest

from outlay.core.codec import entry_json
from outlay.core.errors import JournalError
from outlay.core.record import Entry, Score
from outlay.journal import Fault, is_live, pending_bytes, read_segment, segments
from outlay.testing import NOON, call


def line(entry: Entry) -> bytes:
    """Write an entry as a journal does."""
    return orjson.dumps(entry_json(entry)) + b"\n"


def test_entries_come_with_the_offset_after_them(tmp_path: Path) -> None:
    record, score = call(), Score(record_id=call().id, at=NOON, correct=True)
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(record) + line(score))
    first, second = read_segment(path)
    assert first == (len(line(record)), record)
    assert second == (path.stat().st_size, score)
    assert list(read_segment(path, first[0])) == [second]
    assert list(read_segment(path, second[0])) == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"{\n", "unexpected end"),
        (b"[1]\n", "not a JSON object"),
        (b"\xff\xfe\n", "not valid UTF-8"),
        (b'{"id": "x"}\n', "not a record"),
        (b'{"schema": 99, "id": "x"}\n', "upgrade"),
        (b'{"lost": 1}\n', "not a journal entry"),
    ],
)
def test_a_broken_line_is_a_fault_and_the_others_go_on(tmp_path: Path, broken: bytes, reason: str) -> None:
    one, two = call(), call()
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(one) + broken + b"\n" + line(two))
    (_, first), (after, fault), (_, last) = read_segment(path)
    assert (first, last) == (one, two)
    assert isinstance(fault, Fault)
    assert (fault.offset, fault.row) == (len(line(one)), 2)
    assert reason in fault.reason
    assert after == len(line(one)) + len(broken)


def test_a_torn_last_line_waits_while_its_writer_lives(tmp_path: Path) -> None:
    record = call()
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(record) + line(call())[:-20])
    with path.open("ab") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert list(read_segment(path)) == [(len(line(record)), record)]
    (_, fault) = list(read_segment(path))[1]
    assert isinstance(fault, Fault)
    assert fault.reason.startswith("torn at the end of the file")


def test_a_whole_last_line_without_its_newline_is_an_entry_once_the_writer_is_dead(tmp_path: Path) -> None:
    record = call()
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(record).rstrip())
    assert [entry for _, entry in read_segment(path)] == [record]


def test_segments_are_listed_by_name_with_what_is_pending(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(b"12345\n")
    (tmp_path / "a.jsonl").write_bytes(b"123\n")
    (tmp_path / "other.txt").write_bytes(b"no segment")
    assert [(segment.name, segment.size) for segment in segments(tmp_path)] == [
        ("a.jsonl", 4),
        ("b.jsonl", 6),
    ]
    assert pending_bytes(tmp_path, {"a.jsonl": 4, "b.jsonl": 1, "gone.jsonl": 7}) == 5
    assert pending_bytes(tmp_path, {"a.jsonl": 9}) == 6  # one that was cut since makes up for none
    assert segments(tmp_path / "missing") == []


def test_a_folder_that_cannot_be_read_is_said_and_not_taken_for_empty(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(JournalError, match="cannot read the journals in"):
        segments(tmp_path / "journal")
    with pytest.raises(JournalError, match="cannot read the journal "):
        list(read_segment(tmp_path / "missing.jsonl"))


def test_who_asks_whether_a_writer_lives_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(call()))
    with path.open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        assert not is_live(path)
