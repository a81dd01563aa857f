"""Rollups, as calls come and costs are reckoned again: sums by hour and kind, latencies by day or hour."""

from collections.abc import Sequence
from typing import Final

from outlay.ledger.postgres.connection import Connection

GROWTH: Final = 1.04
"""From one bucket of latencies to the next."""
SMALLEST: Final = -177  # the bucket of 0.001 ms, and of all below
BUCKET = f"""CAST(CASE WHEN latency_ms > 0.001 THEN floor(ln(latency_ms) / ln({GROWTH}::double precision))
    WHEN latency_ms IS NOT NULL THEN {SMALLEST} END AS smallint)"""
COLUMNS = """records."at", records.kind, records.input_tokens, records.cached_tokens,
    records.cache_write_tokens, records.output_tokens, records.reasoning_tokens, records.latency_ms"""
"""What is counted of a row of records, its cost aside."""
SUMS = (
    *("calls", "known", "cost", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens"),
    *("reasoning_tokens", "timed", "latency_ms"),
)
_SUMS = """{sign} * count(*), {sign} * count(cost), {sign} * coalesce(sum(cost), 0),
    {sign} * sum(input_tokens), {sign} * sum(cached_tokens), {sign} * sum(cache_write_tokens),
    {sign} * sum(output_tokens), {sign} * sum(reasoning_tokens), {sign} * count(latency_ms),
    {sign} * coalesce(sum(latency_ms), 0)"""
_ADD = f"""ON CONFLICT (hour, kind, currency, cost_status) DO UPDATE SET
    {", ".join(f"{name} = hours.{name} + excluded.{name}" for name in SUMS)}"""


def hourly(calls: str, sign: int = 1) -> str:
    """Write the question for the sums of calls by hour, or for what they take off them."""
    return f"""SELECT date_trunc('hour', "at"), kind, currency, cost_status, {_SUMS.format(sign=sign)}
        FROM {calls} GROUP BY 1, 2, 3, 4"""  # noqa: S608  # our own names


def daily(calls: str) -> str:
    """Write the question for the latencies of calls by day."""
    return f"""SELECT CAST("at" AS date), kind, {BUCKET}, count(*) FROM {calls}
        WHERE latency_ms IS NOT NULL GROUP BY 1, 2, 3"""  # noqa: S608  # our own names


def of_hours(calls: str) -> str:
    """Write the question for the latencies of calls by hour, of whatever kind."""
    return f"""SELECT date_trunc('hour', "at"), {BUCKET}, count(*) FROM {calls}
        WHERE latency_ms IS NOT NULL GROUP BY 1, 2"""  # noqa: S608  # our own names


def counted(calls: str, sign: int = 1) -> str:
    """Write the statement that adds calls to the sums by hour, or takes them off again."""
    return f"INSERT INTO hours {hourly(calls, sign)} {_ADD}"  # our own names


def sketched(calls: str) -> str:
    """Write the statement that adds calls to the latencies by day."""
    return f"""INSERT INTO latencies {daily(calls)}
        ON CONFLICT (day, kind, bucket) DO UPDATE SET calls = latencies.calls + excluded.calls"""


def sketched_by_hour(calls: str) -> str:
    """Write the statement that adds calls to the latencies by hour."""
    return f"""INSERT INTO hour_latencies {of_hours(calls)}
        ON CONFLICT (hour, bucket) DO UPDATE SET calls = hour_latencies.calls + excluded.calls"""


def standing(newest: str, condition: str) -> str:
    """Write where calls are read with the newest of their costs, which is joined like that."""
    return f"""(SELECT {COLUMNS},
        CASE WHEN newest.record_id IS NULL THEN records.cost ELSE newest.cost END AS cost,
        coalesce(newest.currency, kinds.currency) AS currency,
        coalesce(newest.cost_status, kinds.cost_status) AS cost_status
        FROM records JOIN kinds ON kinds.id = records.kind {newest} WHERE {condition}) AS calls"""  # noqa: S608  # our own names


_THESE = "records.id = ANY(CAST(? AS UUID[]))"
RECORDED = f"""(SELECT {COLUMNS}, records.cost, kinds.currency, kinds.cost_status
    FROM records JOIN kinds ON kinds.id = records.kind WHERE {_THESE}) AS calls"""  # noqa: S608  # our own names
"""Some calls as they were recorded."""
STANDING = standing(
    """LEFT JOIN LATERAL (
        SELECT * FROM revisions WHERE record_id = records.id ORDER BY "at" DESC, rowid DESC LIMIT 1
    ) AS newest ON TRUE""",
    _THESE,
)
"""Some calls as they stand."""
ALL = standing(
    """LEFT JOIN (
        SELECT DISTINCT ON (record_id) * FROM revisions ORDER BY record_id, "at" DESC, rowid DESC
    ) AS newest ON newest.record_id = records.id""",
    "TRUE",
)
"""All calls as they stand."""


def take_off(connection: Connection, ids: Sequence[str], calls: str) -> None:
    """Take these calls off the sums, as they were counted until now: as recorded, or as they stand."""
    connection.run(counted(calls, -1), [list(ids)])


def put_back(connection: Connection, ids: Sequence[str]) -> None:
    """Count these calls as they now stand."""
    connection.run(counted(STANDING), [list(ids)])
    connection.run("DELETE FROM hours WHERE calls = 0")
