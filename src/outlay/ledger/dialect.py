"""What differs between engines, as templates of SQL, and statements with their parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

_JUDGED: Final = """(SELECT calls.* REPLACE (
            coalesce(news.quality, calls.quality_score) AS quality_score,
            coalesce(news.rating, calls.user_rating) AS user_rating,
            coalesce(news.correct, calls.correct) AS correct
        )
        FROM {calls} LEFT JOIN (
            SELECT record_id,
                last(quality_score ORDER BY "at", rowid) FILTER (WHERE quality_score IS NOT NULL) AS quality,
                last(user_rating ORDER BY "at", rowid) FILTER (WHERE user_rating IS NOT NULL) AS rating,
                last(correct ORDER BY "at", rowid) FILTER (WHERE correct IS NOT NULL) AS correct
            FROM scores {among} GROUP BY record_id
        ) AS news ON news.record_id = calls.id) AS calls"""
_REVISED: Final = """(SELECT calls.* REPLACE (
            CASE WHEN newest.record_id IS NULL THEN calls.cost ELSE newest.cost END AS cost,
            CASE WHEN newest.record_id IS NULL THEN calls.lines ELSE newest.lines END AS lines,
            coalesce(newest.currency, calls.currency) AS currency,
            coalesce(newest.cost_status, calls.cost_status) AS cost_status,
            CASE WHEN newest.record_id IS NULL THEN calls.cost_flags ELSE newest.cost_flags END AS cost_flags
        ){row}
        FROM {calls} LEFT JOIN (
            SELECT record_id, cost, currency, cost_status, cost_flags, lines FROM revisions {among}
            QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY "at" DESC, rowid DESC) = 1
        ) AS newest ON newest.record_id = calls.id) AS calls"""


def standing(condition: str, *, revised: bool, judged: bool) -> str:
    """Write where DuckDB reads those calls as they stand, looking at no more of what came later."""
    calls = f"(SELECT * FROM calls WHERE {condition}) AS calls"  # noqa: S608  # our own names
    among = f"WHERE record_id IN (SELECT id FROM calls WHERE {condition})"  # noqa: S608  # likewise
    if revised:
        calls = _REVISED.format(calls=calls, row="", among=among)
    return _JUDGED.format(calls=calls, among=among) if judged else calls


class Stands(Protocol):
    """A call by which its place in an order is known; it has what it is sorted by."""

    @property
    def id(self) -> str:
        """Its id."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between engines, as templates; instants go in and come out as naive UTC."""

    truncate: str = "date_trunc('{unit}', {moment})"
    shift: str = "{moment} + to_seconds({seconds})"
    seconds: str = "CAST(? AS BIGINT)"
    tag: str = "tags[?]"
    percentiles: str = "quantile_cont({column}, [0.5, 0.9, 0.95, 0.99])"  # those of measures.SHARES
    array: str = "[{items}]"
    # how many values lie up to each bound and above the one before, by bound; None: there is no such thing
    histogram: str | None = "histogram({column}, CAST([{bounds}] AS DOUBLE[]))"
    flags: str = "CAST(cost_flags AS VARCHAR)"  # what is odd about a cost, as text
    row: str = "rowid"  # names a row within one statement
    arrival: str = "rowid"  # sorts entries in the order in which they came
    id: str = "id"  # sorts as the id's text does
    id_value: str = "?"  # an id to compare that with
    among: str = "IN (SELECT unnest(CAST(? AS UUID[])))"  # one of a list of ids
    amount: str = "CAST(? AS DECIMAL(38, 18))"
    # of a group: counts; then tokens, the least and greatest currency of known costs, cost
    counts: str = "count(*), count(*) FILTER (WHERE status = 'error'), count(cost)"
    sums: str = """coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
        coalesce(sum(cache_write_tokens), 0), coalesce(sum(output_tokens), 0),
        coalesce(sum(reasoning_tokens), 0), {currencies}, sum(cost)"""
    mean: str = "avg(latency_ms)"
    currencies: str = (
        "min(currency) FILTER (WHERE cost IS NOT NULL), max(currency) FILTER (WHERE cost IS NOT NULL)"
    )
    timed: str = "count(latency_ms), coalesce(sum(latency_ms), 0)"
    calls: str = "calls"  # where calls are read from, under this name
    bounds: str = 'SELECT min("at"), max("at") FROM calls'  # of all calls
    sample: str | None = None  # a condition of few of them; None where the engine finds percentiles itself
    # sums over lines of costs, each with its columns
    added: str = "count(*), sum(quantity), sum(amount)"
    # how the question is asked of sums that are there already, and where columns are read from in order
    sealed: "Dialect | None" = None
    ordered: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] | None = None  # of sums: what gives these columns; NULL for all others
    # the daily totals of pruned calls, with a column for each dimension but the hour
    rolled: str = "(SELECT *, CAST(NULL AS VARCHAR) AS session FROM rollups) AS calls"
    # the same with the newest value of each judgement
    judged: str = _JUDGED.replace("{among}", "")
    # chosen calls, once for each line of their cost
    lined: str = """(SELECT chosen.*, line.unit AS unit, line.per AS per,
            CAST(line.rate AS DECIMAL(38, 18)) AS rate,
            CAST(line.quantity AS DECIMAL(38, 18)) AS quantity,
            CAST(line.amount AS DECIMAL(38, 18)) AS amount,
            CASE WHEN line.unit LIKE 'cache%' THEN list_min(list_transform(list_filter(listed, lambda each:
                each.unit = {fresh} AND each.model IS NOT DISTINCT FROM line.model
            ), lambda each: CAST(each.rate AS DECIMAL(38, 18)))) END AS input_rate
        FROM (SELECT *, from_json(lines, '[{{"unit": "VARCHAR", "rate": "VARCHAR", "per": "BIGINT",
                "quantity": "VARCHAR", "amount": "VARCHAR", "model": "VARCHAR"}}]') AS listed
            FROM ({chosen})) AS chosen, unnest(listed) AS unnested(line))"""
    # the same with the newest of their costs, in the columns that can be asked for
    revised: str = _REVISED.format(calls="calls", row=", calls.rowid AS rowid", among="")

    @property
    def flagged(self) -> str:
        """Count the calls whose cost has a flag, which is one of a few words of our own in a list of JSON."""
        return f"count(*) FILTER (WHERE {self.flags} LIKE '%\"{{column}}\"%')"


def reading_newest(dialect: Dialect) -> Dialect:
    """Give the same dialect, reading calls with the newest of their costs."""
    return replace(dialect, calls=dialect.revised, sample=None)


def in_one_currency(dialect: Dialect, currency: str) -> Dialect:
    """Give the same dialect for a ledger all of whose costs are in this currency, of three letters."""
    known = f"CASE WHEN count(cost) > 0 THEN '{currency}' END"
    return replace(dialect, currencies=f"{known}, {known}")


DUCKDB: Final = Dialect()
REVISED: Final = reading_newest(DUCKDB)


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
