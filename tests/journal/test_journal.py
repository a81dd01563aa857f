"""The journal: nothing waits, nothing raises, and what cannot be written is counted and told."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from outlay.core.codec import entry_json
from outlay.core.record import Entry, Loss, Record
from outlay.journal import Journal, is_live, read_segment, segments
from outlay.testing import NOON, FixedClock, call


def entries(folder: Path) -> list[Entry]:
    """Read all entries of a folder; faults are none of them."""
    found = [entry for segment in segments(folder) for _, entry in read_segment(segment.path)]
    return [entry for entry in found if isinstance(entry, Entry)]


def test_a_flushed_entry_is_a_whole_line_on_disk(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal")
    record = call(units={"input": 5})
    journal.append(record)
    assert journal.flush(10)
    (segment,) = segments(journal.folder)
    text = segment.path.read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["id"] == record.id
    assert entries(journal.folder) == [record]
    assert (journal.pending, journal.lost) == (0, ())
    journal.close()


def test_entries_keep_their_order_and_none_is_missing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    records = [call() for _ in range(12_000)]  # more than two batches
    for record in records:
        journal.append(record)
    journal.close()
    assert entries(tmp_path) == records


def test_many_threads_append_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    records = [[call() for _ in range(500)] for _ in range(4)]

    def work(mine: list[Record]) -> None:
        for record in mine:
            journal.append(record)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.flush(10)
    assert {e.id for e in entries(tmp_path) if isinstance(e, Record)} == {
        r.id for mine in records for r in mine
    }
    journal.close()


def test_a_segment_is_live_until_it_is_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call())
    journal.flush(10)
    (segment,) = segments(tmp_path)
    assert is_live(segment.path)
    journal.close()
    assert not is_live(segment.path)


def test_a_closed_journal_takes_entries_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call())
    journal.close()
    journal.append(call())
    assert journal.flush(10)
    assert len(entries(tmp_path)) == 2
    journal.close()
    journal.close()


def test_nothing_recorded_leaves_no_trace(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    assert journal.flush(10)
    journal.close()
    assert not (tmp_path / "journal").exists()


def test_a_segment_ends_at_its_size(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    for _ in range(3):
        journal.append(call())
        journal.flush(10)
    journal.close()
    assert [len(segment.path.read_text().splitlines()) for segment in segments(tmp_path)] == [1, 1, 1]


def test_a_segment_ends_at_midnight(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC))
    journal = Journal(tmp_path, clock=clock)
    journal.append(call())
    journal.flush(10)
    clock.move(1)
    journal.append(call())
    journal.close()
    assert [segment.name[:15] for segment in segments(tmp_path)] == ["20261122T235959", "20261123T000000"]


@pytest.mark.parametrize(("sync", "expected"), [("never", 0), ("always", 1)])
def test_the_policy_decides_on_syncing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: str, expected: int
) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    journal = Journal(tmp_path, sync="never" if sync == "never" else "always", batch_delay=0.0)
    journal.append(call())
    wait_for(lambda: entries(tmp_path))
    wait_for(lambda: len(synced) >= expected)
    assert bool(synced) == bool(expected)
    journal.flush(10)  # always syncs, whatever the policy
    assert synced
    journal.close()


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so; the test fails after ten seconds."""
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")


def test_what_cannot_be_written_is_lost_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path)
    good = [call(), call()]
    for entry in (good[0], call(extra={"what": object()}), good[1]):
        journal.append(entry)
    assert not journal.flush(10)
    ((why, count),) = journal.lost
    assert count == 1
    assert "object" in why
    assert [e for e in entries(tmp_path) if isinstance(e, Record)] == good
    journal.append(call(extra={"what": object()}))
    journal.close()
    assert [(r.name, r.levelno) for r in caplog.records] == [("outlay", logging.WARNING)]
    losses = [e for e in entries(tmp_path) if isinstance(e, Loss)]
    assert sum(loss.count for loss in losses) == 2


class Later:
    """What makes an entry when it is asked, and remembers where that was."""

    def __init__(self, record: Record | None) -> None:
        self._record = record
        self.thread = ""

    def entry(self) -> Entry:
        self.thread = threading.current_thread().name
        if self._record is None:
            raise ValueError("cannot be made")
        return self._record

    def json(self) -> dict[str, Any]:
        return entry_json(self.entry())


