"""What was told, and to whom it still has to be: one JSON file in home, changed under a lock and atomically.

A process takes a delivery under the lock, sends without it, and notes afterwards what came of it. A delivery
that was taken is nobody else's for ``LEASE``; a process that dies in between leaves it to the next check.
"""

import json
import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.atomic import PRIVATE, write_file
from outlay.core.errors import JournalError, LedgerBusyError
from outlay.core.instants import instant, text_of

log = logging.getLogger("outlay")
LEASE = timedelta(minutes=2)  # longer than any channel is waited for
KEPT = timedelta(days=7)  # after the end of a window, what was told in it is forgotten
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=6)
_PATIENCE = 30.0  # seconds
_FORMAT = 1


@dataclass(slots=True)
class Waiting:
    """A channel that has not taken an alert yet."""

    attempts: int
    next: str  # not before this instant
    error: str | None = None


@dataclass(slots=True)
class Mark:
    """One crossing that was told: its highest step, and the channels that still wait for it."""

    rule: str
    step: str  # percent
    at: str
    until: str  # the end of its window
    message: str
    waiting: dict[str, Waiting] = field(default_factory=dict)
    taken: bool = True  # by one channel at least, or printed alone; an older outlay did not say


Marks = dict[str, Mark]


class State:
    """The marks of one home; safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.json"

    def read(self) -> Marks:
        """Give the marks as they are now.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return {key: _mark(value) for key, value in content["marks"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
            return self._set_aside()
        except OSError as error:
            raise JournalError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def undelivered(self, named: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """Give the alerts that a channel has not taken yet, with the reason of its last refusal.

        Of channels that are not ``named`` any more it gives those alone that nobody has taken, and that
        wait for none that is.

        Raises:
            JournalError: the file cannot be read.
        """
        for mark in self.read().values():
            there = [name for name in mark.waiting if named is None or name in named]
            for name in there or ([] if mark.taken else mark.waiting):
                told = {"rule": mark.rule, "at": mark.at, "message": mark.message, "channel": name}
                yield {**told, **asdict(mark.waiting[name])}

    @contextmanager
    def changing(self, now: datetime) -> Iterator[Marks]:
        """Give the marks to be changed, alone; they are written when the block ends well.

        Raises:
            LedgerBusyError: another process did not let go of them.
            JournalError: the file cannot be read or written.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415  # takes 0.1 s to load, and a look needs none

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock", timeout=_PATIENCE):
                marks = self.read()
                yield marks
                self._write({key: mark for key, mark in marks.items() if instant(mark.until) + KEPT > now})
        except Timeout:
            raise LedgerBusyError(
                f"{self.path} was held by another process for {_PATIENCE:g} seconds"
            ) from None
        except OSError as error:
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def _write(self, marks: Mapping[str, Mark]) -> None:
        content = {"format": _FORMAT, "marks": {key: asdict(mark) for key, mark in marks.items()}}
        write_file(self.path, json.dumps(content, ensure_ascii=False, indent=1).encode(), mode=PRIVATE)

    def _set_aside(self) -> Marks:
        damaged = self.path.with_name(f"{self.path.name}.bak")
        try:
            self.path.replace(damaged)
        except FileNotFoundError:  # another process was faster
            return {}
        except OSError as error:
            raise JournalError(
                f"{self.path} is damaged and cannot be set aside: {error.strerror or error}"
            ) from error
        log.warning(
            "outlay: %s could not be read and is now %s; alerts may come again", self.path, damaged.name
        )
        return {}


def later(now: datetime, attempts: int) -> str:
    """Say when a channel that failed so often is tried again: after 1, 2, 4, … minutes, at most 6 hours."""
    return text_of(now + min(_FIRST * 2 ** min(attempts - 1, 20), _LONGEST))


def _mark(content: Mapping[str, Any]) -> Mark:
    waiting = {name: Waiting(**each) for name, each in content["waiting"].items()}
    mark = Mark(**{**content, "waiting": waiting})
    Decimal(mark.step)
    if not isinstance(mark.taken, bool):
        raise TypeError(content)
    for moment in (mark.at, mark.until, *(each.next for each in waiting.values())):
        instant(moment)
    return mark
