"""Retention in PostgreSQL: old days become daily totals, and what comes late is set aside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from outlay.core.codec import record_from_json, record_json
from outlay.core.ids import FIRST_TIMED, least_id
from outlay.core.instants import midnight
from outlay.core.keeping import ROLLED_DIMENSIONS, Pruned, Settled
from outlay.core.record import Entry, Loss, Record
from outlay.ledger.late import PORTION, pages_of, settle
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.postgres.rows import id_of
from outlay.ledger.postgres.texts import Written, json_text
from outlay.ledger.rolled import horizon_of

_DIMENSIONS = ", ".join(f'"{name}"' for name in (*ROLLED_DIMENSIONS, "tags"))
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in _TOKENS)
_VERSION = 14  # where an id's version stands


def prune(connection: Connection, before: datetime, *, dry_run: bool) -> Pruned:
    """Turn calls that started before that day (UTC) into daily totals, in the caller's transaction."""
    horizon = horizon_of(connection)
    until = max(midnight(before), horizon or midnight(before))
    _choose(connection, until)
    rollups = int(connection.all("SELECT count(*) FROM pg_temp.rolled")[0][0])
    sums = connection.all(
        "SELECT currency, sum(calls), sum(cost) FROM pg_temp.rolled GROUP BY currency ORDER BY currency"
    )
    if not dry_run and until != horizon:
        _move(connection, until)
    connection.run("DROP TABLE pg_temp.rolled")
    costs: dict[str, Decimal] = {currency: cost for currency, _, cost in sums if cost is not None}
    calls = sum(int(each) for _, each, _ in sums)
    return Pruned(before=until, calls=calls, rollups=rollups, costs=costs, dry_run=dry_run)


def _choose(connection: Connection, until: datetime) -> None:
    """Work the totals out, with the newest of each call's costs."""
    connection.run(
        f"""CREATE TEMPORARY TABLE rolled AS SELECT date_trunc('day', "at") AS "at", {_DIMENSIONS},
        count(*) AS calls, count(cost) AS known, {_SUMS}, sum(cost) AS cost,
        count(latency_ms) AS timed, coalesce(sum(latency_ms), 0) AS latency_ms
        FROM {connection.dialect.revised} WHERE "at" < {_literal(until)}
        GROUP BY date_trunc('day', "at"), {_DIMENSIONS}"""  # noqa: S608  # our own names
    )


