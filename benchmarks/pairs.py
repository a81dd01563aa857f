"""Pairs: the same work with an instrumentation on and off, by turns in one process.

Two processes that do the same work differ by a few per cent, for their hashes and the places of their objects
in memory differ; that is more than a good instrumentation adds. Within one process both halves of a pair have
all of that in common, and the noise of the machine while the pair lasts. CPU time is that of all threads, and
each half ends with a flush, so that what is done later by other threads belongs to it.
"""

import gc
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

_MISSING = object()
_SETTLE = 20  # runs after a turn of the switch that do not count: the interpreter specialises its code anew


@dataclass(frozen=True, slots=True)
class Pairs:
    """CPU microseconds of one run of the work, plain and with the instrumentation, pair by pair."""

    rounds: tuple[tuple[float, float], ...]

    @property
    def plain(self) -> float:
        """What the work takes by itself, the middle of all pairs."""
        return statistics.median(plain for plain, _ in self.rounds)

    @property
    def added(self) -> tuple[float, float, float]:
        """What the instrumentation adds: lower quartile of the pairs, middle, upper quartile."""
        low, middle, high = statistics.quantiles((mine - plain for plain, mine in self.rounds), n=4)
        return low, middle, high

    @property
    def error(self) -> float:
        """How far the middle may well be off: the half of its 95 % interval, from the quartiles."""
        low, _, high = self.added
        return 1.57 * (high - low) / math.sqrt(len(self.rounds))  # as the notch of a box plot


class Switch:
    """Puts what an instrumentation changed in a package's classes there, and takes it away again."""

    def __init__(self, package: str, start: Callable[[], object]) -> None:
        owners = _classes(package)
        before = {owner: dict(vars(owner)) for owner in owners}
        start()
        self._changes = [
            (owner, name, before[owner].get(name, _MISSING), value)
            for owner in owners
            for name, value in vars(owner).items()
            if before[owner].get(name, _MISSING) is not value and not name.startswith("__")
        ]

    def turn(self, *, on: bool) -> None:
        """Switch the instrumentation on or off."""
        for owner, name, before, after in self._changes:
            value = after if on else before
            if value is not _MISSING:
                setattr(owner, name, value)
            elif name in vars(owner):
                delattr(owner, name)


def _classes(package: str) -> set[type]:
    """Give the classes that the modules of a package define."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == package]
    found = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    return {each for each in found if each.__module__.partition(".")[0] == package}


def take_pairs(
    work: Callable[[int], object], times: int, switch: Switch, flush: Callable[[], object], pairs: int
) -> Pairs:
    """Run the work so many times with the switch on and off, by turns; every other pair begins with it."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    for pair in range(pairs + 1):  # the first one does not count
        for on in (False, True) if pair % 2 else (True, False):
            switch.turn(on=on)
            work(_SETTLE)
            flush()
            gc.collect()
            start = time.process_time()
            work(times)
            flush()
            taken[on].append((time.process_time() - start) / times * 1e6)
    return Pairs(tuple(zip(taken[False][1:], taken[True][1:], strict=True)))


def show_added(title: str, measured: Mapping[str, Pairs], ours: str) -> None:
    """Print what each variant adds, and what that is beside the best of the others."""
    table = Table(title=title, title_justify="left")
    for heading in ("", "plain µs", "added µs", "±", "lower quartile", "upper quartile", f"{ours} beside it"):
        table.add_column(heading, justify="left" if not heading else "right")
    mine = measured[ours].added[1]
    for name, pairs in measured.items():
        low, middle, high = pairs.added
        numbers = (pairs.plain, middle, pairs.error, low, high)
        ratio = "" if name == ours else f"{mine / middle:.3f}"
        table.add_row(name, *(f"{number:,.1f}" for number in numbers), ratio)
    Console(width=110).print(table)


def joined(parts: Iterable[Pairs]) -> Pairs:
    """Put the pairs of several processes together."""
    return Pairs(tuple(pair for part in parts for pair in part.rounds))
