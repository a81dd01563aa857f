"""A disk that is nearly full: nothing is written, all is counted, it is said once, and it begins again."""

import os
from pathlib import Path

import pytest

from outlay.core.record import Loss, Record
from outlay.journal import Journal, read_segment, room, segments
from outlay.journal.room import Room
from outlay.testing import FixedClock, call

GIB = 2**30


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Give a disk whose room a test sets, and which counts how often it was looked at."""
    state = {"free": 10 * GIB, "size": 100 * GIB, "looks": 0}

    def look(_folder: Path) -> tuple[int, int]:
        state["looks"] += 1
        return state["free"], state["size"]

    monkeypatch.setattr(room, "_free_and_size", look)
    return state


def test_below_the_floor_calls_are_counted_and_recording_begins_again_with_room(
    tmp_path: Path, disk: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    clock = FixedClock()
    journal = Journal(tmp_path, min_free=GIB, clock=clock, batch_delay=0)
    journal.append(call())
    assert journal.flush(10)
    disk["free"] = GIB - 1
    for n in range(5):
        clock.move(1)
        journal.append(call())
        assert not journal.flush(10), n
    why = f"less than 1,024 MiB (min_free) are free on the disk of {tmp_path}"
    assert journal.lost == ((why, 5),)
    assert caplog.text.count("are lost") == 1
    disk["free"] = GIB
    clock.move(1)
    journal.append(call())
    assert journal.flush(10)
    journal.close()
    (segment,) = segments(tmp_path)
    entries = [entry for _, entry in read_segment(segment.path)]
    assert [type(entry) for entry in entries] == [Record, Loss, Record]
    assert [(each.count, each.why) for each in entries if isinstance(each, Loss)] == [(5, why)]
    assert caplog.text.count("there is room for the journal") == 1


def test_the_disk_is_looked_at_once_a_second_and_not_for_each_call(
    tmp_path: Path, disk: dict[str, int]
) -> None:
    clock = FixedClock()
    journal = Journal(tmp_path, min_free=GIB, clock=clock, batch_delay=0)
    for _ in range(20):
        journal.append(call())
        assert journal.flush(10)
    assert disk["looks"] == 1
    clock.move(1)
    journal.append(call())
    journal.close()
    assert disk["looks"] == 2


def test_by_itself_a_small_disk_keeps_a_twentieth_free_and_a_large_one_256_mib(
    tmp_path: Path, disk: dict[str, int]
) -> None:
    for size, floor in ((100 * GIB, 256 * 2**20), (GIB, GIB // 20)):
        disk.update(size=size, free=floor)
        assert Room(tmp_path, None, lambda: 0.0).lacking() is None
        disk["free"] = floor - 1
        assert Room(tmp_path, None, lambda: 0.0).lacking() is not None
    assert Room(tmp_path, 0, lambda: 0.0).lacking() is None


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        (1, "1 byte "),
        (1023, "1,023 bytes "),
        (1024, "1 KiB "),
        (500_000, "488 KiB "),
        (2**20, "1 MiB "),
        (1_572_864, "1.5 MiB "),
        (500_000_000, "477 MiB "),
    ],
)
def test_the_floor_is_told_in_a_unit_that_fits(
    tmp_path: Path, disk: dict[str, int], floor: int, said: str
) -> None:
    disk["free"] = floor - 1
    why = Room(tmp_path, floor, lambda: 0.0).lacking()
    assert why == f"less than {said}(min_free) are free on the disk of {tmp_path}"


def test_a_real_disk_is_asked(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    free = found.f_bavail * found.f_frsize
    assert Room(tmp_path, free * 2, lambda: 0.0).lacking() is not None
    assert Room(tmp_path, 1, lambda: 0.0).lacking() is None
    assert Room(tmp_path / "not" / "there", free * 2, lambda: 0.0).lacking() is None