def test_what_is_deferred_is_made_in_the_journals_own_thread_and_in_its_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    records = [call() for _ in range(3)]
    later = Later(records[1])
    journal.append(records[0])
    journal.defer(later)
    journal.append(records[2])
    assert journal.flush(10)
    assert entries(tmp_path) == records
    assert later.thread == "outlay-journal"
    journal.close()


def until(reached: Callable[[], bool]) -> bool:
    """Wait until something is so, ten seconds at most."""
    for _ in range(2_000):
        if reached():
            return True
        time.sleep(0.005)
    return False


@pytest.mark.parametrize("hand_in", [Journal.append, Journal.defer])
def test_a_journal_that_sleeps_is_woken_by_the_next_call(
    tmp_path: Path, hand_in: Callable[[Journal, Later], None]
) -> None:
    """Nobody flushes, and this thread has no deadline of its own: it would sleep for ever."""
    journal = Journal(tmp_path, sync="never", batch_delay=0)
    journal.append(call())
    assert journal.flush(10)
    assert until(lambda: journal._asleep)
    record = call()
    hand_in(journal, Later(record))
    assert until(lambda: entries(tmp_path)[1:] == [record])
    journal.close()


def test_what_cannot_be_made_is_lost_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path)
    record = call()
    journal.defer(Later(None))
    journal.defer(Later(record))
    assert not journal.flush(10)
    ((why, count),) = journal.lost
    assert (count, "cannot be made" in why) == (1, True)
    assert [e for e in entries(tmp_path) if isinstance(e, Record)] == [record]
    assert len(caplog.records) == 1
    journal.close()


def test_a_journal_that_is_kept_waiting_holds_few_unmade(tmp_path: Path) -> None:
    """What is not made yet may refer to a whole response; beyond a bound the caller's own thread makes it."""
    journal = Journal(tmp_path, batch_delay=30)
    waiting = [Later(call()) for _ in range(2_001)]
    for each in waiting:
        journal.defer(each)
    assert [each.thread for each in waiting if each.thread] == [threading.current_thread().name]
    assert journal.flush(10)
    assert len(entries(tmp_path)) == 2_001
    journal.close()


def test_half_a_character_costs_no_call(tmp_path: Path) -> None:
    """A stream may be cut inside a surrogate pair; such text has no UTF-8."""
    journal = Journal(tmp_path)
    journal.append(call(reply="cut \ud83d", user="u1"))
    assert journal.flush(10)
    (found,) = entries(tmp_path)
    assert isinstance(found, Record)
    assert (found.reply, found.user) == ("cut ?", "u1")
    journal.close()


def test_a_full_queue_loses_what_is_too_much(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path, max_pending=3, batch_delay=30)
    for _ in range(5):
        journal.append(call())
    assert journal.pending == 3
    journal.flush(10)
    assert journal.lost == (("more than 3 entries were waiting to be written", 2),)
    assert len([e for e in entries(tmp_path) if isinstance(e, Record)]) == 3
    assert [(e.count, e.why) for e in entries(tmp_path) if isinstance(e, Loss)] == [(2, journal.lost[0][0])]
    assert len(caplog.records) == 1
    journal.close()


def test_losses_are_told_as_soon_as_writing_works(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The folder's place is taken by a file first: nobody can write there, not even root."""
    folder = tmp_path / "journal"
    folder.write_text("in the way")
    journal = Journal(folder, clock=FixedClock())
    journal.append(call())
    journal.append(call())
    assert not journal.flush(10)
    ((why, count),) = journal.lost
    assert count == 2
    assert str(folder) in why
    folder.unlink()
    record = call()
    journal.append(record)
    assert journal.flush(10)
    assert entries(folder) == [Loss(at=NOON, count=2, why=why), record]
    assert len(caplog.records) == 1
    journal.close()


@pytest.mark.parametrize("room", [0, 10, 10_000])
def test_a_write_that_fails_half_way_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, room: int
) -> None:
    """A disk that takes so many bytes and no more; what fits is kept, the rest counted."""
    real = os.write
    left = [room]

    def write(descriptor: int, data: bytes) -> int:
        some = bytes(data)[: left[0]]
        if not some:
            raise OSError(28, "No space left on device")
        left[0] -= len(some)
        return real(descriptor, some)

    journal = Journal(tmp_path)
    records = [call() for _ in range(50)]
    monkeypatch.setattr(os, "write", write)
    for record in records:
        journal.append(record)
    assert not journal.flush(10)
    monkeypatch.undo()
    # The loss itself may be told already: the disk has room again.
    kept = [entry for entry in entries(tmp_path) if not isinstance(entry, Loss)]
    assert kept == records[: len(kept)]
    assert sum(count for _, count in journal.lost) == 50 - len(kept)
    assert (len(kept) > 0) == (room > 1000)
    texts = [segment.path.read_bytes() for segment in segments(tmp_path)]
    assert all(text.endswith(b"\n") for text in texts if text)  # one may be open, with nothing in it yet
    journal.append(records[-1])
    assert journal.flush(10)
    assert sum(e.count for e in entries(tmp_path) if isinstance(e, Loss)) == 50 - len(kept)
    journal.close()


