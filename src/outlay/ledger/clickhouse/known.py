"""Which ids have calls in the tables already: asked by the span of the ids, which is a span of time."""

from collections.abc import Sequence
from typing import Any

from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.dialect import HORIZON

_ASKED = 2_000  # ids in one question; servers take no longer parameters
_NEAR = 64  # as many rows for each id are read at once rather than looked up, which takes as long as that
_SPAN = "UUIDToNum(id) BETWEEN UUIDToNum(toUUID(?)) AND UUIDToNum(toUUID(?))"
LISTED = "UUIDToNum(id) IN (SELECT UUIDToNum(arrayJoin(CAST(?, 'Array(UUID)'))))"
"""That a call is one of those in a list of ids, found by the tables' sorting."""
_BYTES = 16  # of an id; reading them as values takes ten times as long
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


def done_with(client: Client, ids: Sequence[str]) -> set[str]:
    """Give those of these ids whose calls are settled, or pruned though the id does not tell so."""
    settled = _having(client, ids, " AND run IN (SELECT run FROM settlements)", [], "settled")
    return settled | _having(client, ids, " AND run IN (SELECT run FROM prunes)", [], "pruned")


def apart(client: Client, ids: Sequence[str]) -> set[str]:
    """Give those of these ids whose calls came too late and are kept apart."""
    return _having(client, ids, "", [], "late")


def _having(
    client: Client, ids: Sequence[str], condition: str, parameters: list[Any], table: str = "calls"
) -> set[str]:
    if not ids:
        return set()
    span = [min(ids), max(ids)]
    text = f"SELECT count() FROM {table} WHERE {_SPAN}{condition}"  # noqa: S608  # our own names
    rows = client.all(text, [*span, *parameters], _EVERY_COPY)[0][0]
    if not rows:
        return set()

    wanted = {bytes.fromhex(each.replace("-", "")): each for each in ids}

    def ask(where: str, values: list[Any]) -> set[str]:
        text = f"SELECT UUIDToNum(id) FROM {table} WHERE {where}{condition}"  # noqa: S608  # our own names
        found = client.raw(text, [*values, *parameters], _EVERY_COPY)
        pieces = (found[at : at + _BYTES] for at in range(0, len(found), _BYTES))
        return {wanted[each] for each in pieces if each in wanted}

    if rows <= _NEAR * len(ids):
        return ask(_SPAN, span)
    parts = (list(ids[start : start + _ASKED]) for start in range(0, len(ids), _ASKED))
    return {each for some in parts for each in ask(LISTED, [some])}
