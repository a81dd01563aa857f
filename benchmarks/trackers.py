"""The tracker in a JSON file: ten thousand logs, one after the other, each in the file when it returns."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.timing import show, take_turns
from outlay.trackers import CostTracker, UsageRecord

LOGS = 10_000
RECORD = UsageRecord("gpt-4o", 1000, 500, "2026-01-15T10:00:00Z", "user_1")


def logging_to(folder: Path) -> Callable[[], float]:
    """Make a run that logs into a new file and gives the microseconds of one log."""

    def run() -> float:
        tracker = CostTracker(folder / f"{time.monotonic_ns()}.json")
        start = time.perf_counter()
        for _ in range(LOGS):
            tracker.log(RECORD)
        return (time.perf_counter() - start) / LOGS * 1e6

    return run


def main() -> None:
    """Print the microseconds of a log, and of ten thousand in all."""
    with tempfile.TemporaryDirectory() as folder:
        timings = take_turns({"CostTracker.log": logging_to(Path(folder))}, 3)
    show("a tracker in a JSON file, wall clock a log", timings, "CostTracker.log")
    print(f"10,000 logs: {timings['CostTracker.log'].median * LOGS / 1e6:.1f} s")


if __name__ == "__main__":
    main()
