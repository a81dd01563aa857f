"""The shipper: each entry once in the ledger, whatever fails and whenever it is killed."""

import os
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from tests.support.faulty import FaultyLedger, of_user

from outlay.core.errors import LedgerBusyError, RefusedEntryError
from outlay.core.query import CallQuery, Query
from outlay.core.record import Entry, Loss
from outlay.journal import Journal, line_of, read_objects, segments
from outlay.ledger.ship import Offsets, Shipper, parcels, proof, verify_shipped
from outlay.ledger.ship.turns import Turn
from outlay.testing import NOON, FixedClock, call

URL = "postgresql://me:secret@db.example:5433/calls?schema=x&password=hush"


@pytest.fixture
def ledger() -> FaultyLedger:
    return FaultyLedger()


@pytest.fixture
def shipper(tmp_path: Path, ledger: FaultyLedger) -> Shipper:
    return Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger, now=lambda: NOON)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """Give a function that writes calls of these users into a segment of their own."""

    def written(*users: str) -> None:
        journal = Journal(tmp_path / "journal")
        for user in users:
            journal.append(call(user=user))
        journal.close()

    return written


def count(ledger: FaultyLedger) -> int:
    """Count the calls."""
    return int(ledger.rows(Query()).total["calls"])


def test_what_a_ledger_refuses_of_lines_is_found_by_a_closer_look(
    tmp_path: Path, write: Callable[..., None]
) -> None:
    class Lines(FaultyLedger):
        """Takes lines as they are, all or none."""

        def add_lines(self, lines: Iterable[bytes]) -> int:
            raise RefusedEntryError(f"one of {len(list(lines))}")

    ledger = Lines(of_user("b"))
    write("a", "b", "c")
    done = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger, now=lambda: NOON).run()
    assert (done.new, done.dead, count(ledger)) == (2, 1, 2)


def test_what_is_pending_is_shipped_once(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path
) -> None:
    write("a", "b")
    assert shipper.pending() > 0
    done = shipper.run()
    assert (done.entries, done.new, done.dead, done.error) == (2, 2, 0, None)
    assert (count(ledger), shipper.pending()) == (2, 0)
    assert shipper.run().entries == 0
    write("c")
    assert shipper.run().new == 1
    told = Offsets(tmp_path, URL).read()
    assert (told.shipped, told.dead, told.last_success, told.last_error) == (3, 0, NOON, None)


def test_a_server_that_took_nothing_yet_can_be_forgotten_and_begins_anew(
    shipper: Shipper, write: Callable[..., None], tmp_path: Path
) -> None:
    offsets = Offsets(tmp_path, URL)
    assert offsets.read().took_nothing
    offsets.drop()  # what is not there
    write("a")
    shipper.run()
    assert not offsets.read().took_nothing
    offsets.drop()
    assert offsets.read().took_nothing
    assert shipper.pending() > 0


def test_neither_user_nor_password_is_written_down(
    shipper: Shipper, write: Callable[..., None], tmp_path: Path
) -> None:
    write("a")
    shipper.run()
    kept = b"".join(path.read_bytes() + path.name.encode() for path in (tmp_path / "ship").iterdir())
    assert b"postgresql://db.example:5433/calls?schema=x" in kept
    assert not any(secret in kept for secret in (b"secret", b"hush", b"me:"))


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_failure_before_or_after_the_commit_counts_nothing_twice(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path, fault: str
) -> None:
    """The offset stays, the parcel is handed over again, the ledger knows what it has."""
    write("a", "b")
    ledger.faults = [fault, fault]
    for _ in range(2):
        done = shipper.run()
        assert done.error
        assert shipper.pending() > 0
        assert Offsets(tmp_path, URL).read().last_error == done.error
    assert shipper.run().error is None
    assert (count(ledger), ledger.conflicts(), shipper.pending()) == (2, 0, 0)
    assert Offsets(tmp_path, URL).read().last_error is None
    assert ledger.closed == 2  # a connection that failed is not used again


def test_killed_between_commit_and_offset_it_counts_nothing_twice(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path
) -> None:
    write("a", "b")
    ledger.faults = ["kill"]
    with pytest.raises(SystemExit):
        shipper.run()
    again = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger)
    assert again.run().new == 0
    assert (count(ledger), again.pending()) == (2, 0)


