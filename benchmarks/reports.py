"""How long commands take, wall clock of the whole process, over a ledger of many calls.

The ledger is made once in a temporary folder: 100,000 generated calls come in by a journal, and are then
copied under other ids inside of DuckDB, since only the number of calls matters here. Say how many in
OUTLAY_BENCH_CALLS (1,000,000 without it). On a machine that does other work too, look at the ratios.
"""

import os
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from tests.support.spending import lines

from benchmarks.timing import process, ran, show, take_turns
from outlay.ledger import DuckLedger
from outlay.ledger.engine import Engine

MADE = 100_000
HELP = ("", "report", "top", "latency", "trend", "forecast", "savings", "price", "doctor")
COMMANDS: dict[str, tuple[str, ...]] = {
    "outlay": (),
    "outlay report": ("report",),
    "outlay report --by model": ("report", "--by", "model"),
    "outlay report --by day,model": ("report", "--by", "day,model"),
    "outlay top -n 10": ("top",),
    "outlay top --of users": ("top", "--of", "users"),
    "outlay trend": ("trend",),
    "outlay forecast": ("forecast",),
    "outlay latency": ("latency",),
    "outlay errors": ("errors",),
    "outlay cache --since 30d": ("cache", "--since", "30d"),
    "outlay quality": ("quality",),
    "outlay economics": ("economics",),
}


def ledger(folder: Path, calls: int) -> None:
    """Make a ledger of so many calls."""
    journal = folder / "journal"
    journal.mkdir(parents=True)
    (journal / "0-0-0.jsonl").write_bytes(b"".join(lines(min(MADE, calls))))
    made = DuckLedger(folder)
    made.conflicts()  # any question takes the journal in
    made.close()
    engine = Engine(folder)
    with engine.attached():
        for number in range(1, calls // MADE):
            engine.run(
                "INSERT INTO calls SELECT * REPLACE (gen_random_uuid() AS id,"
                ' "at" + to_microseconds(?) AS "at") FROM calls LIMIT ?',
                [number, MADE],
            )
    engine.close()


def main() -> None:
    """Print both tables."""
    starts = {
        f"outlay {name} --help".replace("  ", " "): _outlay(*filter(None, (name,)), "--help") for name in HELP
    }
    show("Start-up", take_turns({"python": process("-c", "pass"), **starts}, 7), "python")
    calls = int(os.environ.get("OUTLAY_BENCH_CALLS", "1000000"))
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: what a process starts is said to have had at least what it had itself.
        made = get_context("spawn").Process(target=ledger, args=(Path(folder), calls))
        made.start()
        made.join()
        asked = {name: _outlay("--ledger", folder, *args) for name, args in COMMANDS.items()}
        timings = take_turns({"python": process("-c", "pass"), **asked}, 3)
        memory = {
            name: ran("-m", "outlay", "--ledger", folder, *args).memory for name, args in COMMANDS.items()
        }
    show(f"Questions to {calls:,} calls", timings, "python")
    greediest = max(memory, key=lambda name: memory[name])
    print(f"most memory of any of these: {memory[greediest] >> 20:,} MB ({greediest})")


def _outlay(*arguments: str) -> Callable[[], float]:
    return process("-m", "outlay", *arguments)


if __name__ == "__main__":
    main()
