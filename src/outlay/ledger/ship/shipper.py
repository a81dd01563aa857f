"""One shipper: hands parcels over, sets aside what a ledger refuses, moves the offsets after the commit."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from traceback import clear_frames
from typing import Any

import orjson

from outlay.atomic import PRIVATE
from outlay.core.errors import LedgerBusyError, LedgerError, LedgerSchemaError, OutlayError, RefusedEntryError
from outlay.core.instants import text_of
from outlay.core.ports import DrawingAhead, Ledger, TakingLines, works_here
from outlay.core.record import Entry
from outlay.journal import Fault, append_line, pending_bytes
from outlay.ledger.backlog import waiting
from outlay.ledger.ship.ahead import ahead
from outlay.ledger.ship.offsets import Offsets, Progress
from outlay.ledger.ship.parcels import Item, Parcel, parcels
from outlay.ledger.ship.shipped import Shipped
from outlay.ledger.ship.turns import Turn

_TRIES = 30  # failures in a row: more than halving a parcel down to one entry takes
_ENTRIES = 5_000  # that are in memory at once
_log = logging.getLogger("outlay")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A parcel, its lines, and what a ledger has drawn of them."""

    parcel: Parcel
    lines: list[bytes]
    drawn: object | None = None


def _has_followers(ready: _Ready) -> bool:
    """Whether there may be more to draw while this is handed over."""
    return ready.drawn is not None and ready.parcel.is_full


