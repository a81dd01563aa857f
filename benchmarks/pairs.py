"""Pairs: one call without an instrumentation and one with it, by turns in one process.

A machine's speed drifts by far more than a good instrumentation adds, within a second as over an hour, and
two processes that do the same differ by a few per cent for ever. The two calls of a pair stand next to each
other, in one process, so that both have all of that in common; thousands of pairs leave little of the rest.

Of each call the CPU time of its own thread is taken, and of the whole block that of all other threads, which
work for instrumented calls alone: what is put off is counted too. Between blocks all that waits is flushed.
"""

import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

_MISSING = object()
_WARM_UP = 60  # pairs that do not count
_RESAMPLED = 400
_FAST = 10  # one call of so many was hardly disturbed


@dataclass(frozen=True, slots=True)
class Block:
    """CPU microseconds of each pair's plain and instrumented call, and of other threads for the latter."""

    calls: tuple[tuple[float, float], ...]
    others: float


@dataclass(frozen=True, slots=True)
class Added:
    """What an instrumentation adds to one call, in CPU microseconds."""

    caller: float
    others: float

    @property
    def whole(self) -> float:
        """What all threads take for it."""
        return self.caller + self.others


@dataclass(frozen=True, slots=True)
class Pairs:
    """Blocks of pairs, of one process or of several."""

    blocks: tuple[Block, ...]

    @property
    def plain(self) -> float:
        """What a call takes by itself, the middle one."""
        return statistics.median(plain for block in self.blocks for plain, _ in block.calls)

    @property
    def added(self) -> Added:
        """The middle of all pairs' differences, beside what other threads take."""
        return _added(self.blocks)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the whole lies with 95 %: blocks drawn anew at random, some hundred times."""
        chance = random.Random(1)  # noqa: S311 - no secret
        drawn = sorted(
            _added(chance.choices(self.blocks, k=len(self.blocks))).whole for _ in range(_RESAMPLED)
        )
        return drawn[_RESAMPLED // 40], drawn[-_RESAMPLED // 40 - 1]

    @property
    def undisturbed(self) -> float:
        """The same by the fastest tenth of the calls on either side, which a busy machine disturbs least."""
        plain, mine = zip(*(pair for block in self.blocks for pair in block.calls), strict=True)
        caller: float = statistics.quantiles(mine, n=_FAST)[0] - statistics.quantiles(plain, n=_FAST)[0]
        return caller + self.added.others


def _added(blocks: Iterable[Block]) -> Added:
    blocks = tuple(blocks)
    caller = statistics.median(mine - plain for block in blocks for plain, mine in block.calls)
    return Added(caller, statistics.fmean(block.others for block in blocks))


class Switch:
    """Turns what an instrumentation changed in a package's classes on and off, at no cost that differs.

    To put methods into classes and take them out again makes the interpreter forget what it knows of these
    classes, each time. So a function that asks which way to go takes the place of each, for good.
    """

    def __init__(self, package: str, start: Callable[[], object]) -> None:
        owners = _classes(package)
        before = {owner: dict(vars(owner)) for owner in owners}
        start()
        self.on = False
        for owner in owners:
            for name, value in list(vars(owner).items()):
                was = before[owner].get(name, _MISSING)
                if was is not value and not name.startswith("__") and hasattr(value, "__get__"):
                    setattr(owner, name, self._either(_inherited(owner, name, before, was), value))

    def _either(self, was: Any, now: Any) -> Callable[..., Any]:
        def method(itself: Any, *args: Any, **kwargs: Any) -> Any:
            return (now if self.on else was).__get__(itself, type(itself))(*args, **kwargs)

        return method


def _inherited(owner: type, name: str, before: Mapping[type, Mapping[str, Any]], was: Any) -> Any:
    """Give what a class had by this name before, of its own or from above."""
    if was is not _MISSING:
        return was
    above = (before.get(base, vars(base)) for base in owner.__mro__[1:])
    return next(names[name] for names in above if name in names)


def _classes(package: str) -> set[type]:
    """Give the classes that the modules of a package define."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == package]
    found = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    return {each for each in found if each.__module__.partition(".")[0] == package}


class Turns:
    """Takes the time of plain and instrumented calls by turns; every other pair begins with a plain one."""

    def __init__(self, switch: Switch, flush: Callable[[], object], block: int) -> None:
        self._switch = switch
        self._flush = flush
        self._size = block
        self._took: dict[bool, list[float]] = {False: [], True: []}
        self.blocks: list[Block] = []

    def each(self, pairs: int) -> Iterator[None]:
        """Make room for so many pairs: whoever asks makes one call each time."""
        for count, measured in ((_WARM_UP, False), *((self._size, True),) * max(1, pairs // self._size)):
            self._took = {False: [], True: []}
            whole, own = time.process_time_ns(), time.thread_time_ns()
            for pair in range(count):
                for on in (False, True) if pair % 2 else (True, False):
                    self._switch.on = on
                    start = time.thread_time_ns()
                    yield
                    self._took[on].append((time.thread_time_ns() - start) / 1000)
            self._flush()
            own, whole = time.thread_time_ns() - own, time.process_time_ns() - whole
            if measured:
                calls = tuple(zip(self._took[False], self._took[True], strict=True))
                self.blocks.append(Block(calls, (whole - own) / 1000 / count))


def take_pairs(call: Callable[[], object], turns: Turns, pairs: int) -> Pairs:
    """Make calls by turns."""
    for _ in turns.each(pairs):
        call()
    return Pairs(tuple(turns.blocks))


async def take_pairs_async(call: Callable[[], Awaitable[object]], turns: Turns, pairs: int) -> Pairs:
    """Make calls in an event loop, likewise."""
    for _ in turns.each(pairs):
        await call()
    return Pairs(tuple(turns.blocks))


def show_added(title: str, measured: Mapping[str, Pairs], ours: str) -> None:
    """Print what each variant adds, and what that is beside the best of the others."""
    table = Table(title=title, title_justify="left")
    headings = (
        "plain",
        "caller's thread",
        "others",
        "added",
        "95 % of it",
        "undisturbed",
        f"{ours} beside it",
    )
    table.add_column("µs")
    for heading in headings:
        table.add_column(heading, justify="right")
    mine = measured[ours].added.whole
    for name, pairs in measured.items():
        added, (low, high) = pairs.added, pairs.interval
        table.add_row(
            name,
            *(f"{number:,.1f}" for number in (pairs.plain, added.caller, added.others, added.whole)),
            f"{low:,.0f} to {high:,.0f}",
            f"{pairs.undisturbed:,.1f}",
            "" if name == ours else f"{mine / added.whole:.3f}",
        )
    Console(width=110).print(table)


def joined(parts: Iterable[Pairs]) -> Pairs:
    """Put the pairs of several processes together."""
    return Pairs(tuple(block for part in parts for block in part.blocks))
