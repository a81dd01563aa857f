"""Paired timings: the variants take turns, so that a noisy machine troubles all of them alike."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Timing:
    """What one variant took, in microseconds, round by round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.rounds)


def take_turns(variants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Timing]:
    """Run each variant once a round, after one round that does not count; a run gives its microseconds."""
    for run in variants.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            taken[name].append(run())
    return {name: Timing(tuple(times)) for name, times in taken.items()}


def each(work: Callable[[], object], times: int) -> Callable[[], float]:
    """Make a run that does the work so many times and gives the CPU microseconds of one."""

    def run() -> float:
        start = time.process_time()
        for _ in range(times):
            work()
        return (time.process_time() - start) / times * 1e6

    return run


@dataclass(frozen=True, slots=True)
class Ran:
    """What a whole process took."""

    seconds: float  # wall clock
    cpu: float  # seconds
    memory: int  # the most that it had, bytes; at least what whoever started it had at most


def ran(*arguments: object, env: Mapping[str, str] | None = None) -> Ran:
    """Start Python with these arguments, and wait for its end.

    It may keep its bytecode, as an installed program has it: some shells forbid that, and every start would
    compile all of outlay anew.
    """
    environ = {**os.environ, **(env or {})}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.DEVNULL, env=environ)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{arguments[:3]} failed")
    took = time.perf_counter() - start
    return Ran(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def process(*arguments: str) -> Callable[[], float]:
    """Make a run that starts Python with these arguments and gives its wall-clock microseconds."""
    return lambda: ran(*arguments).seconds * 1e6


def reported_by(*arguments: str, python: Sequence[str] = (sys.executable,)) -> Callable[[], float]:
    """Make a run that starts Python with these arguments and reads the figure that it prints."""

    def run() -> float:
        result = subprocess.run([*python, *arguments], check=True, capture_output=True, text=True)
        return float(result.stdout.split()[-1])

    return run


def environment_of(*packages: str) -> tuple[str, ...] | None:
    """Give the command of a Python in an environment of its own, which uv makes; None without uv or them."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(__file__).parents[1] / ".build" / "bin"))
    if uv is None:
        return None
    given = [word for package in packages for word in ("--with", package)]
    command = (
        uv,
        "run",
        "--quiet",
        "--isolated",
        "--no-project",
        "--python",
        sys.executable,
        *given,
        "python",
    )
    probe = subprocess.run([*command, "-c", ""], check=False, capture_output=True)
    return None if probe.returncode else command


def show(title: str, timings: Mapping[str, Timing], base: str, unit: str = "µs") -> None:
    """Print the variants with their medians, what they add to the base, and their ratio to it by round."""
    table = Table(title=title, title_justify="left")
    for heading in ("", f"median {unit}", "min", "max", f"added to {base}", f"ratio to {base}"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, timing in timings.items():
        pairs = list(zip(timing.rounds, timings[base].rounds, strict=True))
        added = statistics.median(mine - other for mine, other in pairs)
        ratio = statistics.median(mine / other for mine, other in pairs)
        table.add_row(
            name,
            f"{timing.median:,.2f}",
            f"{min(timing.rounds):,.2f}",
            f"{max(timing.rounds):,.2f}",
            "" if name == base else f"{added:+,.2f}",
            "" if name == base else f"{ratio:.3f}",
        )
    Console(width=110).print(table)
