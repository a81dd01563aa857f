"""PostgreSQL beside its own COPY: how fast calls are kept, what a call takes on disk, how long reports take.

``python -m benchmarks.postgresql [CALLS]``; the server comes out of a wheel, with its settings as they are
but for more shared memory, and syncs to disk.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Json
from rich.console import Console
from rich.table import Table
from tests.support.postgres import private

from outlay.core.ids import uuid7
from outlay.core.query import Query, filters
from outlay.core.record import Record
from outlay.extract import read
from outlay.ledger import PostgresLedger
from outlay.ledger.postgres.rows import RECORD_COLUMNS
from outlay.pricing import cost_of

_COPIED = 50_000  # calls in a paired round
_ROUNDS = 5
_START = datetime(2026, 10, 1, tzinfo=UTC)
_MODELS = (
    ("openai", "gpt-4o-2024-08-06", "chat"),
    ("openai", "gpt-4o-mini-2024-07-18", "chat"),
    ("anthropic", "claude-sonnet-4-5-20250929", "messages"),
    ("anthropic", "claude-haiku-4-5-20251001", "messages"),
)
_QUESTIONS = {
    "total": Query(),
    "by day and model": Query(("day", "model")),
    "by model since a broken hour": Query(("model",), _START + timedelta(days=3, hours=5, minutes=13)),
    "by query type of one provider": Query(("query_type",), where=filters({"provider": "openai"})),
    "by user": Query(("user",)),
    "by hour": Query(("hour",)),
}


def records(calls: int, days: float = 30.0) -> Iterator[Record]:
    """Make calls as they are: two APIs, four models, a thousand users, raw usages of some 250 bytes."""
    chance = random.Random(1)  # noqa: S311 - only numbers
    for n in range(calls):
        provider, model, api = chance.choice(_MODELS)
        at = _START + timedelta(days=days) * (n / calls)
        usage = read({"model": model, **_body(api, chance)}, provider=provider, api=api)
        yield Record(
            id=uuid7(at),
            at=at,
            provider=provider,
            model=model,
            usage=usage,
            charge=cost_of(usage, provider=provider, model=model, at=at),
            api=api,
            latency_ms=round(chance.lognormvariate(6.8, 0.7), 3),
            user=f"user-{chance.randrange(1000)}",
            session=f"session-{n // 7}",
            query_type=chance.choice(("rag", "chat", "summary", None)),
            tags={"team": chance.choice(("search", "ads", "core"))},
        )


def _body(api: str, chance: random.Random) -> dict[str, Any]:
    fresh, cached = chance.randint(50, 8000), chance.randrange(2) * chance.randint(0, 4000)
    out = chance.randint(9, 900)
    name = f"{chance.getrandbits(160):040x}"
    if api == "messages":
        written = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
        usage = {"input_tokens": fresh, "cache_creation_input_tokens": 0, "cache_read_input_tokens": cached}
        return {"id": f"msg_{name[:24]}", "usage": {**usage, "cache_creation": written, "output_tokens": out}}
    details = {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0}
    usage = {"prompt_tokens": fresh + cached, "completion_tokens": out, "total_tokens": fresh + cached + out}
    inside = {"prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0}}
    return {"id": f"chatcmpl-{name[:29]}", "usage": {**usage, **inside, "completion_tokens_details": details}}


def _copy(connection: psycopg.Connection[Any], rows: Sequence[Sequence[Any]]) -> float:
    """Load the very rows by psycopg's COPY into a table without index; give the seconds."""
    names = ", ".join(f'"{name}"' for name in RECORD_COLUMNS)
    connection.execute("TRUNCATE copied")
    start = time.perf_counter()
    with connection.cursor().copy(f"COPY copied ({names}) FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)
    return time.perf_counter() - start


def _loading(server: str, some: Sequence[Record]) -> None:
    """Take turns: COPY of the rows as they are stored, and what a shipper does with the records."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SET search_path = bench")
        ledger = PostgresLedger(f"{server}&schema=bench")
        ledger.add(some[:1])
        connection.execute("CREATE TABLE copied (LIKE records)")
        ledger.add(some)
        names = ", ".join(f'"{name}"' for name in RECORD_COLUMNS)
        stored = connection.execute(f"SELECT {names} FROM records".encode())  # noqa: S608  # our own names
        rows = [tuple(map(_adapted, row)) for row in stored]
        ratios = []
        for _ in range(_ROUNDS):
            copied = _copy(connection, rows)
            connection.execute("TRUNCATE records, hours, latencies")
            start = time.perf_counter()
            ledger.add(some)
            ratios.append((copied / (time.perf_counter() - start), len(some) / copied))
        ledger.close()
        connection.execute("DROP SCHEMA bench CASCADE")
    ratio, speed = (statistics.median(each) for each in zip(*ratios, strict=True))
    Console().print(
        f"PostgresLedger.add at {ratio:.2f} times psycopg's COPY of the same rows ({speed:,.0f} rows/s),"
        f" {', '.join(f'{each:.2f}' for each, _ in ratios)}"
    )


def _adapted(value: Any) -> Any:
    return Json(value) if isinstance(value, dict | list) else value


def _asking(server: str, calls: int) -> None:
    ledger = PostgresLedger(f"{server}&schema=asked")
    ledger.add(records(calls))
    size = ledger.info().size_bytes or 0
    table = Table(title=f"{calls:,} calls, {size / calls:,.0f} bytes each on disk", title_justify="left")
    for heading in ("report", "ms, best of 5", "median"):
        table.add_column(heading, justify="right")
    for name, query in _QUESTIONS.items():
        taken = [_milliseconds(lambda asked=query: ledger.rows(asked)) for _ in range(5)]  # type: ignore[misc]
        table.add_row(name, f"{min(taken):,.0f}", f"{statistics.median(taken):,.0f}")
    ledger.close()
    Console(width=110).print(table)


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def main(calls: int = 100_000) -> None:
    """Print both tables."""
    settings = ("-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB")
    with private(settings=settings) as server:
        _loading(server.url, list(records(_COPIED)))
        _asking(server.url, calls)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
