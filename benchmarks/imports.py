"""``outlay import`` of foreign rows into the embedded ledger: in bulk, one by one, beside bare DuckDB.

python -m benchmarks.imports [ROWS [ROUNDS]]. Each way has a process and a ledger of its own, start-up
included. CPU is that of all threads, so that it means something on a busy machine too; bare DuckDB reads the
same file with ``read_json`` or ``read_csv`` into a table of its columns, and prices nothing.
"""

import json
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.timing import ran

ROWS, ROUNDS = 200_000, 3
_SLOW = 10_000  # rows for the way of one record each, which takes so much longer
_MAPPING = {"at": "When", "model": "LLM", "input_tokens": "In", "output_tokens": "Out", "cost": "USD"}
_FAILED = 0.02  # of all calls
_MODELS = (("gpt-4o", "openai"), ("gpt-4o-mini", "openai"), ("claude-sonnet-4-5", "anthropic"),
           ("gemini-2.5-pro", "google"))  # fmt: skip
_ONE_BY_ONE = """
import sys, json
from datetime import UTC
from functools import partial
from pathlib import Path
from outlay.importing import Maker
from outlay.importing.reading import OneByOne
from outlay.ledger import DuckLedger
from outlay.pricing import Book, cost_of
maker = Maker(partial(cost_of, book=Book.default()), zone=UTC, maker_of=lambda model: "openai")
way = OneByOne(DuckLedger(Path(sys.argv[2])), maker, None, json.loads(sys.argv[3]))
with open(sys.argv[1], "rb") as file:
    print(sum(step.new for step in way.steps(file)))
"""
_BARE = """
import sys, duckdb
database = duckdb.connect(sys.argv[2] + ".duckdb")
read = "read_csv(?)" if sys.argv[1].endswith(".csv") else "read_json(?, format = 'newline_delimited')"
database.execute(f"CREATE TABLE calls AS SELECT * FROM {read}", [sys.argv[1]])
print(database.execute("SELECT count(*) FROM calls").fetchall()[0][0])
"""


