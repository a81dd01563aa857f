"""Standard reports over millions of calls in PostgreSQL: wall clock, and the CPU of server and client.

``python -m benchmarks.standard [CALLS]``; a million without it. Some thousands of calls are kept as ever;
the server multiplies them under ids, instants, users and latencies of their own, over thirty days, and adds
all up into the rollups by the very statements that the ledger runs for a batch. ``verify`` proves it before
anything is asked.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table
from tests.support.postgres import Server, private

from benchmarks.postgresql import records
from outlay.core.query import Query, filters
from outlay.core.record import Record
from outlay.ledger import PostgresLedger
from outlay.ledger.postgres.rollups import ALL, counted, hourly, sketched, sketched_by_hour

_CALLS = 1_000_000
_MADE = 4_000
_PORTION = 1_000_000  # calls that one statement makes
_ROUNDS = 7
_START = datetime(2026, 10, 1, tzinfo=UTC)
_DAYS = 30
_MOMENT = _START + timedelta(days=3, hours=5, minutes=13)
_LATER = _START + timedelta(days=26, hours=19, minutes=41)
STANDARD = {
    "total": Query(),
    "by day": Query(("day",)),
    "by week": Query(("week",)),
    "by month": Query(("month",)),
    "by hour": Query(("hour",)),
    "by provider": Query(("provider",)),
    "by model": Query(("model",)),
    "by feature (query type)": Query(("query_type",)),
    "by day and model": Query(("day", "model")),
    "errors by model": Query(("model", "error_type"), where=filters({"status": "error"})),
    "by day in Berlin": Query(("day",), tz="Europe/Berlin"),
    "by hour in Berlin": Query(("hour",), tz="Europe/Berlin"),
    "by model, one provider": Query(("model",), where=filters({"provider": "openai"})),
    "by model, since a broken hour": Query(("model",), _MOMENT),
    "by day and model, broken days at both ends": Query(("day", "model"), _MOMENT, _LATER),
}
BEYOND = {
    "by day and model in Berlin": Query(("day", "model"), tz="Europe/Berlin"),
    "one user": Query(where=filters({"user": "user-7"})),
    "by user": Query(("user",)),
}
_MULTIPLIED = ("id", "at", "user", "latency_ms", "cost")


def _seeds() -> Iterator[Record]:
    """Make calls of eight models and some eighty kinds; one of fifty failed."""
    chance = random.Random(2)  # noqa: S311  # only numbers
    for record in records(_MADE):
        model = f"{record.model}-{chance.randrange(2)}"
        made = replace(record, model=model, query_type=chance.choice(("rag", "chat", "summary", "sql", None)))
        if chance.randrange(50):
            yield made
        else:
            yield replace(made, status="error", error_type=chance.choice(("Timeout", "RateLimitError")))


def fill(url: str, calls: int) -> None:
    """Have so many calls in the ledger, and rollups of them."""
    ledger = PostgresLedger(url)
    ledger.add(_seeds())
    with psycopg.connect(ledger_url(url), autocommit=True) as connection:
        connection.execute(f"SET search_path = {ledger.schema}".encode())
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE seeds AS SELECT *, row_number() OVER () - 1 AS nth FROM records")
        connection.execute("TRUNCATE records, hours, latencies, hour_latencies")
        columns = [
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'records'"
                " AND table_schema = current_schema() ORDER BY ordinal_position"
            )
        ]
        copied = ", ".join(f'"{name}"' for name in columns if name not in _MULTIPLIED)
        for first in range(0, calls, _PORTION):
            connection.execute(_multiplied(copied, first, min(calls, first + _PORTION), calls).encode())
        connection.execute("DROP TABLE seeds")
        for statement in (counted(hourly(ALL)), sketched("records"), sketched_by_hour("records")):
            connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")
    ledger.close()


def ledger_url(url: str) -> str:
    """Take off what libpq does not know."""
    return url.partition("&schema=")[0]


def _multiplied(copied: str, first: int, end: int, calls: int) -> str:
    """Write the statement that makes calls number ``first`` to ``end``, in the order of time."""
    apart = _DAYS * 86_400 / calls
    return f"""INSERT INTO records (id, "at", "user", latency_ms, cost, {copied})
        SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM moment) * 1000 AS bigint)), 12, '0') || '7'
                || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15) AS uuid),
            moment, 'user-' || CAST(floor(random() * 1000) AS integer),
            round(CAST(exp(6.8 + 0.7 * random_normal()) AS numeric), 3), cost, {copied}
        FROM (SELECT n, TIMESTAMP '{_START:%Y-%m-%d}' + n * {apart} * INTERVAL '1 second' AS moment
            FROM generate_series({first}, {end - 1}) AS n) AS numbered
        JOIN seeds ON nth = (n * 2654435761) % {_MADE}"""  # noqa: S608  # our own numbers


@dataclass(frozen=True, slots=True)
class Took:
    """What one answer took, in milliseconds."""

    wall: float
    server: float
    client: float


def took(server: Server, work: Callable[[], object], times: int = 1) -> Took:
    """Measure an answer, asked ``times`` times; the system tells a server's CPU in hundredths of a second."""
    before, client, start = _cpu(server), time.process_time(), time.perf_counter()
    for _ in range(times):
        work()
    wall, client = time.perf_counter() - start, time.process_time() - client
    return Took(*(each / times * 1000 for each in (wall, _cpu(server) - before, client)))


