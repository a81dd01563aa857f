"""The embedded ledger beside bare DuckDB: journals taken in, and a report with percentiles.

python -m benchmarks.ledger [LINES [RECORDS [ROUNDS [JUDGED]]]]: calls to take in from journals, records
to report on (none if 0); behind each of JUDGED calls stands a judgement, which the bare read leaves aside.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.timing import Ran, ran

LINES, RECORDS = 100_000, 400_000
ROUNDS = 3
MOST_MEMORY = 1 << 30  # bytes, of any process that takes in or asks
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
    f" read_json(?, format = 'newline_delimited', columns = {{{spec}}}) WHERE id IS NOT NULL",
    [sys.argv[2] + "/*.jsonl"],
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


def _pair(ours: Callable[[], Ran], bare: Callable[[], Ran], title: str, rounds: int) -> None:
    """Let both take turns, and show the best of each; memory is to stay under MOST_MEMORY."""
    pairs = [(bare(), ours()) for _ in range(rounds)]
    table = Table(title=title, title_justify="left")
    for heading in (
        "",
        "best seconds",
        "all seconds",
        "best CPU s",
        "speed beside DuckDB",
        "most memory, MB",
    ):
        table.add_column(heading, justify="left" if not heading else "right")
    base = min(each.seconds for each, _ in pairs)
    for name, runs in (("bare DuckDB", [p[0] for p in pairs]), ("outlay", [p[1] for p in pairs])):
        seconds = min(each.seconds for each in runs)
        table.add_row(
            name,
            f"{seconds:.2f}",
            ", ".join(f"{each.seconds:.2f}" for each in runs),
            f"{min(each.cpu for each in runs):.2f}",
            f"{base / seconds:.2f}",
            f"{max(each.memory for each in runs) >> 20:,}",
        )
    console = Console(width=110)
    console.print(table)
    ratio = min(mine.cpu for _, mine in pairs) / min(theirs.cpu for theirs, _ in pairs)
    most = max(mine.memory for _, mine in pairs)
    under = "under" if most < MOST_MEMORY else "NOT under"
    console.print(f"CPU beside DuckDB's: {ratio:.2f} times; memory {under} {MOST_MEMORY >> 20:,} MB")


def ingest(folder: Path, lines: int, rounds: int, judged: int = 0) -> None:
    """Take journals in, duplicates refused, beside a plain read and insert of the same lines."""
    _made("journals.write", folder / "journal", lines, judged)
    size = sum(file.stat().st_size for file in (folder / "journal").iterdir())

    def ours() -> Ran:
        (folder / "ledger.duckdb").unlink(missing_ok=True)
        return ran("-c", _INGEST, folder)

    def bare() -> Ran:
        (folder / "bare.duckdb").unlink(missing_ok=True)
        return ran("-c", _BARE_INGEST, folder / "bare.duckdb", folder / "journal")

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


def _made(what: str, path: Path, *numbers: int) -> None:
    """Prepare in a process of its own: the most memory that a child had is counted from its parent's on."""
    names = "from pathlib import Path; from benchmarks import journals, ledger"
    code = f"{names}; {what}(Path({str(path)!r}), *{numbers})"
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
    ran("-c", _INGEST, folder)
    _made("ledger.enlarge", folder / "ledger.duckdb", records)
    ask = ("-m", "outlay", "report", "--by", "day,model", "--json")
    _pair(
        lambda: ran(*ask, env={"OUTLAY_LEDGER": str(folder)}),
        lambda: ran("-c", _BARE_REPORT, folder / "ledger.duckdb"),
        f"day by model with percentiles over {records:,} records, process start included",
        rounds,
    )


def main() -> None:
    """Print the tables."""
    given = [int(each.replace("_", "")) for each in sys.argv[1:]] if __name__ == "__main__" else []
    lines, records, rounds, judged = (*given, *(LINES, RECORDS, ROUNDS, 0)[len(given) :])
    with tempfile.TemporaryDirectory(prefix="outlay-bench-") as name:
        ingest(Path(name) / "ingest", lines, rounds, judged)
        if records:
            report(Path(name) / "report", records, rounds)


if __name__ == "__main__":
    main()
