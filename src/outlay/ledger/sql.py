"""The question as SQL, written once for all engines; values are always parameters, never text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from outlay.core.query import TIME_DIMENSIONS, CallQuery, Filter, Query, zone
from outlay.core.record import Record
from outlay.ledger.buckets import label, offsets, span

Bounds = tuple[datetime, datetime]
"""The oldest and the newest instant that a ledger holds."""

_NO_COST = Decimal(-(10**20) + 1)  # sorts calls of unknown cost behind all others
_NO_LATENCY = float("-inf")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between engines, as templates; instants go in and come out as naive UTC."""

    truncate: str = "date_trunc('{unit}', {moment})"
    shift: str = "{moment} + to_seconds({seconds})"
    seconds: str = "CAST(? AS BIGINT)"
    tag: str = "tags[?]"
    percentiles: str = "quantile_cont(latency_ms, [0.5, 0.95, 0.99])"
    row: str = "rowid"  # names a row within one statement
    arrival: str = "rowid"  # sorts entries in the order in which they came
    id: str = "id"  # sorts as the id's text does
    id_value: str = "?"  # an id to compare that with
    among: str = "IN (SELECT unnest(CAST(? AS UUID[])))"  # one of a list of ids
    amount: str = "CAST(? AS DECIMAL(38, 18))"
    calls: str = "calls"  # where calls are read from, under this name
    # the same with the newest of their costs, in the columns that can be asked for
    revised: str = """(SELECT calls.* REPLACE (
            CASE WHEN newest.record_id IS NULL THEN calls.cost ELSE newest.cost END AS cost,
            coalesce(newest.currency, calls.currency) AS currency,
            coalesce(newest.cost_status, calls.cost_status) AS cost_status
        ), calls.rowid AS rowid
        FROM calls LEFT JOIN (
            SELECT record_id, cost, currency, cost_status FROM revisions
            QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY "at" DESC, rowid DESC) = 1
        ) AS newest ON newest.record_id = calls.id) AS calls"""


def revised(dialect: Dialect) -> Dialect:
    """Give the same dialect, reading calls with the newest of their costs."""
    return replace(dialect, calls=dialect.revised)


DUCKDB: Final = Dialect()
REVISED: Final = revised(DUCKDB)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with a ``?`` for each of its parameters."""

    text: str
    parameters: list[Any] = field(default_factory=list)

    def __add__(self, other: "Statement") -> "Statement":
        """Join two pieces of text, and their parameters in the same order."""
        return Statement(f"{self.text} {other.text}", [*self.parameters, *other.parameters])


def joined(separator: str, parts: Sequence[Statement]) -> Statement:
    """Join pieces with text between them."""
    parameters = [value for part in parts for value in part.parameters]
    return Statement(separator.join(part.text for part in parts), parameters)


def needs_bounds(query: Query) -> bool:
    """Whether the answer depends on a zone's changing offsets, so that the calls' period must be known."""
    return query.tz != "UTC" and any(name in TIME_DIMENSIONS for name in query.by)


def totals(query: Query, bounds: Bounds | None, dialect: Dialect = DUCKDB) -> Statement:
    """Ask for the counts, cost, currencies and latencies of each group.

    The columns: those of the dimensions (see :func:`group_of`), then ten counts and sums, the cost, the
    least and greatest currency of known costs, the mean latency and the list of its percentiles.
    """
    aggregates = f"""count(*), count(*) FILTER (WHERE status = 'error'), count(cost),
        coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0), coalesce(sum(cache_write_tokens), 0),
        coalesce(sum(output_tokens), 0), coalesce(sum(reasoning_tokens), 0),
        min(currency) FILTER (WHERE cost IS NOT NULL), max(currency) FILTER (WHERE cost IS NOT NULL),
        sum(cost), avg(latency_ms), {dialect.percentiles}"""
    return _grouped(query, bounds, dialect, Statement(aggregates))


def costs(query: Query, bounds: Bounds | None, dialect: Dialect = DUCKDB) -> Statement:
    """Ask for the known cost of each group by currency: the dimensions' columns, currency, sum."""
    known = Statement("currency, sum(cost)")
    return _grouped(query, bounds, dialect, known, extra="currency", condition="cost IS NOT NULL")


def _grouped(  # the parts of one statement
    query: Query,
    bounds: Bounds | None,
    dialect: Dialect,
    aggregates: Statement,
    extra: str | None = None,
    condition: str | None = None,
) -> Statement:
    columns = _columns(query, bounds, dialect)
    named = [Statement(f"{c.text} AS d{i}", c.parameters) for i, c in enumerate(columns)]
    keys = [f"d{i}" for i in range(len(columns))]
    chosen = joined(", ", [*named, Statement("calls.*")])
    text = (
        Statement(f"SELECT {', '.join((*keys, ''))}")  # d0, d1, …
        + aggregates
        + Statement("FROM (SELECT")
        + chosen
        + Statement(f"FROM {dialect.calls}")
        + _where(query, dialect, condition)
        + Statement(") AS chosen")
    )
    group = [*keys, extra] if extra else keys
    return text + Statement(f"GROUP BY {', '.join(group)}") if group else text


