"""All calls of a question out of the embedded ledger, so many at once: others have their turn in between."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from outlay.core.query import CallQuery
from outlay.core.record import Record
from outlay.ledger import answers, sql
from outlay.ledger.answers import Tables
from outlay.ledger.stored import record_of

_SIZE = 20_000  # calls in memory at once; the ledger is not held between them
_LATER = "(SELECT record_id FROM scores UNION ALL SELECT record_id FROM revisions)"
_ABOUT = f'CAST(id AS VARCHAR), "at", id IN {_LATER}'
Turn = Callable[[bool], AbstractContextManager[Tables]]
"""Has the ledger's tables; with what is new in the journals, if true."""


Row = tuple[Any, ...]
"""A call's id, its instant, whether a score or another cost came later, and what is asked of it."""


class _Last(NamedTuple):
    id: str
    at: datetime  # aware: a page begins behind it


def written(
    turn: Turn, query: CallQuery, columns: str, write: Callable[[Tables, list[Row]], bytes]
) -> Iterator[tuple[int, bytes]]:
    """Give calls by time, newest first, so many at once: how many they are, and what is written of them."""
    last: _Last | None = None
    left = query.limit
    while left is None or left > 0:
        size = _SIZE if left is None else min(_SIZE, left)
        with turn(last is None) as tables:
            asked = sql.page(query, f"{_ABOUT}, {columns}", size, last, answers.standing(tables, query))
            calls = tables.all(asked.text, asked.parameters)
            text = write(tables, calls)
        if calls:
            yield len(calls), text
            last = _Last(calls[-1][0], calls[-1][1].replace(tzinfo=UTC))
        if len(calls) < size:
            return
        left = None if left is None else left - size


def as_they_stand(tables: Tables, ids: Sequence[str]) -> list[Record]:
    """Give these calls as Records, with what was said of them since, in no order."""
    names = tuple(tables.columns("calls"))
    listed = ", ".join(f'"{name}"' for name in names)
    text = f"SELECT {listed} FROM calls WHERE id {tables.dialect.among}"  # noqa: S608  # our own names
    found = [record_of(names, row) for row in tables.all(text, [list(ids)])]
    return answers.as_they_stand(tables, found)
