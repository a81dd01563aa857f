"""Entries in portions that fit in memory; the first of the next one are drawn while the server is busy."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import is_
from typing import Final

from outlay.core.errors import RefusedEntryError
from outlay.core.record import Entry, Record
from outlay.ledger.postgres.drawn import Drawing, Drawn
from outlay.ledger.usual import Seen

CALLS: Final = (Seen, Record)
_SIZE = 5_000  # entries that are in memory as text at once
_AHEAD = 1_500  # calls that are drawn in about the time that rollups of a portion take


class Portions:
    """What is to be kept, portion by portion."""

    def __init__(self, entries: Iterable[Entry | Seen], drawing: Drawing) -> None:
        self._remaining = iter(entries)
        self._drawing = drawing
        self._next: list[Entry | Seen] | None = None
        self._first: Sequence[Entry | Seen] = ()  # of the portion at hand, those that were drawn ahead
        self._ahead: list[Drawn] = []

    def __iter__(self) -> Iterator[list[Entry | Seen]]:
        """Give each portion; none is empty."""
        while some := self._taken() if self._next is None else self._next:
            self._next = None
            self._first = some[: len(self._ahead)]
            yield some

    def _taken(self) -> list[Entry | Seen]:
        return list(islice(self._remaining, _SIZE))

    def look_ahead(self) -> None:
        """Draw calls of the next portion, up to the first that is not as the others."""
        self._next, self._ahead = self._taken(), []
        try:
            for each in islice(self._next, _AHEAD):
                if not isinstance(each, CALLS):
                    return
                self._ahead.append(self._drawing.draw(each))
        except RefusedEntryError:
            return  # it is told when it is this one's turn, if it comes to that

    def draw(self, calls: Sequence[Record | Seen]) -> Iterator[Drawn]:
        """Draw the calls of the portion at hand.

        Raises:
            RefusedEntryError: one of them cannot be kept.
        """
        ahead, self._ahead = self._ahead, []
        if len(calls) < len(ahead) or not all(map(is_, calls, self._first)):  # some were set aside as late
            ahead = []
        return chain(ahead, map(self._drawing.draw, islice(calls, len(ahead), None)))