def _columns(query: Query, bounds: Bounds | None, dialect: Dialect) -> list[Statement]:
    local = _local(query, bounds, dialect) if any(name in TIME_DIMENSIONS for name in query.by) else None
    found: list[Statement] = []
    for name in query.by:
        if name not in TIME_DIMENSIONS or local is None:
            found.append(_plain(name, dialect))
            continue
        moment, offset = local
        found.append(
            Statement(dialect.truncate.format(unit=name, moment=moment.text), list(moment.parameters))
        )
        if name == "hour":
            found.append(offset)
    return found


def _plain(name: str, dialect: Dialect) -> Statement:
    if name.startswith("tag:"):
        return Statement(dialect.tag, [name.removeprefix("tag:")])
    return Statement(f'"{name}"')  # a name out of DIMENSIONS


def _local(query: Query, bounds: Bounds | None, dialect: Dialect) -> tuple[Statement, Statement]:
    """Give local time and its offset in seconds, by the zone's changes of offset in the period."""
    first, last = bounds or (datetime.now(UTC), datetime.now(UTC))
    changes = offsets(zone(query.tz), max(query.since or first, first), min(query.until or last, last))
    branches = Statement(dialect.seconds, [changes[0][1]])
    if len(changes) > 1:
        whens = [
            Statement(f'WHEN "at" >= ? THEN {dialect.seconds}', [_naive(start), seconds])
            for start, seconds in reversed(changes[1:])
        ]
        branches = Statement("CASE") + joined(" ", whens) + Statement("ELSE") + branches + Statement("END")
    moment = dialect.shift.format(moment='"at"', seconds=branches.text)
    return Statement(moment, branches.parameters), branches


def _where(query: Query | CallQuery, dialect: Dialect, *more: str | None) -> Statement:
    conditions = [Statement(each) for each in more if each]
    if query.since is not None:
        conditions.append(Statement('"at" >= ?', [_naive(query.since)]))
    if query.until is not None:
        conditions.append(Statement('"at" < ?', [_naive(query.until)]))
    conditions += [_filter(each, query.tz, dialect) for each in query.where]
    return Statement("WHERE") + joined(" AND ", conditions) if conditions else Statement("")


def _filter(wanted: Filter, tz: str, dialect: Dialect) -> Statement:
    name, values = wanted
    given = [value for value in values if value is not None]
    if name in TIME_DIMENSIONS:
        spans = [span(name, value, zone(tz)) for value in given]
        choices = [Statement('"at" >= ? AND "at" < ?', [_naive(start), _naive(end)]) for start, end in spans]
    else:
        column = _plain(name, dialect)
        choices = []
        if given:
            marks = ", ".join("?" * len(given))
            choices.append(column + Statement(f"IN ({marks})", given))
        if None in values:
            choices.append(column + Statement("IS NULL"))
    either = joined(" OR ", choices)
    return Statement(f"({either.text})", either.parameters) if choices else Statement("FALSE")


def group_of(query: Query, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, str | None], int]:
    """Read the dimensions at the start of a row: the key to sort by, names to labels, how many columns."""
    keys: list[Any] = []
    labels: dict[str, str | None] = {}
    at = 0
    for name in query.by:
        value = values[at]
        if name == "hour":
            offset = timedelta(seconds=values[at + 1])
            keys.append(value - offset)
            labels[name] = label(name, value, offset)
            at += 1
        elif name in TIME_DIMENSIONS:
            labels[name] = label(name, value, timedelta())
            keys.append(labels[name])
        else:
            labels[name] = value
            keys.append(value)
        at += 1
    return tuple(keys), labels, at


def page(
    query: CallQuery, columns: Sequence[str], size: int, after: Record | None, dialect: Dialect = DUCKDB
) -> Statement:
    """Ask for the next calls in the order of the query, beginning behind the record ``after``."""
    key = _order_key(query, dialect)
    where = _where(query, dialect)
    if after is not None:
        oldest = f"{dialect.id} < {dialect.id_value}"
        beyond = Statement(f"({key.text} <= {key.value} AND ({key.text} < {key.value} OR {oldest}))")
        value = key.of(after)
        beyond = Statement(beyond.text, [*key.parameters, value, *key.parameters, value, after.id])
        where = where + Statement("AND" if where.text else "WHERE") + beyond
    order = Statement(f"ORDER BY {key.text} DESC, {dialect.id} DESC", list(key.parameters))
    chosen = Statement(f"SELECT {dialect.row} FROM {dialect.calls}") + where + order  # noqa: S608  # our own names
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        Statement(f"SELECT {names} FROM calls WHERE {dialect.row} IN (")  # noqa: S608  # our own names
        + chosen
        + Statement("LIMIT ?)", [size])
        + order
    )


@dataclass(frozen=True, slots=True)
class _OrderKey:
    """What calls are sorted by: an expression, how its value is written, and its value for a record."""

    text: str
    value: str
    missing: Any
    name: str

    @property
    def parameters(self) -> list[Any]:
        return [] if self.missing is None else [self.missing]

    def of(self, record: Record) -> Any:
        value = getattr(record, self.name)
        return self.missing if value is None else _naive(value) if self.name == "at" else value


def _order_key(query: CallQuery, dialect: Dialect) -> _OrderKey:
    keys: Mapping[str, _OrderKey] = {
        "time": _OrderKey('"at"', "?", None, "at"),
        "cost": _OrderKey(f"coalesce(cost, {dialect.amount})", dialect.amount, _NO_COST, "cost"),
        "latency": _OrderKey("coalesce(latency_ms, ?)", "?", _NO_LATENCY, "latency_ms"),
    }
    return keys[query.order]


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