def rows(number: int) -> list[dict[str, Any]]:
    """Give calls as a spend log has them: a third states no cost, a third one of seventeen digits.

    One in fifty failed.
    """
    chance, at = random.Random(1), datetime(2026, 10, 1, tzinfo=UTC)  # noqa: S311  # the same each time
    made: list[dict[str, Any]] = []
    for n in range(number):
        at += timedelta(milliseconds=chance.randrange(3000))
        model, provider = chance.choice(_MODELS)
        prompt, reply = chance.randrange(8000), chance.randrange(900)
        cost = chance.choice((0, round(prompt * 2.5e-6, 7), prompt * 2.5e-6 + reply * 1e-5))
        end = at + timedelta(milliseconds=chance.randrange(9000))
        told: dict[str, Any] = {"status": "success", "error_information": None,
            "usage_object": {"prompt_tokens_details": {"cached_tokens": prompt // 2}}}  # fmt: skip
        if failed := chance.random() < _FAILED:
            cost = prompt = reply = 0
            told = {"status": "failure", "usage_object": None, "error_information": {
                "error_code": "429", "error_class": "RateLimitError", "llm_provider": provider,
                "error_message": f"Rate limit reached for {model}: try again in {n % 500}ms."}}  # fmt: skip
        made.append(
            {"request_id": f"chatcmpl-{chance.getrandbits(96):x}", "call_type": "acompletion", "spend": cost,
             "prompt_tokens": prompt, "completion_tokens": reply, "startTime": f"{at:%F %T.%f}",
             "endTime": f"{end:%F %T.%f}", "model": model, "custom_llm_provider": provider,
             "user": f"u{n % 50}", "team_id": f"t{n % 7}", "request_tags": ["a"], "cache_hit": "False",
             "status": "failure" if failed else "success", "metadata": told}
        )  # fmt: skip
    return made


def error_of(row: Mapping[str, Any]) -> str | None:
    """Give the message of a spend log that failed."""
    told = row["metadata"]["error_information"]
    return told and str(told["error_message"])


def observations(spend: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the same calls as Langfuse exports them, a span around every fourth."""
    made: list[dict[str, Any]] = []
    for n, row in enumerate(spend):
        start, end = (f"{row[name].replace(' ', 'T')[:23]}Z" for name in ("startTime", "endTime"))
        prompt, reply, error = row["prompt_tokens"], row["completion_tokens"], error_of(row)
        shared = {"traceId": f"trace-{n // 4}", "startTime": start, "endTime": end,
                  "level": "ERROR" if error else "DEFAULT"}  # fmt: skip
        made.append(
            {"id": row["request_id"], "type": "GENERATION", "name": "answer", **shared, "model": row["model"],
             "usageDetails": {} if error else {
                 "input": prompt, "output": reply, "total": prompt + reply,
                 "input_cached_tokens": prompt // 2},
             "costDetails": {} if error else {"input": 0, "output": 0, "total": row["spend"]},
             "statusMessage": error,
             "environment": "default", "metadata": {"attempt": 1}}
        )  # fmt: skip
        if n % 4 == 0:
            made.append({"id": f"span-{n}", "type": "SPAN", "name": "retrieve", **shared})
    return made


def requests(spend: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the same calls as Helicone exports them, without bodies."""
    return [
        {"request_id": row["request_id"], "request_created_at": f"{row['startTime'].replace(' ', 'T')[:23]}Z",
         "response_status": 429 if error_of(row) else 200, "provider": row["custom_llm_provider"].upper(),
         "request_model": row["model"],
         "prompt_tokens": row["prompt_tokens"], "completion_tokens": row["completion_tokens"],
         "prompt_cache_read_tokens": 0, "request_user_id": row["user"], "delay_ms": 812, "cost": row["spend"],
         "request_properties": {"team": row["team_id"]}, "cache_reference_id": None}
        for row in spend
    ]  # fmt: skip


def write(folder: Path, number: int) -> None:
    """Write the same calls in five shapes."""
    spend = rows(number)
    plain = [
        {"timestamp": row["startTime"], "model": row["model"], "input_tokens": row["prompt_tokens"],
         "output_tokens": row["completion_tokens"], "cost": row["spend"] or None, "latency": 1.25,
         "user_id": row["user"], "query_type": "faq", "status": "error" if error_of(row) else "success",
         "chunks": 3}
        for row in spend
    ]  # fmt: skip
    shapes = {
        "spend_logs.jsonl": spend,
        "llm_calls.jsonl": plain,
        "observations.jsonl": observations(spend),
        "requests.jsonl": requests(spend),
    }
    for name, listed in shapes.items():
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in listed), "utf-8")
    cells = ("timestamp", "model", "input_tokens", "output_tokens", "cost", "user_id")
    lines = [",".join("" if row[name] is None else str(row[name]) for name in cells) for row in plain]
    (folder / "table.csv").write_text("\n".join(["When,LLM,In,Out,USD,user_id", *lines]) + "\n", "utf-8")


def rows_in(file: Path) -> int:
    """Count the rows of a file, which are more than calls where spans stand between these."""
    with file.open("rb") as lines:
        return sum(1 for _ in lines) - (file.suffix == ".csv")


def ways(file: Path, folder: Path) -> Mapping[str, Callable[[int], list[str]]]:
    """Give the commands of the ways, each of a round."""
    table = file.suffix == ".csv"
    mapped = (
        [word for name, column in _MAPPING.items() for word in ("--map", f"{name}={column}")] if table else []
    )
    mapping = json.dumps(_MAPPING if table else None)

    def place(name: str, turn: int) -> str:
        return str(folder / f"{file.stem}-{name}-{turn}")

    few = file.with_name(f"few-{file.name}")
    with file.open("rb") as lines:
        few.write_bytes(b"".join(islice(lines, _SLOW + table)))
    return {
        "outlay import": lambda turn: [
            "-m", "outlay", "import", str(file), "--tz", "UTC", *mapped, "--ledger", place("bulk", turn)],
        "one by one": lambda turn: ["-c", _ONE_BY_ONE, str(few), place("slow", turn), mapping],
        "bare DuckDB": lambda turn: ["-c", _BARE, str(file), place("bare", turn)],
    }  # fmt: skip


def main(number: int = ROWS, rounds: int = ROUNDS) -> None:
    """Print a row for each shape and way."""
    table = Table(title=f"{number:,} foreign calls imported, priced and kept", title_justify="left")
    for heading in ("file", "way", "rows a second", "CPU µs a row", "ratio to bare DuckDB", "most MiB"):
        table.add_column(heading, justify="left" if heading in {"file", "way"} else "right")
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own: what a process starts is said to have had at least what it had itself.
        made = get_context("spawn").Process(target=write, args=(Path(name), number))
        made.start()
        made.join()
        for file in sorted(Path(name).iterdir()):
            chosen = ways(file, Path(name))
            taken = {way: [ran(*command(turn)) for turn in range(rounds)] for way, command in chosen.items()}
            every = rows_in(file)
            count = {way: min(_SLOW, every) if way == "one by one" else every for way in taken}
            cpu = {way: median(each.cpu for each in found) / count[way] * 1e6 for way, found in taken.items()}
            for way, found in taken.items():
                speed = count[way] / min(each.seconds for each in found)
                ratio, most = cpu[way] / cpu["bare DuckDB"], max(each.memory for each in found) >> 20
                table.add_row(file.name, way, f"{speed:,.0f}", f"{cpu[way]:.1f}", f"{ratio:.1f}", f"{most:,}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
