"""Calls on the move: exported in each form, and brought into each kind of ledger, once and a second time.

``python -m benchmarks.moves [CALLS]``: each way is a command of its own, start included. CPU is that of the
command; of chDB it holds the engine, which is in that process, of PostgreSQL not the server.
"""

import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.support.postgres import private

from benchmarks.imports import rows
from benchmarks.timing import Ran, ran

CALLS = 20_000
_FORMS = ("csv", "jsonl", "parquet")


def run(*words: str) -> Ran:
    """Run a command of outlay."""
    return ran("-m", "outlay", *words)


def main(calls: int = CALLS) -> None:
    """Print a row for each way."""
    table = Table(title=f"{calls:,} calls on the move", title_justify="left")
    for heading in ("way", "CPU µs a call", "CPU s", "clock s"):
        table.add_column(heading, justify="left" if heading == "way" else "right")

    def show(way: str, taken: Ran) -> None:
        table.add_row(way, f"{taken.cpu / calls * 1e6:.0f}", f"{taken.cpu:.1f}", f"{taken.seconds:.1f}")

    with tempfile.TemporaryDirectory() as name, private() as server:
        folder = Path(name)
        foreign, own = folder / "spend_logs.jsonl", folder / "calls.jsonl"
        foreign.write_text("".join(f"{json.dumps(row)}\n" for row in rows(calls)), "utf-8")
        first = str(folder / "first")
        run("import", str(foreign), "--tz", "UTC", "--ledger", first)
        for form in _FORMS:
            target = own if form == "jsonl" else folder / f"exported-{form}"
            show(
                f"export of {form}",
                run("export", "--format", form, "--output", str(target), "--ledger", first),
            )
        ledgers = {"embedded": str(folder / "own"), "PostgreSQL": server.url, "chDB": f"chdb://{folder}/chdb"}
        for kind, ledger in ledgers.items():
            for what, file in (("own lines", own), ("spend logs", foreign)):
                place = f"{ledger}-{file.stem}" if kind != "PostgreSQL" else f"{ledger}&schema={file.stem}"
                for turn in ("", ", a second time"):
                    taken = run("import", str(file), "--tz", "UTC", "--ledger", place)
                    show(f"{what} into {kind}{turn}", taken)
    Console(width=100).print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
