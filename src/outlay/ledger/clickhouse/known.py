"""Which ids have calls in the tables already: asked by the span of the ids, which is a span of time."""

from collections.abc import Sequence
from typing import Any

from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.dialect import HORIZON

_ASKED = 2_000  # ids in one question; servers take no longer parameters
_NEAR = 4  # as many rows for each id are read at once rather than looked up
_SPAN = "UUIDToNum(id) BETWEEN UUIDToNum(toUUID(?)) AND UUIDToNum(toUUID(?))"
LISTED = "UUIDToNum(id) IN (SELECT UUIDToNum(arrayJoin(CAST(?, 'Array(UUID)'))))"
"""That a call is one of those in a list of ids, found by the tables' sorting."""
_EVERY_COPY = {"final": 0}  # enough where only ids are asked for, and quicker


def known(client: Client, ids: Sequence[str]) -> set[str]:
    """Give those of these ids that are in the table, also of calls that count no more."""
    return _having(client, ids, "", [])


def here(client: Client, ids: Sequence[str]) -> set[str]:
    """Give those of these ids whose calls are here; pruned ones are not."""
    return _having(client, ids, f' AND "at" >= {HORIZON}', [])


def raced(client: Client, ids: Sequence[str], delivery: int) -> set[str]:
    """Give those of these ids whose calls some other delivery brought as well."""
    return _having(client, ids, " AND delivery <> toUInt64(?)", [str(delivery)])


def _having(client: Client, ids: Sequence[str], condition: str, parameters: list[Any]) -> set[str]:
    if not ids:
        return set()
    span = [min(ids), max(ids)]

    def ask(what: str, where: str, values: list[Any]) -> list[tuple[Any, ...]]:
        text = f"SELECT {what} FROM calls WHERE {where}{condition}"  # noqa: S608  # our own names
        return client.all(text, [*values, *parameters], _EVERY_COPY)

    rows = ask("count()", _SPAN, span)[0][0]
    if not rows:
        return set()
    if rows <= _NEAR * len(ids):
        return {str(found) for (found,) in ask("DISTINCT id", _SPAN, span)} & set(ids)
    found: set[str] = set()
    for start in range(0, len(ids), _ASKED):
        some = ids[start : start + _ASKED]
        found |= {str(each) for (each,) in ask("DISTINCT id", LISTED, [list(some)])}
    return found
