"""The numbered files that build each engine's tables: which there are, which are to be run, how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from outlay.core.errors import LedgerSchemaError

Steps = list[tuple[int, str]]
"""Numbers and texts, in order."""


@lru_cache(maxsize=8)  # they come with the program, and each question asks
def migrations(engine: str) -> Steps:
    """Give the steps in ``schema/<engine>``, such as ``duckdb``."""
    found = [
        (int(item.name.partition("_")[0]), item.read_text("utf-8"))
        for item in (files("outlay.ledger") / "schema" / engine).iterdir()
        if item.name.endswith(".sql")
    ]
    return sorted(found)


def pending(engine: str, have: int, ledger: object) -> Steps:
    """Give the steps that a ledger of version ``have`` still lacks.

    Raises:
        LedgerSchemaError: a newer outlay wrote the ledger, which is named in the message.
    """
    steps = migrations(engine)
    newest = steps[-1][0]
    if have > newest:
        raise LedgerSchemaError(
            f"{ledger} was written by a newer outlay (schema {have}, this one knows {newest}): upgrade outlay"
        )
    return [step for step in steps if step[0] > have]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a ledger is on its way to the newest schema; nobody is told of a new one, which is empty."""

    ledger: str  # where it is, without a password
    before: int  # the schema that it had
    newest: int
    part: float  # of all steps, 0 when the first begins and 1 when the last is kept


Watcher = Callable[[Progress], None]
_watchers: list[Watcher] = []  # of the whole process: a ledger is migrated in whatever thread needs it first


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Have each migration told to this function meanwhile, in the thread that migrates."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


class Migrating:
    """Steps one after the other; asking for the next one says that the last one is kept."""

    def __init__(self, steps: Steps, have: int, ledger: object) -> None:
        self._steps = steps
        self._have = have
        self._ledger = str(ledger)
        self._done = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Give the steps."""
        for step in self._steps:
            self.tell(0)
            yield step
            self._done += 1
        if self._steps:
            self.tell(0)

    def tell(self, part: float) -> None:
        """Tell those who watch which part of the step at hand is done."""
        if self._have:
            done = (self._done + part) / len(self._steps)
            for watcher in _watchers:
                watcher(Progress(self._ledger, self._have, self._steps[-1][0], done))
