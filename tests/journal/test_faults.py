"""Faults around a journal: of the disk, of the interpreter's end, of forks; each is said, none spreads."""

import atexit
import gc
import logging
import multiprocessing.util
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.garbage import ends_within

from outlay.core.record import Entry, Loss
from outlay.journal import Journal, is_live, line_of, read_segment, segments
from outlay.journal.lifecycle import watch_exit, watch_forks
from outlay.journal.losses import Losses
from outlay.journal.segments import Segment
from outlay.journal.writer import Writer
from outlay.testing import NOON, FixedClock, call


def kept(folder: Path) -> list[str]:
    """Give the ids of what stands in a folder's journals."""
    found = [entry for segment in segments(folder) for _, entry in read_segment(segment.path)]
    return [entry.id for entry in found if hasattr(entry, "id")]


def disk_with(left: int) -> Callable[[int, bytes], int]:
    """Give a write that takes so many bytes, and no more."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        nonlocal left
        if not left:
            raise OSError(28, "No space left on device")
        done = write(descriptor, bytes(data)[:left])
        left -= done
        return done

    return full


def test_a_thread_that_cannot_be_started_leaves_the_work_to_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the end of the interpreter, which starts no more threads."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    journal = Journal(tmp_path)
    record = call()
    journal.append(record)
    assert journal.flush(5)
    assert kept(tmp_path) == [record.id]
    journal.close()


def test_an_entry_that_comes_while_the_thread_is_being_started_waits_for_it(tmp_path: Path) -> None:
    """As one from a stream that is collected just then: it must not wait for its own thread's lock."""
    journal = Journal(tmp_path)
    with journal._starting:
        journal.append(call())
        assert journal._thread is None
    assert journal.pending == 1
    assert journal.flush(5)
    assert len(kept(tmp_path)) == 1
    journal.close()


def test_two_that_start_the_thread_at_once_start_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call())
    before = journal._thread
    journal._start()
    assert journal._thread is before is not None
    journal.close()


def test_a_writer_that_fails_in_a_way_nobody_foresaw_is_a_counted_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)
    write = Writer.write

    def fail(writer: Writer, batch: Any) -> bool:
        if list(batch):
            raise MemoryError("no room for the lines")
        return True

    monkeypatch.setattr(Writer, "write", fail)
    with caplog.at_level(logging.WARNING, "outlay"):
        journal.append(call())
        assert not journal.flush(5)
    assert journal.lost == (("the journal's writer failed: MemoryError", 1),)
    monkeypatch.setattr(Writer, "write", write)
    record = call()
    journal.append(record)
    assert journal.flush(5)
    assert kept(tmp_path) == [record.id]
    journal.close()


@pytest.mark.parametrize("fit", [0, 1, 2])
def test_a_count_of_losses_that_was_still_written_is_no_call_that_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: int
) -> None:
    """It comes before the calls; of two calls so many fit on the disk behind it."""
    losses = Losses()
    losses.add(5, "before")
    writer = Writer(tmp_path, losses, FixedClock(NOON), 2**20)
    calls = [call(), call()]
    first: list[Entry] = [*losses.untold(NOON), *calls[:fit]]
    left = sum(len(line_of(each)) for each in first) + 10
    monkeypatch.setattr(os, "write", disk_with(left))
    assert writer.write(calls) == (fit == len(calls))
    monkeypatch.undo()
    assert kept(tmp_path) == [each.id for each in calls[:fit]]
    assert sum(count for _, count in losses.by_reason) == 5 + len(calls) - fit
    writer.tell_losses()
    told = [e for s in segments(tmp_path) for _, e in read_segment(s.path) if isinstance(e, Loss)]
    assert sum(each.count for each in told) == 5 + len(calls) - fit


def test_a_disk_that_does_not_sync_is_told_by_flush_and_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(os, "fdatasync", fail)
    with caplog.at_level(logging.WARNING, "outlay"):
        journal.append(call())
        assert not journal.flush(5)
    assert "could not be synced to disk: Input/output error" in caplog.text
    monkeypatch.undo()
    journal.close()


@pytest.mark.parametrize("full", [False, True], ids=["by the interval", "of a segment that is full"])
def test_a_sync_that_failed_before_the_flush_is_told_by_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    full: bool,  # noqa: FBT001  # a parameter
) -> None:
    """A system tells that once: the next sync of the same file goes well, without what was given up."""
    journal = Journal(tmp_path, interval=0.01, batch_delay=0.0, segment_bytes=1 if full else 2**20)
    failed = threading.Event()
    sync = os.fsync

    def fail_once(descriptor: int) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError(5, "Input/output error")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_once)
    journal.append(call())
    if full:
        while journal.pending:
            time.sleep(0.001)
        journal.append(call())  # which begins another segment
    assert failed.wait(5)
    assert not journal.flush(5)
    journal.append(call())
    assert journal.flush(5)
    journal.close()


def test_an_end_without_anything_to_write_writes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.drain_at_exit()
    assert not (tmp_path / "journal").exists()


