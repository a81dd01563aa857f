"""How a home's shipping is put together, and what it does where something is broken or in the way."""

import errno
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.faulty import FaultyLedger

from outlay.core.errors import JournalError, LedgerError
from outlay.core.query import Query
from outlay.core.record import Entry
from outlay.journal import Journal, segments
from outlay.ledger.ship import Courier, Offsets, ShippedSink, Shipper
from outlay.ledger.ship.making import courier_of, remove_shipped, shipper_of, shipping_first
from outlay.ledger.ship.offsets import Progress, targets
from outlay.ledger.ship.turns import Turn
from outlay.testing import NOON, call

URL = "postgresql://db/calls"


@pytest.fixture
def ledger() -> FaultyLedger:
    return FaultyLedger()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[], None]:
    """Give a function that writes one call into a segment of its own."""

    def write() -> None:
        journal = Journal(tmp_path / "journal")
        journal.append(call())
        journal.close()

    return write


def shipper_to(ledger: FaultyLedger, home: Path, **how: Any) -> Shipper:
    """Make a shipper whose clock stands still."""
    return Shipper(home / "journal", Offsets(home, URL), lambda: ledger, now=lambda: NOON, **how)


# ---------------------------------------------------------------- made of settings
def test_a_shipper_ships_a_homes_journals(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None]
) -> None:
    written()
    shipper = shipper_of(tmp_path, URL, lambda: ledger)
    assert shipper.run().new == 1
    assert shipper.target == URL
    shipper.close()


def test_a_shipper_opens_the_ledger_that_the_url_names(tmp_path: Path, written: Callable[[], None]) -> None:
    written()
    other = tmp_path / "other"
    shipper = shipper_of(tmp_path, str(other))
    assert shipper.run().new == 1
    shipper.close()
    assert (other / "ledger.duckdb").exists()


def test_a_question_ships_first_and_says_what_is_missing(
    tmp_path: Path,
    ledger: FaultyLedger,
    written: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    courier = Courier(shipper_to(ledger, tmp_path), URL)
    ship = shipping_first(courier, 10)
    written()
    assert ship()
    assert ledger.rows(Query()).total["calls"] == 1
    assert caplog.text == ""
    written()
    ledger.faults = ["before"]
    with caplog.at_level(logging.WARNING, "outlay"):
        assert not ship()
    assert "are not in postgresql://db/calls yet" in caplog.text


# ---------------------------------------------------------------- journals that are needed no more
def shipped(home: Path, ledger: FaultyLedger, url: str = URL) -> Offsets:
    """Ship all to a target."""
    offsets = Offsets(home, url)
    assert Shipper(home / "journal", offsets, lambda: ledger, now=lambda: NOON).run().error is None
    return offsets


def test_what_every_target_has_is_removed_after_its_time(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None]
) -> None:
    written()
    offsets = shipped(tmp_path, ledger)
    other = Offsets(tmp_path, "postgresql://elsewhere/calls")
    other.write(Progress(target=other.target))  # one that was shipped to and has nothing yet
    assert remove_shipped(tmp_path, offsets, timedelta(0)) == []
    shipped(tmp_path, FaultyLedger(), "postgresql://elsewhere/calls")
    (segment,) = segments(tmp_path / "journal")
    assert remove_shipped(tmp_path, offsets, timedelta(days=1)) == []
    turn = Turn(offsets.lock)
    assert turn.take()  # somebody ships, and writes the offsets
    assert remove_shipped(tmp_path, offsets, timedelta(seconds=-60)) == []
    turn.give()
    assert remove_shipped(tmp_path, offsets, timedelta(seconds=-60)) == [segment.name]
    assert segments(tmp_path / "journal") == []
    assert offsets.read().taken == {}


def test_no_journal_goes_while_a_targets_file_cannot_be_read(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None]
) -> None:
    """Nobody knows then what that server lacks."""
    written()
    offsets = shipped(tmp_path, ledger)
    other = Offsets(tmp_path, "postgresql://elsewhere/calls")
    other.write(Progress(target=other.target))
    other.file.write_text('{"target": ')
    assert remove_shipped(tmp_path, offsets, timedelta(seconds=-60)) == []
    assert len(segments(tmp_path / "journal")) == 1


def test_nothing_is_removed_without_a_time_or_beside_an_embedded_ledger(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None]
) -> None:
    written()
    offsets = shipped(tmp_path, ledger)
    assert remove_shipped(tmp_path, offsets, None) == []
    (tmp_path / "ledger.duckdb").write_bytes(b"")
    assert remove_shipped(tmp_path, offsets, timedelta(seconds=-60)) == []
    assert len(segments(tmp_path / "journal")) == 1


def test_a_courier_keeps_house_when_all_is_shipped(tmp_path: Path, written: Callable[[], None]) -> None:
    written()
    courier = courier_of(tmp_path, str(tmp_path / "other"), keep=timedelta(seconds=-60))
    assert courier.catch_up(30) is None
    courier._after()
    assert segments(tmp_path / "journal") == []
    courier.close()


