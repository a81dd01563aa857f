"""ClickHouse's engine in process: our inserts beside its own, bytes a record, and the standard reports.

``python -m benchmarks.clickhouse [CALLS]`` for another number of calls than 20,000.
"""

import gc
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.shipping import journalled, shipped
from benchmarks.timing import Timing, show, take_turns
from outlay.core.ids import uuid7
from outlay.core.query import CallQuery, Query
from outlay.core.record import Record
from outlay.extract import read
from outlay.journal import line_of
from outlay.ledger.clickhouse import ClickHouseLedger, place_of
from outlay.ledger.clickhouse.client import Client
from outlay.pricing import cost_of

BATCH = 20_000
ROUNDS = 3
REPORTED = 1_000_000
_START = datetime(2026, 10, 1, tzinfo=UTC)
_SECONDS = 30 * 24 * 3600
_OPENAI = ("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14")
_ANTHROPIC = ("claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")
_OWN = "INSERT FROM INFILE, JSON lines"
_ADD = "ledger.add of records: known ids looked up, written, compared"
_SHIP = "the shipper, from journals"
_AGAIN = "the same calls once more: each compared"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def some(count: int, seed: int = 7) -> Iterator[Record]:
    """Make calls as providers answer them: counts of their own, raw usage, a priced cost with its lines."""
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    for n in range(count):
        at = _START + timedelta(seconds=n * _SECONDS / count, microseconds=chance.randrange(1000))
        provider, api, model, body = _answer(chance)
        usage = read(body, provider=provider, api=api)
        failed = chance.random() < 0.01
        yield Record(
            id=uuid7(at),
            at=at,
            provider=provider,
            api=api,
            model=model,
            model_requested=model,
            usage=usage,
            charge=cost_of(usage, provider=provider, model=model, at=at),
            latency_ms=round(chance.lognormvariate(7, 0.7), 3),
            status="error" if failed else "success",
            error_type="APITimeoutError" if failed else None,
            user=f"user-{int(chance.paretovariate(1.1)) % 5000}",
            session=f"s-{chance.randrange(count // 8 + 1)}",
            query_type=chance.choice(("rag", "chat", "summary")),
            tags={"team": chance.choice(("search", "support", "ml"))},
        )