def _cpu(server: Server) -> float:
    """Add up the CPU of all the server's processes, in seconds; Linux alone tells it so.

    Those that have ended, parallel workers, are told with the first of them, whose children all others are.
    """
    served = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text("ascii").split()
    ticks = sum(_ticks(server.pid)) + sum(sum(_ticks(int(each))[:2]) for each in served)
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> list[int]:
    """Give what a process took itself, for its own code and in the system, and its ended children too."""
    try:
        text = Path(f"/proc/{process}/stat").read_text("ascii")
    except OSError:  # it has just ended
        return [0]
    return [int(each) for each in text.rpartition(")")[2].split()[11:15]]


def ask(server: Server, url: str, questions: dict[str, Query], rounds: int = _ROUNDS) -> Table:
    """Ask each question some rounds, one after the other, and give the least and the median of each."""
    ledger = PostgresLedger(url)
    taken: dict[str, list[Took]] = {name: [] for name in questions}
    for _ in range(rounds):
        for name, query in questions.items():
            taken[name].append(took(server, lambda asked=query: ledger.rows(asked), 3))  # type: ignore[misc]
    ledger.close()
    table = Table(title_justify="left")
    for heading in ("report", "wall, least", "wall, median", "server's CPU, least", "client's CPU, least"):
        table.add_column(heading, justify="left" if heading == "report" else "right")
    for name, each in taken.items():
        walls = [one.wall for one in each]
        cells = (
            min(walls), statistics.median(walls), min(o.server for o in each), min(o.client for o in each)
        )  # fmt: skip
        table.add_row(name, *(f"{cell:,.0f}" for cell in cells))
    return table


def main(calls: int = _CALLS) -> None:
    """Print both tables, in milliseconds."""
    console = Console(width=120)
    settings = ("-c", "shared_buffers=2GB", "-c", "max_wal_size=8GB")
    with private(settings=settings) as server:
        url = f"{server.url}&schema=asked"
        fill(url, calls)
        ledger = PostgresLedger(url)
        wrong, info = ledger.verify(), ledger.info()
        ledger.close()
        if wrong or info.calls != calls:
            raise RuntimeError(wrong or info)
        console.print(
            f"{calls:,} calls, {(info.size_bytes or 0) / calls:,.0f} bytes each on disk; milliseconds"
        )
        console.print(ask(server, url, STANDARD))
        console.print("Not standard:", ask(server, url, BEYOND, rounds=1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
