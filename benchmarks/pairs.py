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
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from types import FunctionType, ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

_WARM_UP = 60  # pairs that do not count
_RESAMPLED = 400
_FAST = 10  # one call of so many was hardly disturbed
_FASTEST = 100  # and one of so many not at all
_AGREE = 0.08  # two processes that do the same differ by a few per cent for ever; more is something else


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
        plain, mine = self._sides
        caller: float = statistics.quantiles(mine, n=_FAST)[0] - statistics.quantiles(plain, n=_FAST)[0]
        return caller + self.added.others

    @property
    def bare(self) -> float:
        """What a plain call takes where nothing disturbs it: the same, whatever is measured beside it."""
        return statistics.quantiles(self._sides[0], n=_FASTEST)[0]

    @property
    def _sides(self) -> tuple[list[float], list[float]]:
        pairs = [pair for block in self.blocks for pair in block.calls]
        return [plain for plain, _ in pairs], [mine for _, mine in pairs]


def _added(blocks: Iterable[Block]) -> Added:
    blocks = tuple(blocks)
    caller = statistics.median(mine - plain for block in blocks for plain, mine in block.calls)
    return Added(caller, statistics.fmean(block.others for block in blocks))


class Switch:
    """Turns what an instrumentation changed in a package's classes and modules on and off, at the same cost.

    To put methods into classes and take them out again makes the interpreter forget what it knows of these
    classes, each time. So a function that asks which way to go takes the place of each, for good. All of the
    package's modules are imported first: what an instrumentation changed as it imported it would stay on.
    """

    def __init__(self, package: str, start: Callable[[], object]) -> None:
        _import_all(package)
        owners = _owners(package)
        before = {owner: dict(vars(owner)) for owner in owners}
        start()
        self.on = False
        for owner in owners:
            for name, value in list(vars(owner).items()):
                was = _before(owner, name, before)
                if isinstance(was, FunctionType) and callable(value) and was is not value:
                    either = self._either_method if isinstance(owner, type) else self._either_function
                    setattr(owner, name, either(was, value))

    def _either_method(self, was: Any, now: Any) -> Callable[..., Any]:
        def method(itself: Any, *args: Any, **kwargs: Any) -> Any:
            return (now if self.on else was).__get__(itself, type(itself))(*args, **kwargs)

        return method

    def _either_function(self, was: Any, now: Any) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            return (now if self.on else was)(*args, **kwargs)

        return function


def _import_all(package: str) -> None:
    """Import each module of a package; one that needs an extra that is not there is passed by no call."""
    for module in walk_packages(import_module(package).__path__, f"{package}.", onerror=lambda _: None):
        if not module.name.endswith("__main__"):
            with suppress(Exception):
                import_module(module.name)


def _before(owner: type | ModuleType, name: str, before: Mapping[Any, Mapping[str, Any]]) -> Any:
    """Give what a class or module had by this name before, of its own or from above; None if nothing."""
    above = owner.__mro__ if isinstance(owner, type) else (owner,)
    found = (before.get(base, vars(base)) for base in above)
    return next((names[name] for names in found if name in names), None)


def _owners(package: str) -> set[type | ModuleType]:
    """Give the modules of a package, and the classes that they define."""
    modules = {module for name, module in sys.modules.items() if _is_of(name, package)}
    classes = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    return {*modules, *(each for each in classes if _is_of(each.__module__, package))}


def _is_of(name: str, package: str) -> bool:
    return name.partition(".")[0] == package


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


def beside(ours: str, name: str, measured: Mapping[str, Pairs]) -> str:
    """Say what ours adds as a part of what another adds; where the plain calls differ, that alone.

    A plain call that takes longer in one variant's processes carries something that was never switched off.
    """
    least = min(pairs.bare for pairs in measured.values())
    over = {each: measured[each].bare / least - 1 for each in (name, ours)}
    differing = [f"plain {each} + {part:.0%}" for each, part in over.items() if part > _AGREE]
    if differing or name == ours:
        return ", ".join(differing)
    return f"{measured[ours].added.whole / measured[name].added.whole:.3f}"


def show_added(title: str, measured: Mapping[str, Pairs], ours: str) -> None:
    """Print what each variant adds, and what ours is beside each of the others."""
    table = Table(title=title, title_justify="left")
    headings = ("plain", "fastest", "caller", "others", "added", "95 % of it", "undisturbed")
    table.add_column("µs")
    for heading in (*headings, f"{ours} beside it"):
        table.add_column(heading, justify="right")
    for name, pairs in measured.items():
        added, (low, high) = pairs.added, pairs.interval
        table.add_row(
            name,
            *(f"{number:,.1f}" for number in (pairs.plain, pairs.bare)),
            *(f"{number:,.1f}" for number in (added.caller, added.others, added.whole)),
            f"{low:,.0f} to {high:,.0f}",
            f"{pairs.undisturbed:,.1f}",
            beside(ours, name, measured),
        )
    Console(width=110).print(table)
    told = [beside(ours, name, measured) for name in measured if name != ours]
    if told and all(ratio.replace(".", "").isdigit() for ratio in told):
        print(f"{ours} beside the best of the others: {max(map(float, told)):.3f}\n")
    elif told:
        print(f"{ours} beside the best of the others: not to be told, since plain calls differ\n")


def joined(parts: Iterable[Pairs]) -> Pairs:
    """Put the pairs of several processes together."""
    return Pairs(tuple(block for part in parts for block in part.blocks))