def _answer(chance: random.Random) -> tuple[str, str, str, dict[str, Any]]:
    fresh, out = chance.randint(50, 20_000), chance.randint(1, 1500)
    cached = chance.choice((0, 0, fresh // 2 // 128 * 128))
    name = "".join(chance.choices(_LETTERS, k=24))
    if chance.random() < 0.5:
        model = chance.choice(_OPENAI)
        usage = {
            "prompt_tokens": fresh,
            "completion_tokens": out,
            "total_tokens": fresh + out,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }
        body = {"id": f"chatcmpl-{name}", "model": model, "service_tier": "default", "usage": usage}
        return "openai", "chat", model, body
    model = chance.choice(_ANTHROPIC)
    usage = {
        "input_tokens": fresh - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": out,
        "service_tier": "standard",
    }
    return "anthropic", "messages", model, {"id": f"msg_{name}", "model": model, "usage": usage}


def inserts(ledger: ClickHouseLedger, client: Client, folder: Path, count: int) -> None:
    """Print our insert beside the engine's own of the same rows, out of a file of the same JSON lines."""
    records = list(some(count))
    lines = folder / "calls.jsonl"
    lines.write_bytes(b"".join(line_of(each) for each in records))
    client.run("CREATE TABLE bulk AS calls")
    own = (
        f"INSERT INTO bulk FROM INFILE '{lines}' SETTINGS date_time_input_format = 'best_effort', "
        "input_format_skip_unknown_fields = 1 FORMAT JSONEachRow"
    )
    rounds = iter(range(1_000_000))
    cpu: dict[str, list[float]] = {}

    def taken(name: str, work: Callable[[], object]) -> float:
        start, cpu_start = time.perf_counter(), time.process_time()
        work()
        cpu.setdefault(name, []).append((time.process_time() - cpu_start) / count * 1e6)
        return (time.perf_counter() - start) / count * 1e6

    def ours() -> float:
        fresh = [replace(each, id=_moved(each.id, next(rounds))) for each in records]
        return taken(_ADD, lambda: _all_new(ledger, fresh))

    def shipping() -> float:
        nth = next(rounds)
        home = folder / f"home-{nth}"
        journalled(home, (replace(each, id=_moved(each.id, nth)) for each in records))
        return taken(_SHIP, lambda: shipped(home, nth, ledger))

    def bare() -> float:
        client.run("TRUNCATE TABLE bulk")
        return taken(_OWN, lambda: client.run(own))

    def again() -> float:
        return taken(_AGAIN, lambda: ledger.add(records))

    ledger.add(records)
    gc.freeze()  # the records that wait here are no garbage that whoever ships had to look through
    title = f"ClickHouse in process: {count:,} calls, {{}} a call"
    variants = {_OWN: bare, _ADD: ours, _SHIP: shipping, _AGAIN: again}
    show(title.format("wall clock"), take_turns(variants, ROUNDS), _OWN)
    show(title.format("CPU"), {name: Timing(tuple(cpu[name][1:])) for name in variants}, _OWN)
    gc.unfreeze()


def _all_new(ledger: ClickHouseLedger, records: list[Record]) -> None:
    if ledger.add(records) != len(records):
        raise AssertionError("a call was taken for a known one")


def _moved(record_id: str, by: int) -> str:
    """Give another id of the same millisecond."""
    return f"{record_id[:24]}{(int(record_id[24:], 16) + by + 1) % (1 << 48):012x}"


def size(client: Client, count: int) -> None:
    """Print the bytes that one call takes when its part is merged."""
    client.run("OPTIMIZE TABLE bulk FINAL")
    ((taken,),) = client.all(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'bulk' AND database = ?",
        [client.place.database],
    )
    table = Table(title="Bytes a record on disk, raw usage and cost lines kept", title_justify="left")
    table.add_column("")
    table.add_column("bytes", justify="right")
    table.add_row("all columns and indexes", f"{taken / count:,.1f}")
    for name, compressed in client.all(
        "SELECT name, data_compressed_bytes FROM system.columns WHERE table = 'bulk' AND database = ?"
        " ORDER BY data_compressed_bytes DESC LIMIT 6",
        [client.place.database],
    ):
        table.add_row(name, f"{compressed / count:,.1f}")
    Console(width=110).print(table)


def reports(ledger: ClickHouseLedger, client: Client) -> None:
    """Print the standard questions over a million calls, beside the same aggregate as bare SQL."""
    _grow(client, max(1, REPORTED // client.all("SELECT count() FROM bulk")[0][0]))
    kept = client.all("SELECT count() FROM calls")[0][0]
    day_model = """SELECT toStartOfDay("at") AS d, model, count(), sum(cost),
        quantilesExactInclusive(0.5, 0.95, 0.99)(latency_ms) FROM calls GROUP BY d, model"""
    since = _START + timedelta(days=20)
    asked: dict[str, Callable[[], object]] = {
        "bare SQL: day x model, percentiles, no FINAL": lambda: client.all(day_model, (), {"final": 0}),
        "bare SQL: day x model, percentiles, FINAL": lambda: client.all(day_model),
        "day x model": lambda: ledger.rows(Query(by=("day", "model"))),
        "total": lambda: ledger.rows(Query()),
        "by model, a tenth of the time": lambda: ledger.rows(
            Query(by=("model",), since=since, until=since + timedelta(days=3))
        ),
        "by model, one user": lambda: ledger.rows(Query(by=("model",), where=(("user", ("user-7",)),))),
        "by user": lambda: ledger.rows(Query(by=("user",))),
        "ten newest": lambda: list(ledger.calls(CallQuery(limit=10))),
        "ten dearest": lambda: list(ledger.calls(CallQuery(order="cost", limit=10))),
    }
    variants = {name: _milliseconds(ask) for name, ask in asked.items()}
    show(
        f"ClickHouse in process: questions over {kept:,} calls, wall clock",
        take_turns(variants, ROUNDS),
        "bare SQL: day x model, percentiles, no FINAL",
        "ms",
    )


def _grow(client: Client, times: int) -> None:
    """Fill calls with copies of bulk, one behind the other in time as batches come, with ids of their own."""
    client.run("TRUNCATE TABLE calls")
    columns = ", ".join(f'"{name}"' for name in client.columns("calls") if name not in {"id", "at"})
    start = int(_START.timestamp() * 1e6)
    text = "lower(concat(leftPad(hex(toUnixTimestamp64Milli(moved)), 12, '0'), '7', substr(noise, 1, 19)))"
    for n in range(times):
        begin = start + n * _SECONDS * 1_000_000 // times
        moved = f'{begin} + intDiv(toUnixTimestamp64Micro("at") - {start}, {times})'
        client.run(
            f"""INSERT INTO calls (id, "at", {columns})
            SELECT toUUID(concat(substr(text, 1, 8), '-', substr(text, 9, 4), '-', substr(text, 13, 4), '-a',
                substr(text, 17, 3), '-', substr(text, 20, 12))), moved, {columns}
            FROM (SELECT *, fromUnixTimestamp64Micro({moved}, 'UTC') AS moved,
                hex(sipHash128(id, {n})) AS noise, {text} AS text FROM bulk)"""  # noqa: S608 - our own names
        )


def _milliseconds(work: Callable[[], object]) -> Callable[[], float]:
    def run() -> float:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) * 1e3

    return run


def main(count: int = BATCH) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = ClickHouseLedger(place_of(f"chdb://{folder / 'ledger'}"))
        ledger.conflicts()  # makes the tables
        client = Client(ledger.place)
        inserts(ledger, client, folder, count)
        size(client, count)
        reports(ledger, client)
        ledger.close()
        client.close()


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
