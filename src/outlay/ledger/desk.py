"""A place of one's own in the embedded ledger's engine, where calls are worked out before they are kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from outlay.ledger.batch import Batch
from outlay.ledger.engine import Engine, told_plainly

Turn = Callable[[], AbstractContextManager[Engine]]


class Desk:
    """A ``core.ports.Workbench``: temporary tables that no other question sees."""

    def __init__(self, engine: Engine, file: Path, turn: Turn) -> None:
        self._engine = engine
        self._file = file
        self._turn = turn  # has the ledger to itself, attached
        self.columns: Mapping[str, str] = engine.columns("calls")

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement for its effect."""
        with told_plainly(self._file):
            self._engine.run(sql, parameters)

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a question and give all rows."""
        with told_plainly(self._file):
            return self._engine.all(sql, parameters)

    def absorb(self, table: str, ids: str) -> int:
        """Keep the new ones of the calls that a temporary table or view lays out; give how many they were."""
        with self._turn(), self._at_the_ledger(), self._engine.transaction():
            return Batch(self._engine).keep_laid(table, ids)

    @contextmanager
    def _at_the_ledger(self) -> Iterator[None]:
        self._engine.run("USE ledger")
        try:
            yield
        finally:
            self._engine.run("USE memory")
            self._engine.run("DROP TABLE IF EXISTS temp.batch")

    def close(self) -> None:
        """Give the place back, and what stands there."""
        self._engine.close()
