"""Dead letters handed over once more: each counts once, whatever fails; given up, none is missed."""

import os
import stat
import tracemalloc
from pathlib import Path

import pytest
from tests.support.faulty import FaultyLedger, of_user

from outlay.core.errors import JournalError, LedgerBusyError, LedgerError
from outlay.core.query import Query
from outlay.journal import Journal, append_line
from outlay.ledger.ship import (
    Offsets,
    Retried,
    Shipper,
    discard,
    letters,
    open_letters,
    retry,
    verify_shipped,
)
from outlay.testing import NOON, call

URL = "postgresql://stand-in/calls"


@pytest.fixture
def ledger() -> FaultyLedger:
    return FaultyLedger(of_user("bad"))


@pytest.fixture
def offsets(tmp_path: Path) -> Offsets:
    return Offsets(tmp_path, URL)


@pytest.fixture
def shipper(tmp_path: Path, ledger: FaultyLedger, offsets: Offsets) -> Shipper:
    """Give one that has shipped three good calls and set four lines aside, one of which is no call."""
    journal = Journal(tmp_path / "journal")
    for user in ("good", "bad", "good", "bad", "good", "bad"):
        journal.append(call(user=user))
    journal.close()
    append_line(next((tmp_path / "journal").iterdir()), b'{"no": "call"}')
    found = Shipper(tmp_path / "journal", offsets, lambda: ledger, now=lambda: NOON)
    assert found.run().dead == 4
    return found


def count(ledger: FaultyLedger) -> int:
    return int(ledger.rows(Query()).total["calls"])


def test_what_is_kept_now_is_no_dead_letter_any_more(
    shipper: Shipper, ledger: FaultyLedger, offsets: Offsets, tmp_path: Path
) -> None:
    before = list(open_letters(offsets))
    assert [each.id is None for each in before] == [True, False, False, False]
    assert retry(shipper, offsets) == Retried(0, 0, 4)
    assert sorted(open_letters(offsets), key=str) == sorted(before, key=str)
    ledger.refuses = lambda _: False
    assert retry(shipper, offsets) == Retried(3, 3, 1)
    assert [each.id for each in open_letters(offsets)] == [None]
    assert (count(ledger), offsets.read().dead) == (6, 1)
    assert list(verify_shipped(tmp_path / "journal", offsets, ledger)) == []


@pytest.mark.parametrize("fault", ["before", "after", "kill"])
def test_a_retry_that_fails_leaves_the_letters_and_nothing_counts_twice(
    shipper: Shipper, ledger: FaultyLedger, offsets: Offsets, fault: str
) -> None:
    ledger.refuses = lambda _: False
    ledger.faults = [fault]
    with pytest.raises(SystemExit if fault == "kill" else LedgerError):
        retry(shipper, offsets)
    assert len(list(open_letters(offsets))) == 4
    assert retry(shipper, offsets).dead == 1
    assert count(ledger) == 6


def test_what_is_given_up_is_not_missed_and_not_tried_again(
    shipper: Shipper, ledger: FaultyLedger, offsets: Offsets, tmp_path: Path
) -> None:
    assert discard(shipper, offsets) == 4
    assert list(open_letters(offsets)) == []
    assert b'"bad"' not in offsets.dead_letters.read_bytes()
    ledger.refuses = lambda _: False
    assert retry(shipper, offsets) == Retried(0, 0, 0)
    assert (count(ledger), offsets.read().dead) == (3, 0)
    assert list(verify_shipped(tmp_path / "journal", offsets, ledger)) == []


def test_what_was_given_up_stays_given_up_when_more_is(
    shipper: Shipper, ledger: FaultyLedger, offsets: Offsets, tmp_path: Path
) -> None:
    assert discard(shipper, offsets) == 4
    given_up = offsets.dead_letters.read_bytes().splitlines()
    journal = Journal(tmp_path / "journal")
    journal.append(call(user="bad"))
    journal.close()
    assert shipper.run().dead == 1
    (letter,) = open_letters(offsets)
    told = letter.to_json()
    assert sorted(told) == ["at", "id", "offset", "reason", "segment"]
    assert (told["offset"], told["id"], told["at"]) == (0, letter.id, "2026-11-22T12:00:00.000000Z")
    assert discard(shipper, offsets) == 1
    assert offsets.dead_letters.read_bytes().splitlines()[:4] == given_up


def test_without_any_letter_the_file_goes(shipper: Shipper, ledger: FaultyLedger, offsets: Offsets) -> None:
    ledger.refuses = lambda _: False
    letters = offsets.dead_letters.read_bytes().splitlines(keepends=True)
    offsets.dead_letters.write_bytes(b"".join(each for each in letters if b'"bad' in each))
    assert retry(shipper, offsets) == Retried(3, 3, 0)
    assert not offsets.dead_letters.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_letters_are_their_owners_alone_before_a_retry_and_after(shipper: Shipper, offsets: Offsets) -> None:
    """As the journal that they came from: a line may hold what users asked."""
    assert stat.S_IMODE(offsets.dead_letters.stat().st_mode) == 0o600
    retry(shipper, offsets)
    assert stat.S_IMODE(offsets.dead_letters.stat().st_mode) == 0o600


def test_a_torn_line_among_letters_is_passed_over(shipper: Shipper, offsets: Offsets) -> None:
    whole = offsets.dead_letters.read_bytes()
    offsets.dead_letters.write_bytes(b'{"torn": \n' + whole)
    assert len(list(open_letters(offsets))) == 4
    assert discard(shipper, offsets) == 4
    assert len(offsets.dead_letters.read_bytes().splitlines()) == 4


def test_letters_that_cannot_be_written_stay_as_they_are(
    shipper: Shipper, offsets: Offsets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = offsets.dead_letters.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(JournalError, match="cannot be written: No space left on device"):
        discard(shipper, offsets)
    assert offsets.dead_letters.read_bytes() == before


def test_letters_of_one_portion_are_in_memory_at_a_time(
    shipper: Shipper, ledger: FaultyLedger, offsets: Offsets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand that are refused still are as many lines, each with its texts."""
    (whole,) = (
        each for each in offsets.dead_letters.read_bytes().splitlines(keepends=True) if b'"no' in each
    )
    offsets.dead_letters.write_bytes(
        b"".join([whole.replace(b'"reason":"', b'"reason":"' + b"x" * 1000)] * 20_000)
    )
    monkeypatch.setattr(letters, "ROWS", 100)
    size = offsets.dead_letters.stat().st_size
    tracemalloc.start()
    try:
        assert retry(shipper, offsets) == Retried(0, 0, 20_000)
        assert discard(shipper, offsets) == 20_000
        assert tracemalloc.get_traced_memory()[1] < size / 10
    finally:
        tracemalloc.stop()


def test_who_ships_meanwhile_is_not_disturbed(
    shipper: Shipper, ledger: FaultyLedger, offsets: Offsets, tmp_path: Path
) -> None:
    other = Shipper(tmp_path / "journal", offsets, lambda: ledger)
    assert other.turn.take()
    for act in (retry, discard):
        with pytest.raises(LedgerBusyError, match="try again"):
            act(shipper, offsets)
    other.turn.give()
    assert discard(shipper, offsets) == 4
