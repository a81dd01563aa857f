"""The question as SQL, written once for all engines; values are always parameters, never text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from outlay.core.buckets import hour_begins, label, offsets, span
from outlay.core.query import LATENCY_BOUNDS_MS, TIME_DIMENSIONS, CallQuery, Filter, Query, zone
from outlay.core.units import MODALITIES
from outlay.ledger import measures
from outlay.ledger.dialect import DUCKDB, Dialect, Stands, Statement, joined

Bounds = tuple[datetime, datetime]
"""The oldest and the newest instant that a ledger holds."""

_NO_COST = Decimal(-(10**20) + 1)  # sorts calls of unknown cost behind all others
_NO_LATENCY = float("-inf")
_NO_SUMS = "0, 0, 0, 0, 0, NULL, NULL, NULL"  # in the place of what nobody asked for


def needs_bounds(query: Query) -> bool:
    """Whether the answer depends on a zone's changing offsets, so that the calls' period must be known."""
    return query.tz != "UTC" and any(name in TIME_DIMENSIONS for name in query.by)


def totals(query: Query, bounds: Bounds | None, dialect: Dialect = DUCKDB) -> Statement:
    """Ask for the counts, cost, currencies and latencies of each group.

    The columns: those of the dimensions (see :func:`group_of`), then eight counts and sums, the least and
    greatest currency of known costs, the cost, further sums of money (``measures.money_columns``), and those
    of :func:`beside_sums`.
    """
    money = _money(query, dialect)
    unwanted = query.detail == "counts" and not money  # which is of the currencies beside the cost
    sums = _NO_SUMS if unwanted else dialect.sums.format(currencies=dialect.currencies)
    text = ", ".join((dialect.counts, sums, *money, *beside_sums(query, dialect)))
    return _grouped(query, bounds, dialect, Statement(text))


def apart(query: Query, asked: Sequence[str], dialect: Dialect = DUCKDB) -> Statement:
    """Ask of each group for some columns alone, out of :func:`beside_sums`, behind the dimensions'."""
    return _grouped(query, None, dialect, Statement(", ".join(asked)))


def beside_sums(query: Query, dialect: Dialect) -> list[str]:
    """Give the columns of the mean latency, the list of percentiles, and those of the further metrics."""
    mean = "NULL" if query.detail == "counts" else dialect.mean
    percentiles = dialect.percentiles.format(column="latency_ms") if query.detail == "all" else "NULL"
    further = [_written(column, dialect) for column in measures.columns(query.metrics)]
    return [mean, percentiles, *further]


def _money(query: Query, dialect: Dialect) -> list[str]:
    return [_written(column, dialect) for column in measures.money_columns(query.metrics)]


def _written(column: str, dialect: Dialect) -> str:
    """Fill in what engines write differently, or what sums tell of it."""
    if dialect.columns is not None:
        return dialect.columns.get(column, "NULL")
    kind, _, inside = column.removeprefix("{").removesuffix("}").partition(":")
    if kind in {"percentiles", "flagged"}:
        return (dialect.percentiles if kind == "percentiles" else dialect.flagged).format(column=inside)
    return _histogram(inside, dialect) if kind == "histogram" else column


def _histogram(column: str, dialect: Dialect) -> str:
    """Count by LATENCY_BOUNDS_MS, where the engine has no such thing up to each bound; see ``measures``."""
    if dialect.histogram is not None:
        return dialect.histogram.format(column=column, bounds=", ".join(map(str, LATENCY_BOUNDS_MS)))
    up_to = [f"count(*) FILTER (WHERE {column} <= {bound})" for bound in LATENCY_BOUNDS_MS]
    return dialect.array.format(items=", ".join((*up_to, f"count({column})")))


def costs(query: Query, bounds: Bounds | None, dialect: Dialect = DUCKDB) -> Statement:
    """Ask for the known cost of each group by currency: the dimensions' columns, currency, sum.

    Behind it the further sums of money that are asked for (``measures.money``).
    """
    known = Statement(", ".join(("currency", "sum(cost)", *_money(query, dialect))))
    return _grouped(query, bounds, dialect, known, extra="currency", condition="cost IS NOT NULL")


def timed(query: Query, bounds: Bounds | None, dialect: Dialect = DUCKDB) -> Statement:
    """Ask for the latencies of each group: the dimensions' columns, how many are known, their sum."""
    return _grouped(query, bounds, dialect, Statement(dialect.timed))


def rolled(query: Query, dialect: Dialect = DUCKDB) -> Statement:
    """Ask daily totals for each group, by currency.

    The columns: those of the dimensions, currency, eight counts and sums as in :func:`totals`, the cost, how
    many latencies are known and their sum, and of failed calls how many costs are known and their sum. The
    query's zone must be UTC, and no dimension or filter of it the hour.
    """
    failed = "FILTER (WHERE status = 'error')"
    aggregates = f"""currency, sum(calls), coalesce(sum(calls) {failed}, 0), sum(known),
        sum(input_tokens), sum(cached_tokens), sum(cache_write_tokens), sum(output_tokens),
        sum(reasoning_tokens), sum(cost), sum(timed), sum(latency_ms),
        coalesce(sum(known) {failed}, 0), sum(cost) {failed}"""
    source = replace(dialect, calls=dialect.rolled)
    return _grouped(query, None, source, Statement(aggregates), extra="currency")


