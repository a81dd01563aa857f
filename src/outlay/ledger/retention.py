"""Retention in the embedded ledger: old days become daily totals, and what comes late is set aside."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from outlay.core.ids import FIRST_TIMED, least_id
from outlay.core.instants import midnight
from outlay.core.keeping import ROLLED_DIMENSIONS, Pruned, Settled
from outlay.core.money import EXACT, ZERO
from outlay.core.record import Record
from outlay.ledger.dialect import REVISED
from outlay.ledger.engine import Engine
from outlay.ledger.late import PORTION, pages_of, settle
from outlay.ledger.resealing import forget_before
from outlay.ledger.rolled import horizon_of
from outlay.ledger.stored import record_of

_DIMENSIONS = ", ".join(f'"{name}"' for name in (*ROLLED_DIMENSIONS, "tags"))
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_TIMED = "substr({0}::VARCHAR, 15, 1) = '7'"  # an id that begins with its time
_OF_OLD = f"({{0}} BETWEEN '{FIRST_TIMED}'::UUID AND ?::UUID AND {_TIMED})"
_SET_ASIDE = "id IN (SELECT id FROM late UNION ALL SELECT id FROM settled)"
_SUMS = ", ".join(f"sum({name})" for name in _TOKENS)


def prune(engine: Engine, before: datetime, *, dry_run: bool) -> Pruned:
    """Turn calls that started before that day (UTC) into daily totals, in one transaction."""
    horizon = horizon_of(engine)
    until = max(midnight(before), horizon or midnight(before))
    _choose(engine, until)
    try:
        rollups = int(engine.all("SELECT count(*) FROM temp.rolled")[0][0])
        days = engine.all(
            """SELECT "at", currency, sum(calls), sum(cost) FROM temp.rolled GROUP BY ALL ORDER BY ALL"""
        )
        if not dry_run and until != horizon:
            _move(engine, until)
    finally:
        engine.run("DROP TABLE temp.rolled")
    costs: dict[str, Any] = {}
    for _, currency, _, cost in days:
        if cost is not None:
            costs[currency] = EXACT.add(costs.get(currency, ZERO), cost)
    return Pruned(
        before=until,
        calls=sum(int(calls) for _, _, calls, _ in days),
        rollups=rollups,
        costs=costs,
        dry_run=dry_run,
    )


def _choose(engine: Engine, until: datetime) -> None:
    """Work the totals out, with the newest of each call's costs."""
    engine.run(
        f"""CREATE OR REPLACE TEMP TABLE rolled AS SELECT date_trunc('day', "at") AS "at", {_DIMENSIONS},
        count(*) AS calls, count(cost) AS known, {_SUMS}, sum(cost) AS cost,
        count(latency_ms) AS timed, coalesce(sum(latency_ms), 0) AS latency_ms
        FROM {REVISED.calls} WHERE "at" < ? GROUP BY date_trunc('day', "at"), {_DIMENSIONS}""",  # noqa: S608  # our own names
        [_naive(until)],
    )


def _move(engine: Engine, until: datetime) -> None:
    """Put the totals in the place of the calls and of all that is said about these."""
    old = [_naive(until)]
    gone = 'SELECT id FROM calls WHERE "at" < ?'
    with engine.transaction():
        engine.run('INSERT INTO rollups SELECT * FROM temp.rolled ORDER BY "at"')
        engine.run(
            """INSERT INTO pruned_days
            SELECT "at", currency, sum(calls), sum(cost) FROM temp.rolled GROUP BY ALL ORDER BY ALL"""
        )
        engine.run("INSERT INTO prunes VALUES (?)", old)
        forget_before(engine, _naive(until))
        engine.run(f"DELETE FROM scores WHERE record_id IN ({gone})", old)  # noqa: S608  # our own names
        engine.run(f"DELETE FROM revisions WHERE record_id IN ({gone})", old)  # noqa: S608  # likewise
        engine.run(f"DELETE FROM conflicts WHERE id IN ({gone})", old)  # noqa: S608  # likewise
        engine.run(
            f"""INSERT INTO settled SELECT id, TRUE FROM calls
            WHERE "at" < ? AND NOT {_OF_OLD.format("id")} AND NOT {_SET_ASIDE}""",  # noqa: S608  # likewise
            [*old, least_id(until)],
        )
        engine.run('DELETE FROM calls WHERE "at" < ?', old)


def set_late_aside(engine: Engine) -> None:
    """Take calls of pruned days, and what is said of them, out of the batch; the calls are kept apart.

    In the caller's transaction.
    """
    names = ", ".join(f'"{name}"' for name in engine.columns("late"))
    _part(
        engine,
        f"INSERT INTO late SELECT {names} FROM batch WHERE {{call}}"  # noqa: S608  # our own names
        " AND id NOT IN (SELECT id FROM late) AND id NOT IN (SELECT id FROM settled)"
        " QUALIFY row_number() OVER (PARTITION BY id ORDER BY rowid) = 1",
    )


