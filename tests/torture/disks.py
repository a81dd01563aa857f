"""A disk that is full or read-only: what is not recorded is counted and told, all else is kept."""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.together import group
from tests.torture.processes import environ
from tests.torture.tally import Tally, counted

from outlay.core.errors import LedgerError
from outlay.core.query import Query
from outlay.ledger import DuckLedger

_RECORD = """
import os, sys
from pathlib import Path
import outlay
from outlay.process import use
from outlay.settings import load
here = use(load(os.environ, Path.cwd()))
sure = []
for n in range(int(sys.argv[1])):
    if n in map(int, sys.argv[2:]):
        print("waiting", flush=True)
        sys.stdin.readline()
    outlay.record(provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=n % 500,
                  user="w", session=f"w-{n}")
    if here.flush(30):
        sure.append(n)
print(sum(count for _, count in here.recorder().sink.lost), *sure, flush=True)
"""


class _Recording:
    """A program that records calls 0 to ``total`` - 1, and waits before some of them."""

    def __init__(self, home: Path, total: int, *waits: int, floor: str = "0", limited: bool = False) -> None:
        code = _RECORD if not limited else _LIMIT + _RECORD
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, str(total), *map(str, waits)],
            env=environ(home, OUTLAY_MIN_FREE=floor),
            cwd=home.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            process_group=group(),
        )

    def wait(self) -> None:
        """Return when the program waits."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "waiting\n":
            raise RuntimeError("the program did not come so far")

    def go_on(self) -> None:
        """Let it record on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> tuple[int, set[int]]:
        """Give how many calls it said are lost, and those that a flush confirmed."""
        out, _ = self._process.communicate(timeout=300)
        told, *sure = map(int, out.split())
        return told, set(sure)


_LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"


@contextmanager
def _small_disk(folder: Path) -> Iterator[str]:
    """Mount a tmpfs of 2 MB; who may not mount has it limited by the size of its files instead."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "outlay", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield "tmpfs of 2 MB" if mounted else "RLIMIT_FSIZE of 100 kB"
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def full(home: Path, floor: str = "0") -> Tally:
    """Fill the disk while a program records, make room again, and compare kept and told with recorded.

    With a floor of free room recording stops before the disk is full.
    """
    calls = 1_500
    disk = home / "disk"
    with _small_disk(disk) as how:
        mounted = how.startswith("tmpfs")
        program = _Recording(disk, calls, 300, 1_200, floor=floor, limited=not mounted)
        program.wait()
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while mounted and (floor == "0" or file.tell() < 1_200_000):  # of 2 MB
                file.write(b"x" * 4096)
        time.sleep(1.1)  # the disk is looked at once a second
        program.go_on()
        program.wait()
        ballast.unlink(missing_ok=True)
        time.sleep(1.1)
        program.go_on()
        told, sure = program.end()
        shutil.copytree(disk / "journal", home / "room" / "journal")  # the ledger itself does not fit there
    kind = "disk full" if floor == "0" else "disk nearly full, a floor kept free"
    return _explained(home / "room", kind, calls, told, sure, how)


def _explained(home: Path, fault: str, calls: int, told: int, sure: set[int], how: str) -> Tally:
    """Compare: what was confirmed is kept, and what is not kept was told."""
    ledger = DuckLedger(home)
    rows = ledger.rows(Query(by=("session",))).rows
    kept = {int(row["session"][2:]) for row in rows}
    written = sum(each.count for each in ledger.info().lost)
    done = counted(ledger, {"w": 0}, fault=fault, rounds=1)
    ledger.close()
    unexplained = calls - len(kept) - told
    return Tally(
        fault=fault,
        rounds=1,
        confirmed=len(sure),
        kept=done.kept,
        lost=len(sure - kept) + max(0, unexplained) + abs(told - written),
        doubled=done.doubled + max(0, -unexplained),
        told=told,
        note=f"{how}; the journal itself tells of {written:,} lost",
    )


@contextmanager
def _shut(folder: Path) -> Iterator[str]:
    """Mount a folder read-only, also for root; who may not mount takes the right to write away."""
    folder.mkdir(parents=True)
    bind = ["mount", "--bind", str(folder), str(folder)]
    mounted = subprocess.run(bind, capture_output=True, check=False).returncode == 0
    if mounted:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
    else:
        folder.chmod(0o500)
    try:
        yield "a read-only mount" if mounted else "mode 0500"
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        else:
            folder.chmod(0o700)


def read_only(home: Path) -> Tally:
    """Let a program record into a folder that is read-only at first, and ask there too."""
    calls = 100
    with _shut(home) as how:
        program = _Recording(home, calls, 50)
        program.wait()
        ledger = DuckLedger(home)
        with contextlib.suppress(LedgerError):
            ledger.rows(Query())
            raise AssertionError("a reader took a folder for a ledger that it could not write")
        ledger.close()
    program.go_on()
    told, sure = program.end()
    return _explained(home, "read-only folder", calls, told, sure, how)