def test_poison_is_found_by_halving_and_set_aside_with_its_reason(
    shipper: Shipper,
    ledger: FaultyLedger,
    write: Callable[..., None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger.refuses = of_user("bad")
    write(*("good" if n % 40 else "bad" for n in range(100)))
    done = shipper.run()
    assert (done.entries, done.dead, done.error) == (97, 3, None)
    assert (count(ledger), shipper.pending()) == (97, 0)
    letters = list(read_objects(Offsets(tmp_path, URL).dead_letters))
    assert len(letters) == 3
    (segment,) = segments(tmp_path / "journal")
    for letter in letters:
        assert letter is not None
        assert (letter["reason"], letter["segment"]) == ("a value is out of range", segment.name)
        assert orjson.loads(letter["line"])["user"] == "bad"
        assert segment.path.read_bytes()[letter["offset"] :].startswith(letter["line"].encode())
    assert "3 line(s) of journals cannot be kept" in caplog.text


@pytest.mark.parametrize("bad", [(0, 33), range(0, 64, 5)])
def test_poison_that_a_ledger_does_not_name_is_found_after_many_failures(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], bad: Collection[int]
) -> None:
    """At first it is taken for a server that is away; later for what fails alone, while others get in."""
    ledger.refuses, ledger.named = of_user("bad"), False
    write(*("bad" if n in bad else "good" for n in range(64)))
    for _ in range(3):
        assert shipper.run().error
    assert count(ledger) == 0
    done = shipper.run(suspicious=True)
    good = 64 - len(bad)
    assert (done.dead, done.entries, done.error, count(ledger)) == (len(bad), good, None, good)


def test_a_ledger_that_others_have_in_use_makes_no_dead_letters(
    tmp_path: Path, write: Callable[..., None]
) -> None:
    """However long that lasts: nothing is wrong with what is to be shipped, a single call say."""

    class Busy(FaultyLedger):
        def add(self, entries: Iterable[Entry]) -> int:
            raise LedgerBusyError(f"{len(list(entries))} have to wait")

    write("good")
    offsets = Offsets(tmp_path, URL)
    busy = Shipper(tmp_path / "journal", offsets, Busy, now=lambda: NOON)
    assert busy.run(suspicious=True).error == "1 have to wait"
    assert not offsets.dead_letters.exists()
    assert busy.pending() > 0


def test_a_forked_child_opens_a_connection_of_its_own_and_leaves_its_parents_open(
    tmp_path: Path, write: Callable[..., None]
) -> None:
    closed: list[FaultyLedger] = []

    class Opened(FaultyLedger):
        def close(self) -> None:
            closed.append(self)

    opened: list[FaultyLedger] = []

    def opening() -> FaultyLedger:
        opened.append(Opened())
        return opened[-1]

    shipper = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), opening, now=lambda: NOON)
    write("a")
    shipper.run()
    shipper.start_anew_in_child()
    write("b")
    shipper.run()
    shipper.close()
    assert [count(each) for each in opened] == [1, 1]
    assert closed == opened[1:]


def test_a_server_that_refuses_all_makes_no_dead_letters(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path
) -> None:
    ledger.refuses, ledger.named = of_user("good"), False
    write(*["good"] * 5000)
    assert shipper.run(suspicious=True).error
    assert not Offsets(tmp_path, URL).dead_letters.exists()
    write(*["good"])
    ledger.refuses = of_user("nobody")
    assert shipper.run().new == 5001


def test_lines_that_are_no_entries_are_set_aside_and_others_go_on(
    shipper: Shipper, ledger: FaultyLedger, tmp_path: Path
) -> None:
    """In the middle and, of a dead writer, at the torn end."""
    folder = tmp_path / "journal"
    folder.mkdir()
    good = [line_of(call()) for _ in range(3)]
    loss = line_of(Loss(at=NOON, count=2, why="full"))
    (folder / "a.jsonl").write_bytes(
        good[0] + b"\x00\xff{broken\n" + b"\n" + good[1] + loss + good[2] + good[2][:50]
    )
    done = shipper.run()
    assert (done.entries, done.new, done.dead) == (4, 3, 2)
    assert (count(ledger), ledger.info().lost[0].count, shipper.pending()) == (3, 2, 0)