def _let_go(error: BaseException | None) -> None:
    """Empty the frames of an error and of those that led to it.

    They hold the parcels at hand, and are kept by circles of errors and frames inside of drivers; garbage is
    looked for seldom while shipping, so that gigabytes stayed in memory when a server was away for long.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__context__


def _now() -> datetime:
    return datetime.now(UTC)


class Shipper:
    """Brings what journals hold into one ledger.

    The offset moves when the ledger has committed. Killed in between, a parcel is handed over again, and the
    ledger refuses the ids that it knows: each entry counts once.
    """

    def __init__(
        self,
        journals: Path,
        offsets: Offsets,
        opened: Callable[[], Ledger],
        *,
        hold: bool = True,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._journals = journals
        self._offsets = offsets
        self._opened = opened
        self.now = now
        self._hold = hold  # the connection, between passes
        self._ledger: Ledger | None = None
        self._patience = 0
        self._strays: list[Ledger | None] = []
        self.turn = Turn(offsets.lock)
        self.target = offsets.target

    @property
    def in_process(self) -> bool:
        """Whether the ledger at hand works inside this process."""
        return works_here(self._ledger)

    def pending(self) -> int:
        """Count the bytes in journals that the ledger does not have yet.

        Raises:
            JournalError: the folder or the offsets cannot be read.
        """
        return pending_bytes(self._journals, self._offsets.read().taken)

    def waiting(self) -> dict[str, int]:
        """Give up to where each segment that is not wholly shipped could be shipped now."""
        return {path.name: end for path, _, end in waiting(self._journals, self._offsets.read().taken)}

    def left(self, goal: Mapping[str, int]) -> int:
        """Count the bytes that are still to be shipped up to there."""
        taken = self._offsets.read().taken
        return sum(max(0, end - taken.get(name, 0)) for name, end in goal.items())

    def run(
        self,
        go_on: Callable[[], bool] = lambda: True,
        told: Callable[[Shipped], None] = lambda _: None,
        *,
        suspicious: bool = False,
    ) -> Shipped:
        """Ship all that waits now, as long as ``go_on`` says so; ``told`` is called after each parcel.

        A ledger says itself which entry it refuses. ``suspicious``, after many failures that it did not
        explain, an entry counts as refused that fails alone, while others of its parcel are kept.

        Never raises for what the ledger or the disk does: what went wrong is in ``error`` and in the offsets'
        file, and what was not shipped stays in the journals.
        """
        try:
            if not self.turn.take():
                return Shipped(busy=True)
        except OSError as error:
            return Shipped(error=f"{self._offsets.lock}: {error.strerror or error}")
        try:
            self._patience = _TRIES if suspicious else 0
            return self._run(go_on, told)
        finally:
            if not self._hold:
                self.close()
            self.turn.give()

    def _run(self, go_on: Callable[[], bool], told: Callable[[Shipped], None]) -> Shipped:
        done = [Shipped()]
        try:
            self._ship_all(go_on, told, done)
        except (OutlayError, OSError) as error:
            return replace(done[-1], error=self._failed(error))
        return done[-1]

    def _ship_all(
        self, go_on: Callable[[], bool], told: Callable[[Shipped], None], done: list[Shipped]
    ) -> None:
        """Ship parcel by parcel; what has been done stands at the end of the list, whatever goes wrong."""
        progress = self._offsets.read()
        made = map(self._made_ready, parcels(self._journals, progress.taken))
        with closing(ahead(made, _has_followers)) as following:
            for ready in following:
                if not go_on():
                    break
                progress, part = self._hand_over(ready, progress)
                done.append(done.pop() + part)
                told(done[-1])
        if progress.last_error is not None:
            self._offsets.write(replace(progress, last_error=None, last_error_at=None))

    def _failed(self, error: Exception) -> str:
        """Take note of what went wrong, and let go of a connection that may be broken."""
        said = str(error) or repr(error)
        _let_go(error)
        self.close()
        try:
            progress = self._offsets.read()
            self._offsets.write(replace(progress, last_error=said, last_error_at=self.now()))
        except OutlayError as unwritten:
            _log.debug("%s", unwritten)  # a full disk: the error itself is told by the caller
        return said

    def _made_ready(self, parcel: Parcel) -> _Ready:
        """Draw a parcel's lines where the ledger has that as a step of its own; it is asked nothing."""
        lines = parcel.lines()
        if not lines or self._patience > 0:
            return _Ready(parcel, lines)
        ledger = self._the_ledger()
        if not isinstance(ledger, DrawingAhead):
            return _Ready(parcel, lines)
        try:
            return _Ready(parcel, lines, ledger.drawn(lines))
        except RefusedEntryError:  # a closer look says which
            return _Ready(parcel, lines)

    def _hand_over(self, ready: _Ready, progress: Progress) -> tuple[Progress, Shipped]:
        parcel, lines = ready.parcel, ready.lines
        taken = self._at_once(ready)
        new, dead = self._sorted_out(parcel.items()) if taken is None else (taken, [])
        if dead:
            self._set_aside(dead)
        part = Shipped(len(lines) - len(dead), new, len(dead), parcel.size)
        moved = replace(
            progress,
            taken={**progress.taken, **parcel.ends},
            shipped=progress.shipped + part.entries,
            dead=progress.dead + part.dead,
            last_success=self.now(),
            last_error=None,
            last_error_at=None,
        )
        self._offsets.write(moved)
        return moved, part

    def _at_once(self, ready: _Ready) -> int | None:
        """Hand lines over as they are; give how many calls were new, None where a closer look is needed."""
        if not ready.lines or self._patience > 0:
            return None
        ledger = self._the_ledger()
        try:
            if isinstance(ledger, DrawingAhead):
                return None if ready.drawn is None else ledger.add_drawn(ready.drawn)
            return ledger.add_lines(ready.lines) if isinstance(ledger, TakingLines) else None
        except RefusedEntryError:
            return None

    def deliver(self, items: list[Item]) -> tuple[int, list[tuple[Item, str]]]:
        """Add lines that stand in no journal's order; whoever calls has the turn.

        Give how many calls were new, and the lines that are refused, each with the reason.

        Raises:
            LedgerError: the ledger cannot be reached or written.
        """
        try:
            return self._sorted_out(items)
        except LedgerError:
            self.close()
            raise

    def _sorted_out(self, items: list[Item]) -> tuple[int, list[tuple[Item, str]]]:
        """Read lines wholly and add their entries, so many at a time; give the new and the refused."""
        parts = [self._add_some(items[at : at + _ENTRIES]) for at in range(0, len(items), _ENTRIES)]
        return sum(new for new, _ in parts), [each for _, refused in parts for each in refused]

    def _add_some(self, items: list[Item]) -> tuple[int, list[tuple[Item, str]]]:
        read = [(item, item.read()) for item in items]
        faulty = [(item, found.reason) for item, found in read if isinstance(found, Fault)]
        new, refused = self._add([(item, found) for item, found in read if not isinstance(found, Fault)])
        return new, [*faulty, *refused]

    def _add(self, items: list[tuple[Item, Entry]]) -> tuple[int, list[tuple[Item, str]]]:
        """Add entries; give how many calls were new, and those that the ledger refuses, found by halving."""
        if not items:
            return 0, []
        try:
            new = self._the_ledger().add([entry for _, entry in items])
        except RefusedEntryError as error:
            if len(items) == 1:
                return 0, [(items[0][0], str(error))]
        except LedgerError as error:
            self._patience -= 1
            if self._patience <= 0 or isinstance(error, LedgerBusyError | LedgerSchemaError):
                raise
            self.close()
            if len(items) == 1:
                return 0, [(items[0][0], str(error))]
        else:
            self._patience = _TRIES if self._patience > 0 else 0
            return new, []
        middle = len(items) // 2
        first, second = self._add(items[:middle]), self._add(items[middle:])
        return first[0] + second[0], [*first[1], *second[1]]

    def _set_aside(self, dead: list[tuple[Item, str]]) -> None:
        """Write lines to the file of dead letters; the journal keeps them too."""
        for item, reason in dead:
            letter = orjson.dumps(self._letter(item, reason))
            append_line(self._offsets.dead_letters, letter, mode=PRIVATE)
        _log.warning(
            "%d line(s) of journals cannot be kept by %s and are set aside in %s, the first because: %s",
            len(dead),
            self._offsets.target,
            self._offsets.dead_letters,
            dead[0][1],
        )

    def _letter(self, item: Item, reason: str) -> dict[str, Any]:
        return {
            "at": text_of(self.now()),
            "segment": item.segment,
            "offset": item.offset,
            "reason": reason,
            "line": item.line.decode("utf-8", "replace").rstrip("\n"),
        }

    def _the_ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self._opened()
        return self._ledger

    def close(self) -> None:
        """Let go of the connection; the next pass opens another."""
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            try:
                ledger.close()
            except LedgerError as error:
                _log.debug("%s", error)  # it was broken already

    def start_anew_in_child(self) -> None:
        """Leave a parent's connection and turn alone in a forked child: closing them ends the parent's."""
        self._strays.append(self._ledger)
        self._ledger = None
        self.turn.abandon()
