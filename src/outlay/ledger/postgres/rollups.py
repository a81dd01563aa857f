"""Rollups, as calls come and costs are reckoned again: sums by hour and kind, latencies by day or hour."""

from collections.abc import Sequence
from typing import Final

from outlay.ledger.postgres.connection import Connection

GROWTH: Final = 1.04
"""From one bucket of latencies to the next."""
SMALLEST: Final = -177  # the bucket of 0.001 ms, and of all below
_PACKED = "array_agg(bucket ORDER BY bucket), array_agg(calls ORDER BY bucket)"
DAYS = "SELECT day, kind, unnest(buckets) AS bucket, unnest(calls) AS calls FROM latencies"
"""The latencies by day, a row a bucket."""
HOURS = "SELECT hour, unnest(buckets) AS bucket, unnest(calls) AS calls FROM hour_latencies"
"""The latencies by hour, a row a bucket."""
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


def hourly_as_recorded(calls: str) -> str:
    """Write the same for calls of which only the kind is at hand; what that says is joined to the sums."""
    return f"""SELECT hour, kind, currency, cost_status, {", ".join(f"counted.{name}" for name in SUMS)}
        FROM (SELECT date_trunc('hour', "at"), kind, {_SUMS.format(sign=1)} FROM {calls} GROUP BY 1, 2)
            AS counted(hour, kind, {", ".join(SUMS)}) JOIN kinds ON kinds.id = kind"""  # noqa: S608  # our own names


def daily(calls: str) -> str:
    """Write the question for the latencies of calls by day."""
    return f"""SELECT CAST("at" AS date), kind, {BUCKET}, count(*) FROM {calls}
        WHERE latency_ms IS NOT NULL GROUP BY 1, 2, 3"""  # noqa: S608  # our own names


def of_hours(calls: str) -> str:
    """Write the question for the latencies of calls by hour, of whatever kind."""
    return f"""SELECT date_trunc('hour', "at"), {BUCKET}, count(*) FROM {calls}
        WHERE latency_ms IS NOT NULL GROUP BY 1, 2"""  # noqa: S608  # our own names


def packed_daily(calls: str) -> str:
    """Write the same with the buckets of a day and kind in one row."""
    return f"""SELECT day, kind, {_PACKED}
        FROM ({daily(calls)}) AS counted(day, kind, bucket, calls) GROUP BY day, kind"""  # noqa: S608  # our own names


def packed_of_hours(calls: str) -> str:
    """Write the same with the buckets of an hour in one row."""
    return f"""SELECT hour, {_PACKED}
        FROM ({of_hours(calls)}) AS counted(hour, bucket, calls) GROUP BY hour"""  # noqa: S608  # our own names


def counted(sums: str) -> str:
    """Write the statement that adds what such a question gives to the sums by hour."""
    return f"INSERT INTO hours {sums} {_ADD}"  # our own names


def sketched(calls: str) -> str:
    """Write the statement that adds calls to the latencies by day."""
    return f"""INSERT INTO latencies {packed_daily(calls)}
        ON CONFLICT (day, kind) DO UPDATE SET {_added("latencies")}"""  # our own names


def sketched_by_hour(calls: str) -> str:
    """Write the statement that adds calls to the latencies by hour."""
    return f"""INSERT INTO hour_latencies {packed_of_hours(calls)}
        ON CONFLICT (hour) DO UPDATE SET {_added("hour_latencies")}"""  # our own names


def _added(table: str) -> str:
    """Write what becomes of a row's buckets when others are added."""
    both = " UNION ALL ".join(
        f"SELECT unnest({row}.buckets) AS bucket, unnest({row}.calls) AS calls" for row in (table, "excluded")
    )
    return f"""(buckets, calls) = (SELECT {_PACKED} FROM (
        SELECT bucket, CAST(sum(calls) AS bigint) AS calls FROM ({both}) AS apart GROUP BY bucket
    ) AS counted)"""  # noqa: S608  # our own names


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
    connection.run(counted(hourly(calls, -1)), [list(ids)])


def put_back(connection: Connection, ids: Sequence[str]) -> None:
    """Count these calls as they now stand."""
    connection.run(counted(hourly(STANDING)), [list(ids)])
    connection.run("DELETE FROM hours WHERE calls = 0")