def test_while_python_ends_the_caller_writes_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream in a variable of a module ends then, when no thread can be started and ours is frozen."""
    journal = Journal(tmp_path)
    first, second = call(), call()
    with monkeypatch.context() as ending:
        ending.setattr(sys, "is_finalizing", lambda: True)
        journal.append(first)
        journal.append(second)
        assert journal.flush()
    assert {each.id for each in entries(tmp_path) if isinstance(each, Record)} == {first.id, second.id}
    journal.close()


def test_while_python_ends_all_that_waits_is_written_however_many_batches_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread, which would come back for the rest, is frozen."""
    monkeypatch.setattr("outlay.journal.journal._BATCH", 3)
    journal = Journal(tmp_path)
    waiting = [call() for _ in range(10)]
    journal._queue.extend(waiting)
    with monkeypatch.context() as ending:
        ending.setattr(sys, "is_finalizing", lambda: True)
        assert journal.flush()
    assert entries(tmp_path) == waiting
    journal.close()


def test_while_python_ends_nobody_waits_for_a_thread_that_was_frozen_within_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    with monkeypatch.context() as ending:
        ending.setattr(sys, "is_finalizing", lambda: True)
        with journal._draining:
            journal.append(call())
            assert not journal.flush()
    assert journal.flush(10)
    assert len(entries(tmp_path)) == 1
    journal.close()


def test_a_flush_tells_of_what_was_lost_in_a_batch_before(tmp_path: Path) -> None:
    """However many batches were kept since the last flush; what that one has told is told once."""
    journal = Journal(tmp_path, batch_delay=0.0)
    journal.append(call(extra={"what": object()}))
    wait_for(lambda: journal.lost and not journal.pending)
    journal.append(call())
    wait_for(lambda: not journal.pending and any(isinstance(e, Record) for e in entries(tmp_path)))
    assert not journal.flush(10)
    assert journal.flush(10)
    journal.close()


def test_a_file_that_takes_nothing_any_more_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system that was taken away and is there again: nothing is lost."""
    real = os.write
    failed: list[int] = []

    def write(descriptor: int, data: bytes) -> int:
        if not failed:
            failed.append(descriptor)
            raise OSError(116, "Stale file handle")
        return real(descriptor, data)

    journal = Journal(tmp_path)
    first, second = call(), call()
    journal.append(first)
    assert journal.flush(10)
    monkeypatch.setattr(os, "write", write)
    journal.append(second)
    assert journal.flush(10)
    journal.close()
    assert (journal.lost, failed != []) == ((), True)
    assert {each.id for each in entries(tmp_path) if isinstance(each, Record)} == {first.id, second.id}


def test_what_a_segment_held_before_is_not_counted_among_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    journal = Journal(tmp_path)
    journal.append(call())
    assert journal.flush(10)
    monkeypatch.setattr(os, "write", full)
    for _ in range(3):
        journal.append(call())
    assert not journal.flush(10)
    assert sum(count for _, count in journal.lost) == 3
    monkeypatch.undo()
    journal.close()


def test_each_segment_and_its_name_have_reached_the_disk_when_a_flush_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those too that were full before, be it without a flush."""
    synced: set[int] = set()
    listed: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    def has(number: int) -> bool:
        return len(entries(tmp_path)) == number

    monkeypatch.setattr("outlay.journal.files.sync_folder", listed.append)
    journal = Journal(tmp_path, sync="never", batch_delay=0.0, segment_bytes=1)
    for number in range(1, 4):
        journal.append(call())
        wait_for(partial(has, number))
    assert journal.flush(10)
    assert {each.path.stat().st_ino for each in segments(tmp_path)} <= synced
    assert listed == [tmp_path] * 3
    journal.append(call())
    journal.close()