def settle_late(engine: Engine, *, count_in: bool, dry_run: bool) -> Settled:
    """Add late calls to the totals of their days, or give them up, in one transaction."""
    names = tuple(engine.columns("late"))
    listed = ", ".join(f'"{name}"' for name in names)

    def page(last: str) -> list[Record]:
        found = engine.all(f"SELECT {listed} FROM late WHERE id > ? ORDER BY id LIMIT {PORTION}", [last])  # noqa: S608  # our own names
        return [record_of(names, row) for row in found]

    with engine.transaction():
        return settle(engine, pages_of(page), _written, count_in=count_in, dry_run=dry_run)


def _written(tags: Mapping[str, str]) -> tuple[str, list[Any]]:
    return "map(CAST(? AS VARCHAR[]), CAST(? AS VARCHAR[]))", [list(tags), list(tags.values())]


def take_old_out(engine: Engine) -> None:
    """Take the same out of a batch that is to be compared; its calls go to ``temp.old``, id and instants.

    A call counts on the day of its instant, or of its id, if that is older and it came late: between the two.
    An id of 1970, which tells no time, was once taken for a day: there its call may have been counted in.
    With it goes whatever is said about a call that is not here: a prune took it with the call, whose id need
    not tell how old it was. Whether that call should be here its own line says.
    """
    if horizon_of(engine) is None:
        return
    low = f"""CASE WHEN {_TIMED.format("id")} THEN
        least("at", CAST(uuid_extract_timestamp(id) AS TIMESTAMP)) ELSE "at" END"""
    _part(engine, f'INSERT INTO temp.old SELECT id, {low}, "at" FROM batch WHERE {{call}}')  # noqa: S608  # our own names
    for column in ("score", "revision"):
        about, values = _unknown(engine, column, f"{column} IS NOT NULL", [])
        engine.run(f"DELETE FROM batch WHERE {about}", values)  # noqa: S608  # likewise


def _part(engine: Engine, save: str) -> None:
    """Save calls of pruned days by this statement, and delete them with what is said about such calls.

    A call's day is that of its instant, or of its id, a UUIDv7, if that is older: else the same call told
    with another instant would count twice. So would one that is set aside, settled, or pruned though its id
    does not tell so: their ids are looked up. A call that is here is none of them, whatever its id says; of
    two with one id the first to come decides for both.
    """
    horizon = horizon_of(engine)
    if horizon is None:
        return
    old, bounds = _of_pruned_days(horizon)
    some, values = _unknown(engine, "id", f"id IS NOT NULL AND score IS NULL AND {old}", bounds)
    engine.run(
        f"""CREATE OR REPLACE TEMP TABLE gone AS SELECT id, arg_min("at", rowid) AS "at" FROM batch
        WHERE score IS NULL AND id IN (SELECT id FROM batch WHERE {some}) GROUP BY id""",  # noqa: S608  # our own names
        values,
    )
    engine.run(f"DELETE FROM temp.gone WHERE NOT {old}", bounds)  # noqa: S608  # likewise
    call = "score IS NULL AND id IN (SELECT id FROM temp.gone)"
    engine.run(save.format(call=call))
    engine.run(f"DELETE FROM batch WHERE {call}")  # noqa: S608  # our own names
    for column in ("score", "revision"):
        about, values = _unknown(engine, column, _OF_OLD.format(column), bounds[1:])
        engine.run(f"DELETE FROM batch WHERE {about}", values)  # noqa: S608  # likewise


def _unknown(engine: Engine, column: str, condition: str, values: list[Any]) -> tuple[str, list[Any]]:
    """Narrow a condition on lines to those of calls that are not here."""
    low, high = engine.all(f"SELECT min({column}), max({column}) FROM batch WHERE {condition}", values)[0]  # noqa: S608  # our own names
    others = f"{condition} AND {column} NOT IN (SELECT id FROM calls WHERE id BETWEEN ? AND ?)"  # noqa: S608  # likewise
    return others, [*values, low, high]


def are_old(engine: Engine, calls: str) -> bool:
    """Whether some of these calls, a table or question, are of pruned days, or settled."""
    horizon = horizon_of(engine)
    if horizon is None:
        return False
    call, bounds = _of_pruned_days(horizon)
    return bool(engine.all(f"SELECT 1 FROM {calls} WHERE {call} LIMIT 1", bounds))  # noqa: S608  # the caller's names


def _of_pruned_days(horizon: datetime) -> tuple[str, list[Any]]:
    return f'("at" < ? OR {_OF_OLD.format("id")} OR {_SET_ASIDE})', [_naive(horizon), least_id(horizon)]


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
