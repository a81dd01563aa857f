"""Journals as programs leave them, made by DuckDB in a moment: calls made up, in their real shape."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import orjson

PER_SEGMENT = 50_000  # calls: about 64 MB, at which a journal begins another segment
USERS = 5_000

_CALLS = """
WITH drawn AS (
    SELECT n, TIMESTAMP '2026-09-01' + to_microseconds(CAST(n * {step} AS BIGINT)) AS moment,
        (hash(n) >> 1)::BIGINT AS h, (hash(n, 'a') >> 1)::BIGINT AS a, (hash(n, 'b') >> 1)::BIGINT AS b,
        (hash(n, 'c') >> 1)::BIGINT AS c, (hash(n, 'd') >> 1)::BIGINT AS d
    FROM range({start}, {stop}) AS numbers(n)
), counted AS (
    SELECT *, 200 + a % 3000 AS fresh, (b % 4 = 0)::INT * 1024 * (1 + b // 4 % 4) AS cached,
        20 + c % 900 AS out, h % 5 AS m
    FROM drawn
), named AS (
    SELECT *,
        ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4.1-mini', 'o3'][m + 1] AS model,
        [2.5, 0.15, 2, 0.4, 2][m + 1]::DECIMAL(9, 4) AS r_in,
        [1.25, 0.075, 0.5, 0.1, 0.5][m + 1]::DECIMAL(9, 4) AS r_cached,
        [10, 0.6, 8, 1.6, 8][m + 1]::DECIMAL(9, 4) AS r_out
    FROM counted
), reckoned AS (
    SELECT *, (fresh * r_in / 1000000)::DECIMAL(20, 10) AS c_in,
        (cached * r_cached / 1000000)::DECIMAL(20, 10) AS c_cached,
        (out * r_out / 1000000)::DECIMAL(20, 10) AS c_out
    FROM named
)
SELECT 1 AS "schema",
    printf('%s-%s-7%s-%s-%s', x[1:8], x[9:12], y[1:3], '8' || y[4:6], y[7:16] || z[1:2]) AS id,
    strftime(moment, '%Y-%m-%dT%H:%M:%S.%fZ') AS "at", 'openai' AS provider, model, 'chat' AS operation,
    'chat' AS api, CASE WHEN d % 100 = 0 THEN 'error' ELSE 'success' END AS status,
    'user-' || (sqrt(a % {users} * (b % {users}))::BIGINT) AS "user", 's-' || (n // 7) AS session,
    ['rag', 'chat', 'summary'][1 + c % 3] AS query_type, round(200 + d % 100000 / 17.0, 4) AS latency_ms,
    {{'team': ['search', 'ads', 'core', 'lab'][1 + h // 5 % 4]}} AS tags,
    {{'input': fresh, 'cache_read': cached, 'output': out}} AS usage, model || '-2026-08-06' AS usage_model,
    'chatcmpl-' || left(to_base64(unhex(z || y)), 29) AS response_id,
    {{'prompt_tokens': fresh + cached, 'completion_tokens': out, 'total_tokens': fresh + cached + out,
      'prompt_tokens_details': {{'cached_tokens': cached, 'audio_tokens': 0}},
      'completion_tokens_details': {{'reasoning_tokens': 0, 'audio_tokens': 0,
          'accepted_prediction_tokens': 0, 'rejected_prediction_tokens': 0}}}} AS raw,
    {{'service_tier': 'default'}} AS terms, fresh + cached AS input_tokens, cached AS cached_tokens,
    0 AS cache_write_tokens, out AS output_tokens, 0 AS reasoning_tokens, 'USD' AS currency,
    'priced' AS cost_status, (c_in + c_cached + c_out)::VARCHAR AS cost,
    [{{'unit': 'input', 'quantity': fresh, 'rate': r_in::VARCHAR, 'per': 1000000, 'amount': c_in::VARCHAR}},
     {{'unit': 'cache_read', 'quantity': cached, 'rate': r_cached::VARCHAR, 'per': 1000000,
       'amount': c_cached::VARCHAR}},
     {{'unit': 'output', 'quantity': out, 'rate': r_out::VARCHAR, 'per': 1000000, 'amount': c_out::VARCHAR}}
    ] AS lines,
    {{'source': 'genai-prices 0.2.3', 'effective_from': '2024-10-02T00:00:00.000000Z',
      'version': '0.2.3+1.109.1', 'extrapolated': false}} AS price
FROM (SELECT *, printf('%012x', epoch_ms(moment)) AS x, printf('%016x', h) AS y, printf('%016x', b) AS z
    FROM reckoned)
"""


def write(folder: Path, calls: int, judged: int = 0) -> int:
    """Write so many calls over ninety days into segments of processes that are no more; give their bytes.

    Behind each of so many calls (none if 0) stands a judgement of it.
    """
    folder.mkdir(parents=True)
    database = duckdb.connect(config={"threads": 2, "memory_limit": "800MB"})
    step = 90 * 86_400_000_000 / calls
    for number, start in enumerate(range(0, calls, PER_SEGMENT)):
        stop = min(start + PER_SEGMENT, calls)
        query = _CALLS.format(start=start, stop=stop, step=step, users=USERS)
        target = (
            folder / f"202609{1 + number * 29 * PER_SEGMENT // calls:02}T000000-bench-1-{number:08x}.jsonl"
        )
        database.execute(f"COPY ({query}) TO '{target}' (FORMAT json, ARRAY false)")
        if judged:
            target.write_bytes(b"".join(_judged(target.read_bytes().splitlines(keepends=True), judged)))
    database.close()
    return sum(file.stat().st_size for file in folder.iterdir())


def _judged(lines: list[bytes], one_of: int) -> Iterator[bytes]:
    for number, line in enumerate(lines):
        yield line
        if number % one_of == 0:
            call = orjson.loads(line)
            judgement = {"schema": 1, "score": call["id"], "at": call["at"], "quality_score": 0.5}
            yield orjson.dumps(judgement | {"correct": number % 3 > 0}) + b"\n"
