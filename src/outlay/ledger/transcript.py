"""Calls out of the embedded ledger as lines of a journal: DuckDB writes most of them, the others are Records.

A line is taken as DuckDB wrote it if a Record of it would be the same line again (:class:`Own`); nothing was
said of its call later, neither a score nor another cost.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from outlay.core.query import CallQuery
from outlay.core.record import Entry, Record, Revision
from outlay.journal import line_of
from outlay.ledger import answers, pages
from outlay.ledger.answers import Tables
from outlay.ledger.own import Own
from outlay.ledger.spelled import LINE


def transcribed(turn: pages.Turn, query: CallQuery) -> Iterator[tuple[int, bytes]]:
    """Give calls by time, newest first, so many at once: how many they are, and their lines."""
    own = Own()

    def write(tables: Tables, calls: list[pages.Row]) -> bytes:
        lines: dict[str, bytes] = {name: line for name, _, _, line in calls}
        odd = _whole(tables, [name for name, _, later, line in calls if later or not own(line)])
        return b"".join((lines | odd).values())

    return pages.written(turn, query, f"encode({LINE})", write)


def _whole(tables: Tables, ids: Collection[str]) -> dict[str, bytes]:
    """Write calls by their Records."""
    if not ids:
        return {}
    costs = answers.histories(tables, list(ids))
    return {
        call.id: b"".join(map(line_of, as_recorded([call], costs)))
        for call in pages.as_they_stand(tables, list(ids))
    }


def as_recorded(calls: Iterable[Record], costs: Mapping[str, Sequence[Revision]]) -> Iterator[Entry]:
    """Give each call with the cost that was recorded, and behind it those that were reckoned later."""
    for call in calls:
        known = costs.get(call.id, ())
        yield replace(call, charge=known[0].charge) if known else call
        yield from known[1:]
