"""What a seal holds: its sums and sorted latencies, and how they are worked out of calls."""

from collections.abc import Container
from typing import Final

from outlay.ledger.dialect import DUCKDB
from outlay.ledger.sql import FRESH, RATE

DIMENSIONS: Final = ("provider", "model", "operation", "status", "error_type", "currency", "cost_status")
"""What sums are kept by, beside the day."""

LINE: Final = ("unit", "rate", "per", "input_rate")
"""What sums over lines are kept by, beside those."""

LINE_SUMS: Final = ("lines", "quantity", "amount")
SORTED: Final = {"latency_ms": "latencies", "time_to_first_token_ms": "first_tokens"}
"""Columns of calls whose values are kept in order, and what their tables are named by."""

TABLES: Final = ("sealed_sums", *(f"sealed_{name}" for name in SORTED.values()), "sealed_lines")
_PART = 256  # latencies in a row
SUMS: Final = {
    "calls": "count(*)",
    "known": "count(cost)",
    "cost": "sum(cost)",
    "input_tokens": "sum(input_tokens)",
    "cached_tokens": "sum(cached_tokens)",
    "cache_write_tokens": "sum(cache_write_tokens)",
    "output_tokens": "sum(output_tokens)",
    "reasoning_tokens": "sum(reasoning_tokens)",
    "cached_calls": "count(*) FILTER (WHERE cached_tokens > 0)",
    "timed": "count(latency_ms)",
    "latency_ms": "sum(latency_ms)",
    "least_ms": "min(latency_ms)",
    "greatest_ms": "max(latency_ms)",
    "written_tokens": "sum(output_tokens) FILTER (WHERE latency_ms > 0)",
    "written_ms": "sum(latency_ms) FILTER (WHERE latency_ms > 0)",
    "first_tokens": "count(time_to_first_token_ms)",
    "first_token_ms": "sum(time_to_first_token_ms)",
    "judged": "count(correct)",
    "correct": "count(*) FILTER (WHERE correct)",
    "judged_known": "count(cost) FILTER (WHERE correct IS NOT NULL)",
    "judged_cost": "sum(cost) FILTER (WHERE correct IS NOT NULL)",
    "quality_scores": "count(quality_score)",
    "quality_score": "sum(quality_score)",
    "user_ratings": "count(user_rating)",
    "user_rating": "sum(user_rating)",
    "extrapolated": DUCKDB.flagged.format(column="extrapolated"),
}
ADDED: Final = {"least_ms": "min", "greatest_ms": "max"}  # all others are added up
EXACT: Final = tuple(
    name
    for name in SUMS
    if name not in ("latency_ms", "written_ms", "first_token_ms", "quality_score", "user_rating")
)


def sums_of(calls: str, at: str, wanted: Container[str] | None = None) -> str:
    """Write the question for the sums of calls; ``at`` gives a group's instant out of those of its calls.

    All columns, or those that are wanted.
    """
    dimensions = "".join(f", {name}" for name in DIMENSIONS if wanted is None or name in wanted)
    sums = "".join(f", {text} AS {name}" for name, text in SUMS.items() if wanted is None or name in wanted)
    return f"""SELECT {at} AS "at"{dimensions}{sums} FROM {calls}
        GROUP BY date_trunc('day', calls."at"){dimensions}"""  # noqa: S608  # our own names


def sorted_of(calls: str, at: str, column: str) -> str:
    """Write the question for what calls have in a column of SORTED, in order and in parts."""
    group = """date_trunc('day', calls."at"), provider, model"""
    return f"""SELECT {at} AS "at", provider, model, count(*) AS n, min({column}) AS least,
            max({column}) AS greatest, list({column} ORDER BY {column}) AS latencies
        FROM (SELECT calls."at", provider, model, {column},
                (row_number() OVER (PARTITION BY {group} ORDER BY {column}) - 1) // {_PART} AS part
            FROM {calls} WHERE {column} IS NOT NULL) AS calls
        GROUP BY {group}, part"""  # noqa: S608  # our own names


def lines_of(calls: str, at: str) -> str:
    """Write the question for sums over the lines of the known costs of calls."""
    lined = DUCKDB.lined.format(chosen=f"SELECT * FROM {calls} WHERE cost IS NOT NULL", fresh=FRESH)  # noqa: S608  # our own names
    dimensions = ", ".join(DIMENSIONS)
    return f"""SELECT {at} AS "at", {dimensions}, unit, {RATE} AS rate, per, input_rate,
            count(*) AS lines, sum(quantity) AS quantity, sum(amount) AS amount
        FROM {lined} AS calls
        GROUP BY date_trunc('day', calls."at"), {dimensions}, unit, {RATE}, per, input_rate"""  # noqa: S608  # likewise
