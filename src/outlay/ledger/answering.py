"""What ledgers that answer SQL have in common: questions in, answers out, single calls page by page."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from uuid import UUID

from outlay.core.query import CallQuery, Query, Row, Rows
from outlay.core.record import Record, Revision
from outlay.ledger import answers
from outlay.ledger.answers import Tables

_HEX = frozenset("0123456789abcdef")
_DIGITS = 32


class Answering(ABC):
    """The asking half of a ``core.ports.Ledger``."""

    page_size = 5_000  # calls fetched at once; the ledger is not held between pages

    @abstractmethod
    def _turn(self, *, fresh: bool = True) -> AbstractContextManager[Tables]:
        """Have tables to ask, all of one state; ``fresh`` if what was recorded since has to be in them."""

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; without dimensions the one row is the total, if there is any call."""
        with self._turn() as tables:
            return answers.rows(tables, query)

    def lines(self, query: Query) -> tuple[Row, ...]:
        """Add up the lines of the calls' costs: a row for each group, unit, currency, rate and input rate."""
        with self._turn() as tables:
            return answers.lines(tables, query)

    def calls(self, query: CallQuery) -> Iterator[Record]:
        """Give single calls in the order asked for, scores and revisions applied; fetched page by page."""
        last: Record | None = None
        left = query.limit
        while left is None or left > 0:
            size = self.page_size if left is None else min(self.page_size, left)
            found = self._page(query, size, last)
            for record in found:
                yield record
                last = record
            if len(found) < size:
                return
            left = None if left is None else left - size

    def _page(self, query: CallQuery, size: int, last: Record | None) -> list[Record]:
        with self._turn(fresh=last is None) as tables:
            return answers.page(tables, query, size, last)

    def get(self, record_id: str) -> Record | None:
        """Give one call by its id, or by the start of it if only one matches."""
        ends = _ends(record_id)
        if ends is None:
            return None
        with self._turn() as tables:
            found = answers.between(tables, *ends)
            return answers.as_they_stand(tables, found)[0] if len(found) == 1 else None

    def ids(self, start: str, limit: int) -> tuple[str, ...]:
        """Give the ids that begin so, in their order, but no more than so many."""
        ends = _ends(start)
        if ends is None:
            return ()
        with self._turn() as tables:
            return answers.ids_between(tables, *ends, limit)

    def revisions(self, record_id: str) -> tuple[Revision, ...]:
        """Give every cost that a call has had, the recorded one first; empty if there is no such call."""
        ends = _ends(record_id)
        if ends is None:
            return ()
        with self._turn() as tables:
            found = answers.between(tables, *ends)
            return answers.costs_of(tables, found[0]) if len(found) == 1 else ()

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Revision, ...]]:
        """Give what ``revisions`` gives, of those of these calls whose cost was reckoned again."""
        with self._turn(fresh=False) as tables:
            return answers.histories(tables, ids)

    def conflicts(self) -> int:
        """Count the entries that were set aside because their id was taken by other content."""
        with self._turn() as tables:
            return int(tables.all("SELECT count(*) FROM conflicts")[0][0])


def _ends(record_id: str) -> tuple[str, str] | None:
    """Give the least and the greatest id that begin so; None where no id can."""
    digits = record_id.lower().replace("-", "")
    if len(digits) > _DIGITS or not set(digits) <= _HEX:
        return None
    return str(UUID(hex=digits.ljust(_DIGITS, "0"))), str(UUID(hex=digits.ljust(_DIGITS, "f")))