def _move(connection: Connection, until: datetime) -> None:
    """Put the totals in the place of the calls and of all that is said about these."""
    old = [_naive(until)]
    connection.run('INSERT INTO rollups SELECT * FROM pg_temp.rolled ORDER BY "at"')
    connection.run(
        """INSERT INTO pruned_days
        SELECT "at", currency, sum(calls), sum(cost) FROM pg_temp.rolled GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    connection.run("INSERT INTO prunes VALUES (?)", old)
    for table, column in (("scores", "record_id"), ("revisions", "record_id"), ("conflicts", "id")):
        connection.run(
            f"""DELETE FROM {table} USING records WHERE records.id = {table}.{column} AND records."at" < ?""",  # noqa: S608  # our own names
            old,
        )
    connection.run("DELETE FROM hours WHERE hour < ?", old)
    connection.run("DELETE FROM hour_latencies WHERE hour < ?", old)
    connection.run("DELETE FROM latencies WHERE day < ?", old)
    connection.run(
        f"""INSERT INTO settled SELECT id, TRUE FROM records WHERE "at" < ? AND NOT
        (id BETWEEN '{FIRST_TIMED}' AND CAST(? AS uuid) AND substr(CAST(id AS text), 15, 1) = '7')
        AND id NOT IN (SELECT id FROM late) ON CONFLICT DO NOTHING""",  # noqa: S608  # likewise
        [*old, least_id(until)],
    )
    connection.run('DELETE FROM records WHERE "at" < ?', old)


def apart(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Give the ids of calls that are set aside, settled, or pruned though their ids do not tell so."""
    if not ids:
        return set()
    span = [min(ids), max(ids)]
    between = "id BETWEEN CAST(? AS uuid) AND CAST(? AS uuid)"
    some = f"""SELECT EXISTS (SELECT 1 FROM late WHERE {between})
        OR EXISTS (SELECT 1 FROM settled WHERE {between})"""  # noqa: S608  # our own names
    if not connection.all(some, [*span, *span])[0][0]:
        return set()
    named = "id = ANY(CAST(? AS uuid[]))"
    found = connection.all(
        f"SELECT id FROM late WHERE {named} UNION ALL SELECT id FROM settled WHERE {named}",  # noqa: S608  # likewise
        [listed := list(ids), listed],
    )
    return {str(name) for (name,) in found}


def set_late_aside(
    connection: Connection, horizon: datetime, entries: Iterable[Entry], apart: set[str]
) -> list[Entry]:
    """Give the entries without those of days pruned up to a horizon, whose calls are kept apart.

    A call's day is that of its instant, or of its id, a UUIDv7, if that is older: else the same call told
    with another instant would count twice. So would one that is set aside, settled, or pruned though its id
    does not tell so: those are ``apart``. What is said about calls of old comes too late as well. A call that
    is here is none of them, whatever its id says; of two with one id the first to come decides for both.
    """
    least = least_id(horizon)
    given = [(entry, _name_of(entry), _is_old(entry, horizon, least)) for entry in entries]
    here = _here(connection, [name for _, name, old in given if name is not None and (old or name in apart)])
    good: list[Entry] = []
    for entry, name, old in given:
        is_call = isinstance(entry, Record)
        if name in here or not (old or (is_call and name in apart)):
            good.append(entry)
            if is_call and name is not None:
                here.add(name)
        elif isinstance(entry, Record):
            apart.add(str(name))
            connection.run(
                """INSERT INTO late SELECT CAST(? AS uuid), CAST(? AS timestamp), CAST(? AS json)
                WHERE NOT EXISTS (SELECT 1 FROM settled WHERE id = ?) ON CONFLICT (id) DO NOTHING""",
                [name, _naive(entry.at), Written(json_text(record_json(replace(entry, id=str(name))))), name],
            )
    return good


def late_calls(connection: Connection, limit: int) -> tuple[Record, ...]:
    """Give the newest of the calls that were set aside."""
    found = connection.all('SELECT record FROM late ORDER BY "at" DESC, id DESC LIMIT ?', [limit])
    return tuple(record_from_json(orjson.loads(text)) for (text,) in found)


def settle_late(connection: Connection, *, count_in: bool, dry_run: bool) -> Settled:
    """Add late calls to the totals of their days, or give them up, in the caller's transaction."""

    def page(last: str) -> list[Record]:
        found = connection.all(
            f"SELECT record FROM late WHERE id > CAST(? AS uuid) ORDER BY id LIMIT {PORTION}",  # noqa: S608  # our own
            [last],
        )
        return [record_from_json(orjson.loads(text)) for (text,) in found]

    return settle(connection, pages_of(page), _written, count_in=count_in, dry_run=dry_run)


def _written(tags: Mapping[str, str]) -> tuple[str, list[Any]]:
    return "CAST(? AS jsonb)", [Written(json_text(dict(tags)))]


def _here(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Give those of these ids whose calls are here."""
    asked = sorted(set(ids))
    if not asked:
        return set()
    found = connection.all("SELECT id FROM records WHERE id = ANY(CAST(? AS uuid[]))", [asked])
    return {str(name) for (name,) in found}


def _is_old(entry: Entry, horizon: datetime, least: str) -> bool:
    name = _name_of(entry)
    if name is None:
        return False
    by_instant = isinstance(entry, Record) and entry.at < horizon
    return by_instant or (FIRST_TIMED <= name < least and name[_VERSION] == "7")


def _name_of(entry: Entry) -> str | None:
    """Give the id of the call that an entry is or is about; None for a loss."""
    if isinstance(entry, Loss):
        return None
    return id_of(entry.id if isinstance(entry, Record) else entry.record_id)


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _literal(at: datetime) -> str:
    return f"TIMESTAMP '{_naive(at).isoformat(' ')}'"
