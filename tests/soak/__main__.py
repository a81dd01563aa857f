"""A soak: 64 threads and 500 tasks over ten SDKs against one server: ``python -m tests.soak [SECONDS]``.

Calls fail, are retried, run out of time, are left and cancelled by chance. At the end the ledger must say
what the server's bill says, in calls, tokens and dollars, and nothing may be left open.
"""

import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from tests.soak.clients import MAKERS
from tests.soak.load import Load
from tests.soak.wires import grok
from tests.support.passing import passing
from tests.support.stub import Stub, stub

from outlay.capture.guard import failures
from outlay.process import Process

_SECONDS, _THREADS, _TASKS = 120, 64, 500
_MILLION = 1_000_000
MODULES = (
    "openai",
    "anthropic",
    "google",
    "groq",
    "together",
    "mistralai",
    "cohere",
    "ollama",
    "boto3",
    "aiobotocore",
    "xai",
)
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
    """Wait until the server has noticed that its last callers are gone.

    Connections of streams that were left or cancelled may hang in cycles until garbage is collected.
    """
    while server.connections:
        gc.collect()
        time.sleep(0.05)


def rows(server: Stub, process: Process) -> Iterator[tuple[Any, ...]]:
    """Give a row for each SDK: what the server says, and whether the ledger says the same."""
    report = process.open().report(by=["provider"])
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


class Outcome(NamedTuple):
    """What came of a soak: a row for each SDK, what was open before and after, what went wrong."""

    table: list[tuple[Any, ...]]
    full: Load
    before: Left
    after: Left

    @property
    def well(self) -> bool:
        """Whether the ledger says what the server billed, and each caller saw what was planned for it."""
        equal = all(row[-1] for row in self.table)
        return equal and not self.full.wrong and not failures and self.full.left == 0


def soak(process: Process, seconds: float, threads: int, tasks: int, *, warming: float = 3) -> Outcome:
    """Run it in this process, on the ledger of its settings."""
    with stub() as server, grok(server.bill) as peer:
        server.peers["xai"] = peer
        process.hooks.instrument(*MODULES)
        try:
            warm = Load(server, warming, 4, 20)  # loads and opens what stays; on the same bill
            warm.run()
            settled(server)
            process.flush()
            before = left()
            full = Load(server, seconds, threads, tasks)
            full.run()
            settled(server)
            process.flush()
            return Outcome(list(rows(server, process)), full, before, left())
        finally:
            process.hooks.uninstrument()


def told(outcome: Outcome, asked: str) -> str:
    """Write what came of it."""
    full, lines = outcome.full, [_line(_HEAD), _line(("---",) * len(_HEAD)), *map(_line, outcome.table)]
    lines += [f"\n{asked}: {dict(full.seen)}"]
    lines += [f"open before: {outcome.before}; after: {outcome.after}; tasks left: {full.left}"]
    lines += [f"otherwise than planned: {dict(what)}" for what in (full.wrong, failures) if what]
    return "\n".join(lines)


def main() -> int:
    """Soak for so many seconds, with so many threads and tasks; 1 if anything is not equal or left open."""
    given = [int(each) for each in sys.argv[1:]]
    seconds, threads, tasks = (*given, *(_SECONDS, _THREADS, _TASKS)[len(given) :])
    with passing("soak") as folder:
        os.environ["OUTLAY_LEDGER"] = str(folder)
        outcome = soak(Process(), seconds, threads, tasks)
        print(told(outcome, f"{threads} threads and {tasks} tasks for {seconds:g} s"))  # noqa: T201 - it is what it is for
        return 0 if outcome.well and outcome.after == outcome.before else 1


if __name__ == "__main__":
    sys.exit(main())
