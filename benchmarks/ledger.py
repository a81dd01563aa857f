"""The embedded ledger beside bare DuckDB: journals taken in, and a report with percentiles.

python -m benchmarks.ledger [LINES [RECORDS [ROUNDS]]]: journal lines to take in, records to report on.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

LINES, RECORDS = 100_000, 400_000
ROUNDS = 3
_PORTION = 200_000  # calls that are taken in from a journal; the rest of RECORDS are copies of them

_INGEST = """
import sys
from pathlib import Path
from outlay.core.query import Query
from outlay.ledger import DuckLedger
ledger = DuckLedger(Path(sys.argv[1]))
ledger.conflicts()
"""
_BARE_INGEST = """
import sys
import duckdb
from outlay.ledger.migrations import migrations
database = duckdb.connect(sys.argv[1])
for _, text in migrations("duckdb"):
    database.execute(text)
found = database.execute(
    "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'calls'"
).fetchall()
spec = ", ".join(f"\\"{name}\\": '{kind}'" for name, kind in found)
database.execute(
    "INSERT INTO calls BY NAME SELECT * FROM"
    f" read_json(?, format = 'newline_delimited', columns = {{{spec}}})", [sys.argv[2] + "/*.jsonl"]
)
database.close()
"""
_BARE_REPORT = """
import sys
import duckdb
database = duckdb.connect(sys.argv[1], read_only=True)
for row in database.execute('''
    SELECT date_trunc('day', "at") AS day, model, count(*),
    count(*) FILTER (status = 'error'), count(cost), sum(input_tokens), sum(cached_tokens),
    sum(output_tokens), sum(reasoning_tokens), sum(cost), avg(latency_ms),
    quantile_cont(latency_ms, [0.5, 0.95, 0.99])
    FROM calls GROUP BY ALL ORDER BY ALL''').fetchall():
    print(row)
"""


def _timed(*command: object, env: dict[str, str] | None = None) -> tuple[float, int]:
    """Run a process; give its seconds and the most memory it had, in bytes."""
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})}
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{command[:3]} failed")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def _best(runs: list[tuple[float, int]]) -> tuple[float, int]:
    return min(seconds for seconds, _ in runs), max(memory for _, memory in runs)


def _pair(
    ours: Callable[[], tuple[float, int]], bare: Callable[[], tuple[float, int]], title: str, rounds: int
) -> None:
    """Let both take turns, and show the best of each."""
    pairs = [(bare(), ours()) for _ in range(rounds)]
    table = Table(title=title, title_justify="left")
    for heading in ("", "best seconds", "all seconds", "speed beside DuckDB", "most memory, MB"):
        table.add_column(heading, justify="left" if not heading else "right")
    base, _ = _best([pair[0] for pair in pairs])
    for name, runs in (("bare DuckDB", [p[0] for p in pairs]), ("outlay", [p[1] for p in pairs])):
        seconds, memory = _best(runs)
        all_of_them = ", ".join(f"{each:.2f}" for each, _ in runs)
        table.add_row(name, f"{seconds:.2f}", all_of_them, f"{base / seconds:.2f}", f"{memory >> 20:,}")
    Console(width=110).print(table)


def ingest(folder: Path, lines: int, rounds: int) -> None:
    """Take journals in, duplicates refused, beside a plain read and insert of the same lines."""
    _made("journals.write", folder / "journal", lines)
    size = sum(file.stat().st_size for file in (folder / "journal").iterdir())

    def ours() -> tuple[float, int]:
        (folder / "ledger.duckdb").unlink(missing_ok=True)
        return _timed("-c", _INGEST, folder)

    def bare() -> tuple[float, int]:
        (folder / "bare.duckdb").unlink(missing_ok=True)
        return _timed("-c", _BARE_INGEST, folder / "bare.duckdb", folder / "journal")

    _pair(
        ours,
        bare,
        f"{lines:,} journal lines ({size >> 20:,} MB) into a ledger, process start included",
        rounds,
    )
    kept = (folder / "ledger.duckdb").stat().st_size
    Console().print(
        f"on disk: {kept / lines:.0f} bytes a record, the raw usage kept; journal {size / lines:.0f}"
    )


def _made(what: str, path: Path, number: int) -> None:
    """Prepare in a process of its own: the most memory that a child had is counted from its parent's on."""
    names = "from pathlib import Path; from benchmarks import journals, ledger"
    code = f"{names}; {what}(Path({str(path)!r}), {number})"
    subprocess.run([sys.executable, "-c", code], check=True)


def enlarge(file: Path, records: int) -> None:
    """Copy the calls of a ledger until there are so many, each with an id and an instant of its own."""
    import duckdb  # the other benchmarks do not need it

    with duckdb.connect(str(file), config={"memory_limit": "800MB", "threads": 2}) as database:
        have = database.execute("SELECT count(*) FROM calls").fetchall()[0][0]
        for number in range(1, -(-records // have)):
            database.execute(
                f"""INSERT INTO calls SELECT * REPLACE (
                    CAST(left(id::VARCHAR, 24) || right(md5(id::VARCHAR || '{number}'), 12) AS UUID) AS id,
                    "at" + INTERVAL {number * 977} MILLISECONDS AS "at",
                    latency_ms + {number} AS latency_ms
                ) FROM calls LIMIT {min(have, records - number * have)}"""  # noqa: S608  # our own numbers
            )


def report(folder: Path, records: int, rounds: int) -> None:
    """Ask for day by model with percentiles, beside the bare query."""
    _made("journals.write", folder / "journal", min(_PORTION, records))
    _timed("-c", _INGEST, folder)
    _made("ledger.enlarge", folder / "ledger.duckdb", records)
    ask = ("-m", "outlay", "report", "--by", "day,model", "--json")
    _pair(
        lambda: _timed(*ask, env={"OUTLAY_LEDGER": str(folder)}),
        lambda: _timed("-c", _BARE_REPORT, folder / "ledger.duckdb"),
        f"day by model with percentiles over {records:,} records, process start included",
        rounds,
    )


def main() -> None:
    """Print the tables."""
    given = [int(each.replace("_", "")) for each in sys.argv[1:]] if __name__ == "__main__" else []
    lines, records, rounds = (*given, *(LINES, RECORDS, ROUNDS)[len(given) :])
    with tempfile.TemporaryDirectory(prefix="outlay-bench-") as name:
        ingest(Path(name) / "ingest", lines, rounds)
        report(Path(name) / "report", records, rounds)


if __name__ == "__main__":
    main()
