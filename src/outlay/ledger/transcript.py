"""Calls out of the embedded ledger as lines of a journal: DuckDB writes most of them, the others are Records.

A line is taken as DuckDB wrote it if a Record of it would be the same line again (:class:`Own`); nothing was
said of its call later, neither a score nor another cost.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from outlay.core.query import CallQuery
from outlay.core.record import Entry, Record, Revision
from outlay.journal import line_of
from outlay.ledger import answers, sql
from outlay.ledger.answers import Tables
from outlay.ledger.own import Own
from outlay.ledger.spelled import LINE
from outlay.ledger.stored import record_of

_SIZE = 10_000  # calls in memory at once; the ledger is not held between them
_LATER = "(SELECT record_id FROM scores UNION ALL SELECT record_id FROM revisions)"
_SPELLED = f"""CAST(id AS VARCHAR), "at", encode({LINE}), id IN {_LATER}"""
Turn = Callable[[bool], AbstractContextManager[Tables]]
"""Has the ledger's tables; with what is new in the journals, if true."""


class _Call(NamedTuple):
    id: str
    at: datetime  # aware: a page begins behind it
    line: bytes
    later: bool  # something was said of it


def _call(name: str, at: datetime, line: bytes, later: bool) -> _Call:  # noqa: FBT001  # a row's columns
    return _Call(name, at.replace(tzinfo=UTC), line, later)


def transcribed(turn: Turn, query: CallQuery) -> Iterator[tuple[int, bytes]]:
    """Give calls by time, newest first, so many at once: how many they are, and their lines."""
    own = Own()
    last: _Call | None = None
    left = query.limit
    while left is None or left > 0:
        size = _SIZE if left is None else min(_SIZE, left)
        with turn(last is None) as tables:
            asked = sql.page(query, _SPELLED, size, last, answers.standing(tables, query))
            calls = [_call(*row) for row in tables.all(asked.text, asked.parameters)]
            odd = _whole(tables, [call.id for call in calls if call.later or not own(call.line)])
        if calls:
            yield len(calls), b"".join(odd.get(call.id, call.line) for call in calls)
            last = calls[-1]
        if len(calls) < size:
            return
        left = None if left is None else left - size


def _whole(tables: Tables, ids: Collection[str]) -> dict[str, bytes]:
    """Write calls by their Records."""
    if not ids:
        return {}
    names = tuple(tables.columns("calls"))
    listed = ", ".join(f'"{name}"' for name in names)
    text = f"SELECT {listed} FROM calls WHERE id {tables.dialect.among}"  # noqa: S608  # our own names
    found = [record_of(names, row) for row in tables.all(text, [list(ids)])]
    costs = answers.histories(tables, list(ids))
    return {
        call.id: b"".join(map(line_of, as_recorded([call], costs)))
        for call in answers.as_they_stand(tables, found)
    }


def as_recorded(calls: Iterable[Record], costs: Mapping[str, Sequence[Revision]]) -> Iterator[Entry]:
    """Give each call with the cost that was recorded, and behind it those that were reckoned later."""
    for call in calls:
        known = costs.get(call.id, ())
        yield replace(call, charge=known[0].charge) if known else call
        yield from known[1:]
