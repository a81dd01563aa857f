"""Retention on ClickHouse: one row makes old days daily totals; what comes late is set aside."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from outlay.core.errors import LedgerBusyError
from outlay.core.ids import FIRST_TIMED, least_id
from outlay.core.instants import midnight
from outlay.core.keeping import ROLLED_DIMENSIONS, Pruned
from outlay.core.money import EXACT
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.dialect import HORIZON
from outlay.ledger.clickhouse.late import set_stragglers_aside
from outlay.ledger.clickhouse.tables import shards
from outlay.ledger.rolled import horizon_of
from outlay.ledger.totals import plain

_DIMENSIONS = ", ".join(f'"{name}"' for name in (*ROLLED_DIMENSIONS, "tags"))
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_SUMS = ", ".join(f"sum({name})" for name in _TOKENS)
_NAMES = f"{_DIMENSIONS}, calls, known, {', '.join(_TOKENS)}, cost, timed, latency_ms"


def prune(client: Client, before: datetime, *, dry_run: bool) -> Pruned:
    """Turn calls that started before that day (UTC) into daily totals.

    The calls are named and added up; then one row in ``prunes`` makes it so, for every reader at once; only
    then are they deleted. Killed before that row nothing has changed, and behind it the next prune deletes.

    Raises:
        LedgerBusyError: somebody else pruned at the same moment; nothing of this prune counts.
    """
    horizon = horizon_of(client)
    until = max(midnight(before), horizon or midnight(before))
    run = secrets.randbits(63)
    old = [_naive(until)]
    client.run(
        f'INSERT INTO pruned (run, id) SELECT {run}, id FROM {client.dialect.calls} WHERE "at" < ?',  # noqa: S608  # our own names
        old,
    )
    client.run(
        f"""INSERT INTO rollups ("at", {_NAMES}, run, place)
        SELECT date_trunc('day', calls."at") AS d, {_DIMENSIONS}, count(), count(cost), {_SUMS}, sum(cost),
            count(latency_ms), coalesce(sum(latency_ms), 0), {run}, sipHash64(toString(({_DIMENSIONS})))
        FROM {client.dialect.revised} WHERE "at" < ? AND id IN (SELECT id FROM pruned WHERE run = {run})
        GROUP BY d, {_DIMENSIONS}""",  # noqa: S608  # our own names
        old,
    )
    days = client.all(
        f"""SELECT "at", currency, sum(calls), sum(cost), count() FROM rollups WHERE run = {run}
        GROUP BY "at", currency"""  # noqa: S608  # our own names
    )
    if dry_run or until == horizon:
        _forget(client, run)
    else:
        _make_it_so(client, run, horizon, until)
    sweep(client)
    return _told(until, days, dry_run=dry_run)


def _make_it_so(client: Client, run: int, horizon: datetime | None, until: datetime) -> None:
    client.run(
        f"""INSERT INTO pruned_days ("day", currency, calls, cost, run)
        SELECT "at", currency, sum(calls), sum(cost), {run} FROM rollups WHERE run = {run}
        GROUP BY "at", currency"""  # noqa: S608  # our own names
    )
    since = _naive(horizon or datetime(1970, 1, 1, tzinfo=UTC))
    client.run("INSERT INTO prunes (since, before, run) VALUES (?, ?, ?)", [since, _naive(until), run])
    if client.all("SELECT run FROM prunes WHERE since = ?", [since]) != [(run,)]:
        _forget(client, run)
        raise LedgerBusyError(f"{client.place}: somebody else pruned at the same moment; prune again")


def _forget(client: Client, run: int) -> None:
    """Take back what a run has added up; it counts nowhere."""
    for table in ("pruned", "rollups", "pruned_days"):
        client.run(f"DELETE FROM {shards(client.place, table)} WHERE run = {run}")  # noqa: S608  # our own names


def _told(until: datetime, days: list[tuple[Any, ...]], *, dry_run: bool) -> Pruned:
    costs: dict[str, Decimal] = {}
    for _, currency, _, cost, _ in days:
        if cost is not None:
            costs[currency] = plain(EXACT.add(costs.get(currency, Decimal(0)), cost))
    return Pruned(
        before=until,
        calls=sum(int(day[2]) for day in days),
        rollups=sum(int(day[4]) for day in days),
        costs=costs,
        dry_run=dry_run,
    )


def sweep(client: Client) -> None:
    """Delete calls of pruned days and what is said about them; those in no daily total are kept apart.

    An id that did not tell its own run that its call is old stays, however far later runs go: so that call is
    nothing new and not late when it comes again. The runs are named once: of one that begins to count
    meanwhile the calls are still here, and must not seem to be in no total.
    """
    if horizon_of(client) is None:
        return
    set_stragglers_aside(client)
    runs = client.all("SELECT run, before FROM prunes WHERE run IN (SELECT run FROM pruned)")
    listed = ", ".join(str(run) for run, _ in runs)
    theirs = f"run IN ({listed})" if runs else "FALSE"
    gone = f"SELECT id FROM pruned WHERE {theirs}"  # noqa: S608  # likewise
    for table in ("scores", "revisions"):
        client.run(f"DELETE FROM {shards(client.place, table)} WHERE record_id IN ({gone})")  # noqa: S608  # likewise
    client.run(f"DELETE FROM {shards(client.place, 'conflicts')} WHERE id IN ({gone})")  # noqa: S608  # likewise
    client.run(
        f"""DELETE FROM {shards(client.place, "calls")} WHERE "at" < {HORIZON}
        AND (id IN ({gone}) OR id IN (SELECT id FROM late))"""  # noqa: S608  # likewise
    )
    if not runs:
        return
    least = ", ".join(f"'{least_id(before.replace(tzinfo=UTC))}'" for _, before in runs)
    client.run(
        f"""DELETE FROM {shards(client.place, "pruned")} WHERE {theirs}
        AND substring(toString(id), 15, 1) = '7'
        AND toString(id) BETWEEN '{FIRST_TIMED}' AND transform(run, [{listed}], [{least}], '')"""  # noqa: S608  # likewise
    )


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