def test_an_end_waits_for_the_batch_that_the_thread_has_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue is empty then, and nothing of it is on disk."""
    begun, go_on = threading.Event(), threading.Event()
    write = Writer.write

    def slowly(self: Writer, batch: list[Entry]) -> bool:
        begun.set()
        assert go_on.wait(10)
        return write(self, batch)

    monkeypatch.setattr(Writer, "write", slowly)
    journal, record = Journal(tmp_path), call()
    journal.append(record)
    assert begun.wait(10)
    end = threading.Thread(target=journal.drain)
    end.start()
    end.join(0.2)
    waited = end.is_alive()
    go_on.set()
    end.join(10)
    assert waited
    assert kept(tmp_path) == [record.id]
    journal.close()


def test_what_comes_after_the_end_is_written_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call())
    journal.drain_at_exit()
    late = call()
    journal.append(late)
    assert late.id in kept(tmp_path)
    journal.close()


def test_a_thing_that_is_gone_is_not_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Callable[[], None]] = []
    drained: list[Entry | None] = []

    class Thing:
        """Has an end."""

        def drain_at_exit(self) -> None:
            drained.append(None)

        def start_anew_in_child(self) -> None:
            """Nothing to forget."""

    monkeypatch.setattr(atexit, "register", ends.append)
    monkeypatch.setattr(multiprocessing.util, "Finalize", lambda *_, **__: None)
    thing = Thing()
    watch_exit(thing)
    (end,) = ends
    end()
    assert len(drained) == 1
    del thing
    gc.collect()
    end()
    assert len(drained) == 1


def test_what_is_gone_when_its_process_forks_is_left_alone() -> None:
    class Thing:
        """Something whose process forks."""

        def drain_at_exit(self) -> None: ...

        def start_anew_in_child(self) -> None:
            begun.append(self)

    begun: list[Thing] = []
    stays, goes = Thing(), Thing()
    watch_forks(stays)
    watch_forks(goes)
    del goes
    gc.collect()
    child = os.fork()
    if child == 0:  # a fault here would leave begun as it is, or be no clean end
        sys.unraisablehook = lambda _: os._exit(2)
        os._exit(0 if begun == [stays] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert begun == []


def test_a_forked_writer_lets_go_of_its_parents_file_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(call())
    assert journal.flush(5)
    (segment,) = segments(tmp_path)
    before = segment.path.read_bytes()
    child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        os._exit(0 if journal._writer._file is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    journal._writer.abandon()
    assert segment.path.read_bytes() == before
    journal._writer.abandon()  # and has nothing more to let go of
    journal.close()


def test_a_segment_that_its_writer_takes_away_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}\n")
    (tmp_path / "b.jsonl").write_bytes(b"")
    stat = Path.stat

    def gone(path: Path, **how: Any) -> os.stat_result:
        if path.name == "b.jsonl":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", gone)
    assert segments(tmp_path) == [Segment(tmp_path / "a.jsonl", 3)]


def test_a_loss_that_a_garbage_collection_brings_while_others_are_counted_waits_for_nobody() -> None:
    """A stream that is collected is an entry, for which there may be no room either."""
    losses = Losses()
    losses.add(1, "full")

    assert ends_within(losses._lock, lambda: losses.add(1, "collected"))
    assert dict(losses.by_reason) == {"full": 1, "collected": 1}


def test_at_the_end_the_log_tells_how_many_calls_are_lost_in_all_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    losses = Losses()
    losses.warn_of_rest()
    assert not caplog.messages
    losses.add(1, "no room")
    losses.warn_once()
    losses.warn_of_rest()  # it is told already
    assert len(caplog.messages) == 1
    losses.add(9, "no room")
    losses.warn_of_rest()
    losses.warn_of_rest()
    assert caplog.messages[1:] == [
        "10 recorded call(s) in all could not be written to the journal and are lost"
    ]


def test_at_the_end_nobody_waits_long_for_a_batch_that_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outlay.journal.journal._TURN", 0.01)
    journal = Journal(tmp_path)
    journal._losses.add(1, "no room")
    with journal._draining:
        journal._tell_losses()
    assert not kept(tmp_path)
    journal._tell_losses()
    assert [entry for file in segments(tmp_path) for _, entry in read_segment(file.path)]


class Broken(logging.Handler):
    """A program's handler whose log server is away."""

    def emit(self, _record: logging.LogRecord) -> None:
        raise ConnectionError("away")


def test_a_programs_log_handler_that_raises_stops_no_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning of a lost call, and one of a sync that failed: what could be written is not told as lost."""

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    logger, handler = logging.getLogger("outlay"), Broken()
    logger.addHandler(handler)
    journal = Journal(tmp_path)
    unlucky, good, later = call(extra={"a": object()}), call(), call()
    try:
        journal.append(unlucky)
        journal.append(good)
        assert not journal.flush(5)
        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", fail)
            broken.setattr(os, "fdatasync", fail)
            journal.append(later)
            assert not journal.flush(5)
    finally:
        logger.removeHandler(handler)
        journal.close()
    assert kept(tmp_path) == [good.id, later.id]
    assert [count for _why, count in journal.lost] == [1]


def test_a_loss_that_did_not_fit_beside_another_is_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two reasons the disk takes the first alone."""
    losses = Losses()
    losses.add(5, "before")
    losses.add(7, "another reason")
    writer = Writer(tmp_path, losses, FixedClock(NOON), 2**20)
    left = len(line_of(losses.untold(NOON)[0]))
    monkeypatch.setattr(os, "write", disk_with(left))
    writer.write([])
    monkeypatch.undo()
    writer.tell_losses()
    assert not any(is_live(each.path) for each in segments(tmp_path))  # the last word of a process
    told = [e for s in segments(tmp_path) for _, e in read_segment(s.path) if isinstance(e, Loss)]
    assert {(each.why, each.count) for each in told} == {("before", 5), ("another reason", 7)}
