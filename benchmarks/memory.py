"""Whether memory stays flat over 200,000 instrumented calls, and over a million of outlay's own part alone.

The resident size is read off /proc, so it is Linux's; elsewhere all is left out. It holds what the allocators
keep for later, too. What is in use is told by the interpreter (living blocks) and the C library (bytes),
after a flush and a collection of garbage: a leak is what makes these grow. The SDK's own caches fill in the
first calls, so growth counts from the first mark on.
"""

import ctypes
import gc
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import instrumented

MARKS = (20_000, 65_000, 110_000, 155_000, 200_000)
OWN_MARKS = (100_000, 400_000, 700_000, 1_000_000)
_STATUS = Path("/proc/self/status")
_MIB = 2**20


class _Mallinfo(ctypes.Structure):
    """What glibc tells of its heap, from 2.33 on."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def resident() -> int:
    """Give this process's resident size in bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def in_use() -> int:
    """Give the bytes that the C library gave out, arenas of the interpreter not among them; 0: unknown."""
    try:
        tell = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError):
        return 0
    tell.restype = _Mallinfo
    return int(tell().uordblks)


def make(call: Callable[[], object], flush: Callable[[], object], marks: Iterable[int]) -> None:
    """Make the calls, and print at each mark what the process has and uses."""
    done = 0
    for mark in marks:
        for _ in range(mark - done):
            call()
        done = mark
        flush()
        gc.collect()
        print(resident(), sys.getallocatedblocks(), in_use(), flush=True)


def own_call() -> Callable[[], object]:
    """Make a function that does of a call what outlay does of it."""
    from outlay import process
    from outlay.capture.call import Call

    recorder = process.current().recorder()

    def call() -> None:
        body = {**instrumented.BODY, "usage": dict(instrumented.USAGE)}
        Call(recorder, provider="openai", api="chat", model="gpt-4o").answer(body)

    return call


def one(variant: str) -> None:
    """Make the calls of one variant in this process."""
    flush = (lambda: None) if variant == "plain" else instrumented.VARIANTS["outlay"]()
    if variant == "own":
        make(own_call(), flush, OWN_MARKS)
    else:
        make(instrumented.sync_call(), flush, MARKS)


def ran(variant: str) -> list[tuple[int, ...]]:
    """Run one variant in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", variant]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return [tuple(map(int, line.split())) for line in result.stdout.splitlines()]


def show(title: str, variants: Iterable[str], marks: Iterable[int]) -> None:
    """Print a table: resident size, bytes in use and living blocks at each mark."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for mark in marks:
        table.add_column(f"{mark:,}", justify="right")
    table.add_column("grown", justify="right")
    for variant in variants:
        sizes, blocks, used = zip(*ran(variant), strict=True)
        for name, values in (("resident", sizes), ("in use, C library", used)):
            shown = [f"{value / _MIB:.1f}" for value in values]
            table.add_row(f"{variant}: MiB {name}", *shown, f"{(values[-1] - values[0]) / _MIB:+.2f}")
        table.add_row(
            f"{variant}: living blocks", *map("{:,}".format, blocks), f"{blocks[-1] - blocks[0]:+,}"
        )
    Console(width=110).print(table)


def main() -> None:
    """Print both tables."""
    if not _STATUS.exists():
        print("Memory over 200,000 calls: left out, there is no /proc to read it from")
        return
    show("After so many calls of an SDK", ("plain", "outlay"), MARKS)
    show("After so many calls of outlay's own part", ("own",), OWN_MARKS)


if __name__ == "__main__":
    one(sys.argv[1]) if len(sys.argv) > 1 else main()
