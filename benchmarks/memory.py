"""Whether memory stays flat over 200,000 instrumented calls, in a process of their own; a peer-free check.

The resident size is read off /proc, so it is Linux's; elsewhere the table is left out. The SDK's own caches
fill in the first calls, so growth counts from the first mark on.
"""

import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import instrumented

MARKS = (20_000, 65_000, 110_000, 155_000, 200_000)
_STATUS = Path("/proc/self/status")


def resident() -> int:
    """Give this process's resident size in KiB."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


def one(variant: str) -> None:
    """Make the calls of one variant in this process, and print the resident size at each mark."""
    if variant != "plain":
        instrumented.VARIANTS[variant]()
    call, done = instrumented.sync_call(), 0
    for mark in MARKS:
        for _ in range(mark - done):
            call()
        done = mark
        print(resident(), flush=True)


def main() -> None:
    """Print the table."""
    if not _STATUS.exists():
        print("Memory over 200,000 calls: left out, there is no /proc to read it from")
        return
    table = Table(title="Resident size after so many instrumented calls, MiB", title_justify="left")
    table.add_column("")
    for mark in MARKS:
        table.add_column(f"{mark:,}", justify="right")
    table.add_column("grown", justify="right")
    for variant in ("plain", "outlay"):
        command = [sys.executable, "-m", "benchmarks.memory", variant]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        sizes = [int(text) / 1024 for text in ran.stdout.split()]
        shown = [f"{size:.1f}" for size in sizes]
        table.add_row(variant, *shown, f"{sizes[-1] - sizes[0]:+.1f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    one(sys.argv[1]) if len(sys.argv) > 1 else main()
