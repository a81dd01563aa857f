"""A soak: 64 threads and 500 tasks over eight SDKs against one server: ``python -m tests.soak [SECONDS]``.

Calls fail, are retried, run out of time, are left and cancelled by chance. At the end the ledger must say
what the server's bill says, in calls, tokens and dollars, and nothing may be left open.
"""

import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from tests.soak.clients import MAKERS
from tests.soak.load import Load
from tests.support.stub import Stub, stub

import outlay
from outlay.capture.guard import failures

_SECONDS, _THREADS, _TASKS = 120, 64, 500
_MILLION = 1_000_000
MODULES = ("openai", "anthropic", "google", "groq", "together", "mistralai", "cohere", "ollama")
_HEAD = ("SDK", "requests", "retried", "calls", "failed", "input tokens", "output tokens", "dollars", "equal")


class Left(NamedTuple):
    """What a process has open."""

    threads: int
    handles: int


def left() -> Left:
    """Count after everything that was let go of is gone."""
    gc.collect()
    return Left(threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))


def settled(server: Stub) -> None:
    """Wait until the server has noticed that its last callers are gone."""
    while server.connections:
        time.sleep(0.05)


def rows(server: Stub) -> Iterator[tuple[Any, ...]]:
    """Give a row for each SDK: what the server says, and whether the ledger says the same."""
    report = outlay.open().report(by=["provider"])
    told = {row["provider"]: row for row in report.rows}
    for label, maker in MAKERS.items():
        bill, row = server.bill.of(label), told.pop(label, {})
        retried = bill.get("flaky", 0)
        calls = bill.get("requests", 0) - retried
        into, out = bill.get("input", 0), bill.get("output", 0)
        cost = None if maker.rates is None else (into * maker.rates[0] + out * maker.rates[1]) / _MILLION
        ours = tuple(row.get(name) for name in ("calls", "input_tokens", "output_tokens"))
        same = ours == (calls, into, out) and (cost is None or Decimal(row["cost"]) == cost)
        shown = "unknown" if cost is None else f"{cost:.6f}"
        yield (label, calls + retried, retried, row.get("calls"), row.get("errors"), into, out, shown, same)
        if not same:
            print(f"{label}: the ledger says {ours}, {row.get('cost')}", file=sys.stderr)  # noqa: T201 - a fault
    if told:
        yield (str(sorted(map(str, told))), 0, 0, 0, 0, 0, 0, "0", False)


def _line(cells: tuple[object, ...]) -> str:
    shown = ("yes" if each is True else "NO" if each is False else each for each in cells)
    return f"| {' | '.join(f'{each:,}' if isinstance(each, int) else str(each) for each in shown)} |"


def soak(seconds: float, threads: int, tasks: int) -> bool:
    """Run it and print what came of it; whether all is well."""
    with stub() as server:
        outlay.instrument(*MODULES)
        warm = Load(server, 3, 4, 20)  # loads and opens what stays; on the same bill
        warm.run()
        settled(server)
        outlay.flush()
        before = left()
        full = Load(server, seconds, threads, tasks)
        full.run()
        settled(server)
        outlay.flush()
        after = left()
        print(_line(_HEAD), _line(("---",) * len(_HEAD)), sep="\n")  # noqa: T201 - likewise
        table = list(rows(server))
        for row in table:
            print(_line(row))  # noqa: T201 - likewise
    well = (
        all(row[-1] for row in table)
        and not full.wrong
        and not failures
        and after == before
        and full.left == 0
    )
    print(f"\n{threads} threads and {tasks} tasks for {seconds:g} s: {dict(full.seen)}")  # noqa: T201 - likewise
    print(f"open before: {before}; after: {after}; tasks left: {full.left}")  # noqa: T201 - likewise
    for what in (full.wrong, failures):
        if what:
            print(f"otherwise than planned: {dict(what)}")  # noqa: T201 - likewise
    return well


def main() -> int:
    """Soak for so many seconds, with so many threads and tasks; 1 if anything is not equal or left open."""
    given = [int(each) for each in sys.argv[1:]]
    seconds, threads, tasks = (*given, *(_SECONDS, _THREADS, _TASKS)[len(given) :])
    with tempfile.TemporaryDirectory(prefix="outlay-soak-") as folder:
        os.environ["OUTLAY_LEDGER"] = folder
        return 0 if soak(seconds, threads, tasks) else 1


if __name__ == "__main__":
    sys.exit(main())