def test_a_target_whose_file_cannot_be_read_is_left_to_its_shipper(tmp_path: Path) -> None:
    offsets = Offsets(tmp_path, URL)
    offsets.write(Progress(target=URL))
    (tmp_path / "ship" / "broken.json").write_text("[]")
    assert [each.target for each in targets(tmp_path)] == [URL]


def test_offsets_that_cannot_be_written_are_an_error_and_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets = Offsets(tmp_path, URL)
    offsets.write(Progress(target=URL, shipped=1))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError, match="cannot be written: No space left on device"):
        offsets.write(Progress(target=URL, shipped=2))
    monkeypatch.undo()
    assert offsets.read().shipped == 1
    offsets.forget([])
    assert offsets.read().shipped == 1


# ---------------------------------------------------------------- passes that end early
def test_a_lock_that_cannot_be_opened_is_the_passs_error(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None]
) -> None:
    written()
    (tmp_path / "ship").write_text("in the way")
    done = shipper_to(ledger, tmp_path).run()
    assert done.error is not None
    assert done.error.startswith(str(tmp_path / "ship"))


@pytest.mark.skipif(sys.platform == "win32", reason="flock")
def test_a_folder_that_knows_no_locks_is_an_error_and_nobodys_turn(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken for another process at work, for ever."""
    import fcntl  # noqa: PLC0415 - Windows has none

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    written()
    monkeypatch.setattr(fcntl, "flock", refuse)
    done = shipper_to(ledger, tmp_path).run()
    assert (done.busy, done.entries) == (False, 0)
    assert done.error is not None
    assert done.error.endswith("No locks available")


def test_a_pass_stops_when_it_is_told_to(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None]
) -> None:
    written()
    shipper = shipper_to(ledger, tmp_path)
    assert shipper.run(lambda: False).entries == 0
    assert shipper.pending() > 0


def test_an_error_is_forgotten_by_a_pass_that_had_nothing_to_do(
    tmp_path: Path, ledger: FaultyLedger, written: Callable[[], None]
) -> None:
    offsets = Offsets(tmp_path, URL)
    offsets.write(Progress(target=URL, last_error="away", last_error_at=NOON))
    shipper_to(ledger, tmp_path).run()
    assert (offsets.read().last_error, offsets.read().last_error_at) == (None, None)


def test_a_segment_of_broken_lines_alone_asks_nothing_of_the_ledger(tmp_path: Path) -> None:
    class Untouched(FaultyLedger):
        """Takes nothing."""

        def add(self, entries: Any) -> int:
            raise AssertionError("there was nothing to add")

    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "a.jsonl").write_bytes(b"nonsense\n")
    done = shipper_to(Untouched(), tmp_path).run()
    assert (done.new, done.dead, done.error) == (0, 1, None)


def test_a_connection_is_let_go_after_each_pass_where_a_folder_is_anothers_too(
    tmp_path: Path, written: Callable[[], None]
) -> None:
    class Broken(FaultyLedger):
        """Cannot even be closed."""

        def close(self) -> None:
            closed.append(self)
            raise LedgerError("the connection is lost")

    closed: list[Broken] = []
    written()
    assert shipper_to(Broken(), tmp_path, hold=False).run().new == 1
    assert len(closed) == 1


# ---------------------------------------------------------------- the courier's thread
class Journalled:
    """A sink that keeps what it was given."""

    def __init__(self) -> None:
        self.taken: list[Entry] = []

    def append(self, entry: Entry) -> None:
        self.taken.append(entry)

    def flush(self, timeout: float | None = None) -> bool:
        return bool(self.taken)


class Unmade:
    """What will be an entry."""

    made = call()

    def entry(self) -> Entry:
        return self.made

    def json(self) -> dict[str, Any]:
        raise AssertionError("the entry itself was asked for")


@pytest.fixture
def courier(tmp_path: Path, ledger: FaultyLedger) -> Iterator[Courier]:
    courier = Courier(shipper_to(ledger, tmp_path), URL, interval=0.01)
    yield courier
    courier.close()


def test_what_is_unmade_goes_into_the_journal_and_starts_the_courier(courier: Courier) -> None:
    journal = Journalled()
    sink = ShippedSink(journal, courier)
    assert not sink.flush(1)
    sink.defer(Unmade())
    assert journal.taken == [Unmade.made]
    assert courier.running
    assert sink.flush(1)


def test_a_courier_that_cannot_start_leaves_the_journal_to_the_next_process(
    courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    courier.start()
    assert not courier.running
    courier.drain_at_exit()  # there is nothing to wait for


def test_two_that_start_a_courier_at_once_start_one(courier: Courier) -> None:
    with courier._starting:
        courier.start()
        assert not courier.running
    courier.start()
    first = courier._thread
    courier.start()
    assert courier._thread is first is not None
