"""What answers say of pruned calls: what is lacking of them, whose days are parted, which may be lacking."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from outlay.core.query import CallQuery, Query
from outlay.render.cells import many
from outlay.report.rolled import Answered, gone_of, is_parted

KEPT = "kept as daily totals"
WHOLLY = "each counts wholly on its day in UTC"


class Told(Answered, Protocol):
    """An answer that knows its question."""

    @property
    def query(self) -> Query:
        """Give the question."""
        ...


def rolled_notes(found: Told, lacking: str = "") -> tuple[str, ...]:
    """Say what is lacking of pruned calls, that no period parts their days, and which may not be in it."""
    return (*_in_it(found, lacking), *unknown_notes(found.rolled_unknown, found.query))


def _in_it(found: Told, lacking: str) -> Iterator[str]:
    wholly = WHOLLY if is_parted(found.query) else ""
    said = "; ".join(filter(None, (lacking, wholly)))
    if found.rolled and said:
        are = "is" if found.rolled == 1 else "are"
        yield f"{found.rolled:,} of these calls {are} {KEPT}{':' if lacking else ';'} {said}"


def unknown_notes(calls: int, query: Query | CallQuery) -> tuple[str, ...]:
    """Say that so many pruned calls may have been asked for, which daily totals cannot tell."""
    if not calls:
        return ()
    further, what = many(calls, "further call is", "further calls are"), " and ".join(gone_of(query))
    return (f"{further} {KEPT} alone: nobody knows the {what} of them, and none of them is here",)


def single_notes(rolled: int) -> tuple[str, ...]:
    """Say beside single calls that pruned ones, of those that were asked for, are not among them."""
    are = "is" if rolled == 1 else "are"
    return (f"{many(rolled, 'call')} {are} {KEPT} alone, and {are} not among single ones",) if rolled else ()


def of_rolled(notes: Iterable[str]) -> Iterator[str]:
    """Choose the notes about daily totals, to be said beside a form that has no room for notes."""
    yield from (note for note in notes if KEPT in note)