def test_a_torn_line_of_a_living_writer_waits(shipper: Shipper, ledger: FaultyLedger, tmp_path: Path) -> None:
    import fcntl  # noqa: PLC0415  # POSIX alone

    folder = tmp_path / "journal"
    folder.mkdir()
    lines = line_of(call()) + line_of(call())
    with (folder / "a.jsonl").open("wb", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(lines[:-30])
        assert shipper.run().new == 1
        file.write(lines[-30:])
        assert shipper.run().new == 1
    assert (count(ledger), shipper.run().dead) == (2, 0)


def test_parcels_are_bounded_in_rows_and_in_bytes(
    shipper: Shipper,
    ledger: FaultyLedger,
    write: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also over many small segments, whose offsets move together; a line longer than a parcel goes alone."""
    for _ in range(7):
        write("a", "b", "c")
    monkeypatch.setattr(parcels, "ROWS", 4)
    assert shipper.run().new == 21
    assert ledger.batches == [4, 4, 4, 4, 4, 1]
    monkeypatch.setattr(parcels, "BYTES", 100)
    write("a", "b" * 1000, "c")
    assert shipper.run().new == 3
    assert ledger.batches[-3:] == [1, 1, 1]
    assert len(Offsets(tmp_path, URL).read().taken) == 8


def test_a_segment_that_goes_over_several_parcels_is_taken_to_its_end_and_each_letter_has_its_place(
    shipper: Shipper,
    ledger: FaultyLedger,
    write: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger.refuses = of_user("bad")
    write("a", "b", "c", "bad", "e")
    monkeypatch.setattr(parcels, "ROWS", 2)
    monkeypatch.setattr(proof, "_AT_ONCE", 3)
    offsets, (segment,) = Offsets(tmp_path, URL), segments(tmp_path / "journal")
    assert (shipper.run().new, shipper.pending()) == (4, 0)
    assert offsets.read().taken == {segment.name: segment.size}
    (letter,) = read_objects(offsets.dead_letters)
    assert letter is not None
    assert letter["offset"] == sum(map(len, segment.path.read_bytes().splitlines(keepends=True)[:3]))
    assert list(verify_shipped(tmp_path / "journal", offsets, ledger)) == []
    assert shipper.run().entries == 0


def test_verify_takes_an_id_for_one_however_it_is_spelled_and_a_call_of_the_very_midnight_for_kept(
    shipper: Shipper, ledger: FaultyLedger, tmp_path: Path
) -> None:
    """Ids tell no time here: the instant alone says which of them were pruned."""
    midnight = NOON.replace(hour=0)
    at_midnight, earlier = (call(at, id=str(uuid4())) for at in (midnight, midnight - timedelta(seconds=1)))
    journal = Journal(tmp_path / "journal")
    for each in (at_midnight, replace(at_midnight, id=at_midnight.id.upper()), earlier):
        journal.append(each)
    journal.close()
    shipper.run()
    ledger.prune(midnight)
    offsets = Offsets(tmp_path, URL)
    assert list(verify_shipped(tmp_path / "journal", offsets, ledger)) == []
    del ledger._records[at_midnight.id]
    (found,) = verify_shipped(tmp_path / "journal", offsets, ledger)
    assert (found.expected, found.found) == ("1", "0")


def test_a_turn_that_is_given_back_is_others_though_a_forked_child_has_a_copy_of_it(tmp_path: Path) -> None:
    """The child lives on, and what its parent had in hand does not bar it from a turn of its own."""
    mine, file = Turn(tmp_path / "turn"), tmp_path / "turn"
    assert mine.take()
    told, hear = os.pipe()
    child = os.fork()
    if not child:
        os.read(told, 1)
        mine.abandon()
        os._exit(0 if mine.take() else 1)
    try:
        mine.give()
        other = Turn(file)
        assert other.take()
        other.give()
    finally:
        os.write(hear, b"x")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(told)
        os.close(hear)
    assert code == 0


def test_one_process_ships_at_a_time(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path
) -> None:
    write("a")
    other = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger)
    assert other.turn.take()
    assert shipper.run().busy
    assert count(ledger) == 0
    other.turn.give()
    assert shipper.run().new == 1


def test_a_turn_goes_with_a_parent_that_is_killed_though_its_forked_child_lives(
    write: Callable[..., None], tmp_path: Path, ledger: FaultyLedger
) -> None:
    """And a child that lets go of what it inherited does not unlock its parent's turn."""
    write("a")
    mine = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger)
    assert mine.turn.take()
    child = os.fork()
    if not child:
        mine.start_anew_in_child()
        os._exit(0 if mine.run().busy else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    other = Shipper(tmp_path / "journal", Offsets(tmp_path, URL), lambda: ledger)
    assert other.run().busy
    mine.turn.give()
    assert other.run().new == 1


def test_threads_of_one_process_take_turns_too(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None]
) -> None:
    write(*["a"] * 500)
    threads = [threading.Thread(target=shipper.run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shipper.run()
    assert (count(ledger), sum(ledger.batches)) == (500, 500)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"target": 1}', b"\xff\x00"])
def test_offsets_that_are_spoilt_are_put_aside_and_all_is_shipped_again(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path, content: bytes
) -> None:
    write("a", "b")
    shipper.run()
    Offsets(tmp_path, URL).file.write_bytes(content)
    done = shipper.run()
    assert (done.entries, done.new, count(ledger)) == (2, 0, 2)
    assert Offsets(tmp_path, URL).file.with_suffix(".spoilt").read_bytes() == content


def test_a_disk_that_takes_no_offset_is_an_error_and_counts_nothing_twice(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path
) -> None:
    write("a")
    Offsets(tmp_path, URL).file.mkdir(parents=True)
    assert shipper.run().error
    Offsets(tmp_path, URL).file.rmdir()
    assert shipper.run().error is None
    assert count(ledger) == 1


def test_verify_knows_a_pruned_call_that_another_segment_tells_with_a_later_instant(
    shipper: Shipper, ledger: FaultyLedger, tmp_path: Path
) -> None:
    """Its id tells no time: by each of the later segments alone it would have to be there."""
    told = call(NOON - timedelta(days=9), id=str(UUID(int=1, version=4)))
    for hour, each in enumerate((told, replace(told, at=NOON), replace(told, at=NOON + timedelta(hours=1)))):
        journal = Journal(tmp_path / "journal", clock=FixedClock(NOON + timedelta(hours=hour)))
        journal.append(each)
        journal.close()
    shipper.run()
    ledger.prune(NOON - timedelta(days=5))
    assert list(verify_shipped(tmp_path / "journal", Offsets(tmp_path, URL), ledger)) == []


def test_verify_finds_what_a_server_lost(
    shipper: Shipper, ledger: FaultyLedger, write: Callable[..., None], tmp_path: Path
) -> None:
    """Neither dead letters, nor what is still pending, nor pruned calls are missed."""
    ledger.refuses = of_user("bad")
    write("a", "bad", "b")
    shipper.run()
    write("c")
    offsets = Offsets(tmp_path, URL)
    assert list(verify_shipped(tmp_path / "journal", offsets, ledger)) == []
    # By what is in them: two journals of one second stand in no order.
    second, first = sorted(
        segments(tmp_path / "journal"), key=lambda each: b'"user":"b"' in each.path.read_bytes()
    )
    lost = next(record.id for record in ledger.calls(CallQuery(limit=None)) if record.user == "b")
    del ledger._records[lost]
    (found,) = verify_shipped(tmp_path / "journal", offsets, ledger)
    assert (found.where, found.expected, found.found) == (first.name, "2", "1")
    shipper.run()
    (again,) = verify_shipped(tmp_path / "journal", offsets, ledger)
    assert again == found
    second.path.write_bytes(b"")
    what = {each.where: each.what for each in verify_shipped(tmp_path / "journal", offsets, ledger)}
    assert what == {first.name: "calls that were shipped", second.name: "bytes shipped"}
    ledger.prune(NOON + timedelta(days=2000))
    assert [each.what for each in verify_shipped(tmp_path / "journal", offsets, ledger)] == ["bytes shipped"]