RATE = "CASE WHEN unit <> 'reported' THEN rate END"  # what was stated is an amount, each another one
_LINE = ("unit", "currency", RATE, "per", "input_rate")


def lines(query: Query, bounds: Bounds | None, dialect: Dialect = DUCKDB) -> Statement:
    """Ask for sums over the lines of costs: the dimensions' columns, those of _LINE, count, two sums."""
    chosen, keys = chosen_calls(query, bounds, dialect, "cost IS NOT NULL")
    group = ", ".join((*keys, *_LINE))
    lined = Statement(dialect.lined.format(chosen=chosen.text, fresh=FRESH), chosen.parameters)
    return (
        Statement(f"SELECT {group}, {dialect.added} FROM") + lined + Statement(f"AS lined GROUP BY {group}")
    )


_SUFFIXES = " ".join(
    f"WHEN line.unit LIKE 'cache%{modality}' THEN 'input_{modality}'" for modality in MODALITIES
)
FRESH = f"CASE {_SUFFIXES} WHEN line.unit LIKE 'cache%' THEN 'input' END"  # the unit without a cache


def _grouped(  # the parts of one statement
    query: Query,
    bounds: Bounds | None,
    dialect: Dialect,
    aggregates: Statement,
    extra: str | None = None,
    condition: str | None = None,
) -> Statement:
    chosen, keys = chosen_calls(query, bounds, dialect, condition)
    text = (
        Statement(f"SELECT {', '.join((*keys, ''))}")  # d0, d1, …
        + aggregates
        + Statement("FROM (")
        + chosen
        + Statement(") AS chosen")
    )
    group = [*keys, extra] if extra else keys
    return text + Statement(f"GROUP BY {', '.join(group)}") if group else text


def chosen_calls(
    query: Query, bounds: Bounds | None, dialect: Dialect, condition: str | None
) -> tuple[Statement, list[str]]:
    """Ask for the calls of a question with the dimensions' columns before them; give these names too."""
    columns = _columns(query, bounds, dialect)
    named = [Statement(f"{c.text} AS d{i}", c.parameters) for i, c in enumerate(columns)]
    chosen = (
        Statement("SELECT")
        + joined(", ", [*named, Statement("calls.*")])
        + Statement(f"FROM {dialect.calls}")
        + _where(query, dialect, condition)
    )
    return chosen, [f"d{i}" for i in range(len(columns))]


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
            keys.append(hour_begins(value, offset, zone(query.tz)))
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
    query: CallQuery, asked: str, size: int, after: Stands | None, dialect: Dialect = DUCKDB
) -> Statement:
    """Ask something of the next calls in the order of the query, beginning behind the one ``after``."""
    return (
        Statement(f"SELECT {asked} FROM calls WHERE {dialect.row} IN (")  # noqa: S608  # our own names
        + chosen(query, size, after, dialect)
        + Statement(")")
        + _newest_first(query, dialect)
    )


def chosen(
    query: CallQuery, size: int | None, after: Stands | None = None, dialect: Dialect = DUCKDB
) -> Statement:
    """Ask which rows the next calls of a query are, no more than ``size`` of them."""
    where = _where(query, dialect)
    if after is not None:
        key = _order_key(query, dialect)
        oldest = f"{dialect.id} < {dialect.id_value}"
        beyond = Statement(f"({key.text} <= {key.value} AND ({key.text} < {key.value} OR {oldest}))")
        value = key.of(after)
        beyond = Statement(beyond.text, [*key.parameters, value, *key.parameters, value, after.id])
        where = where + Statement("AND" if where.text else "WHERE") + beyond
    rows = Statement(f"SELECT {dialect.row} FROM {dialect.calls}") + where  # noqa: S608  # our own names
    return rows if size is None else rows + _newest_first(query, dialect) + Statement("LIMIT ?", [size])


def days(query: CallQuery, dialect: Dialect = DUCKDB) -> Statement:
    """Ask for the days in UTC that hold calls of a query, newest first."""
    found = Statement(f'SELECT CAST("at" AS DATE) AS day FROM {dialect.calls}')  # noqa: S608  # likewise
    return found + _where(query, dialect) + Statement("GROUP BY 1 ORDER BY 1 DESC")


def _newest_first(query: CallQuery, dialect: Dialect) -> Statement:
    key = _order_key(query, dialect)
    return Statement(f"ORDER BY {key.text} DESC, {dialect.id} DESC", list(key.parameters))


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

    def of(self, call: Stands) -> Any:
        value = getattr(call, self.name)
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
