"""Questions over daily totals of pruned calls, and how their answers join those of single calls."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from outlay.core.keeping import GONE
from outlay.core.query import Query
from outlay.ledger import sql
from outlay.ledger.stored import Asked
from outlay.ledger.totals import Counts, Rolled, Timed

Key = tuple[Any, ...]
Labels = dict[str, str | None]
_COUNTS = len(Counts._fields)


def horizon_of(asked: Asked) -> datetime | None:
    """Give the instant before which calls are daily totals, if any are."""
    before = asked.all('SELECT max("before") FROM prunes')[0][0]
    return None if before is None else before.replace(tzinfo=UTC)


def answerable(query: Query) -> Query | None:
    """Give the question as daily totals can answer it, in UTC days; None if none can match its filters."""
    kept = [each for each in query.where if each[0] != "hour"]
    if any(name == "hour" and None not in values for name, values in query.where):
        return None
    by = tuple(name for name in query.by if name not in GONE)
    return replace(query, by=by, where=tuple(kept), tz="UTC")


def groups(asked: Asked, query: Query) -> dict[Key, tuple[Labels, Rolled]]:
    """Give what the daily totals hold for each group of a question, by the group's sort key."""
    plain = answerable(query)
    if plain is None:
        return {}
    found: dict[Key, tuple[Labels, Rolled]] = {}
    statement = sql.rolled(plain, asked.dialect)
    for row in asked.all(statement.text, statement.parameters):
        key, labels, width = sql.group_of(plain, row)
        key, labels = _with_the_gone(query, dict(zip(labels, key, strict=True)), labels)
        part = _rolled(row[width:])
        found[key] = (labels, found[key][1] + part if key in found else part)
    return found


def _with_the_gone(query: Query, keys: dict[str, Any], labels: Labels) -> tuple[Key, Labels]:
    every = {name: labels.get(name) for name in query.by}
    return tuple(keys.get(name) for name in query.by), every


def _rolled(values: Sequence[Any]) -> Rolled:
    currency, *sums = values
    cost, timed, latency, known_errors, error_cost = sums[_COUNTS:]
    return Rolled(
        Counts._make(int(each) for each in sums[:_COUNTS]),
        {} if cost is None else {currency: cost},
        Timed(int(timed), latency),
        int(known_errors),
        {} if error_cost is None else {currency: error_cost},
    )


def touches(query: Query, horizon: datetime | None) -> bool:
    """Whether a question reaches into the time of which only daily totals are left."""
    return horizon is not None and (query.since is None or query.since < horizon)
