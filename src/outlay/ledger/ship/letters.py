"""Dead letters: lines that a ledger refused, to be looked at, handed over once more, or given up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import orjson

from outlay.atomic import PRIVATE, write_file
from outlay.core.errors import JournalError, LedgerBusyError
from outlay.core.instants import text_of
from outlay.core.record import Record
from outlay.journal import read_objects
from outlay.ledger.ship.offsets import Offsets
from outlay.ledger.ship.parcels import ROWS, Item
from outlay.ledger.ship.shipper import Shipper


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One line that was set aside; what it says is not in here, as it may hold texts."""

    at: str  # when it was set aside the last time, as RFC 3339
    segment: str
    offset: int
    reason: str
    id: str | None  # of the call; None where the line is no call

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return {
            "at": self.at,
            "segment": self.segment,
            "offset": self.offset,
            "id": self.id,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of dead letters that were handed over once more."""

    new: int  # calls that the ledger did not have
    kept: int  # entries that it keeps now, or had already
    dead: int  # that it refuses still


def open_letters(offsets: Offsets) -> Iterator[Letter]:
    """Give the letters that were neither kept later on nor given up, oldest first.

    Raises:
        JournalError: their file cannot be read.
    """
    for each in read_objects(offsets.dead_letters):
        if each is not None and _is_open(each):
            entry = _item(each).read()
            yield Letter(
                at=each["at"],
                segment=each["segment"],
                offset=each["offset"],
                reason=each["reason"],
                id=entry.id if isinstance(entry, Record) else None,
            )


def retry(shipper: Shipper, offsets: Offsets) -> Retried:
    """Hand the open letters to the ledger once more; what it keeps now is no dead letter any more.

    Killed meanwhile it may have kept some that still stand in the file; it refuses a second copy of these.

    Raises:
        LedgerBusyError: another process ships to this ledger at the moment.
        LedgerError: the ledger cannot be reached; the letters stay as they are.
        JournalError: their file cannot be read or written.
    """
    done = Retried(0, 0, 0)

    def left() -> Iterator[dict[str, Any]]:
        nonlocal done
        letters = read_objects(offsets.dead_letters)
        while some := list(islice(letters, ROWS)):
            lines = [each for each in some if each is not None]
            items = [_item(each) for each in lines if _is_open(each)]
            new, refused = shipper.deliver(items)
            done = Retried(done.new + new, done.kept + len(items) - len(refused), done.dead + len(refused))
            said = {(item.segment, item.offset): reason for item, reason in refused}
            now = text_of(shipper.now())
            for each in lines:
                place = each["segment"], each["offset"]
                if not _is_open(each):
                    yield each
                elif place in said:
                    yield {**each, "at": now, "reason": said[place]}

    with _alone(shipper, offsets):
        _put_back(offsets, left())
    _told(offsets, done.dead)
    return done


def discard(shipper: Shipper, offsets: Offsets) -> int:
    """Give the open letters up; give how many.

    Their place in the journals stays written down, so that ``verify`` does not miss them; their lines go.

    Raises:
        LedgerBusyError: another process ships to this ledger at the moment.
        JournalError: their file cannot be read or written.
    """
    count = 0

    def left() -> Iterator[dict[str, Any]]:
        nonlocal count
        for each in read_objects(offsets.dead_letters):
            if each is not None and _is_open(each):
                count += 1
                yield {**each, "line": None, "discarded": text_of(shipper.now())}
            elif each is not None:
                yield each

    with _alone(shipper, offsets):
        _put_back(offsets, left())
    _told(offsets, 0)
    return count


def _is_open(letter: dict[str, Any]) -> bool:
    return letter.get("line") is not None


def _item(letter: dict[str, Any]) -> Item:
    return Item(letter["segment"], letter["offset"], letter["line"].encode() + b"\n")


@contextmanager
def _alone(shipper: Shipper, offsets: Offsets) -> Iterator[None]:
    """Have the turn, without which nobody writes to the file."""
    if not shipper.turn.take():
        raise LedgerBusyError(f"another process ships to {offsets.target} at the moment; try again")
    try:
        yield
    finally:
        shipper.turn.give()


def _put_back(offsets: Offsets, letters: Iterator[dict[str, Any]]) -> None:
    """Put letters in the place of the file as they come, whole or not at all; without any the file goes."""
    file = offsets.dead_letters
    lines = (orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in letters)
    first = next(lines, None)
    try:
        if first is None:
            file.unlink(missing_ok=True)
        else:
            write_file(file, chain([first], lines), mode=PRIVATE)
    except OSError as error:
        raise JournalError(f"{file} cannot be written: {error.strerror or error}") from error


def _told(offsets: Offsets, dead: int) -> None:
    """Write down how many letters are open."""
    progress = offsets.read()
    if progress.dead != dead:
        offsets.write(replace(progress, dead=dead))
