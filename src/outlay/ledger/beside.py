"""A server's ledger with DuckDB beside it: calls are laid out there, and go to the server as lines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Protocol

from outlay.core.ports import Ledger, TakingLines, Workbench
from outlay.core.record import Entry
from outlay.ledger.duck import DuckLedger
from outlay.ledger.leftovers import held
from outlay.ledger.spelled import LINE

_AT_ONCE = 50_000  # lines that are in memory and kept together
_PREFIX, _LOCK = "outlay-import-", "import.lock"  # of the engine's folder, and of what its owner holds


class Server(Ledger, TakingLines, Protocol):
    """A ledger that takes lines."""


class Beside:
    """A ``core.ports.Absorbing`` before a ledger that takes lines; that one beside it keeps nothing."""

    def __init__(self, ledger: Server) -> None:
        self._ledger = ledger
        self._held = ExitStack()
        self._embedded = DuckLedger(self._held.enter_context(held(Path(gettempdir()), _PREFIX, _LOCK)))

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new; see ``core.ports.Ledger``."""
        return self._ledger.add(entries)

    def add_lines(self, lines: Iterable[bytes]) -> int:
        """Keep what lines of journals hold; see ``core.ports.TakingLines``."""
        return self._ledger.add_lines(lines)

    @property
    def spool(self) -> Path:
        """The folder of files that are read at once and then removed."""
        return self._embedded.spool

    @contextmanager
    def workbench(self) -> Iterator[Workbench]:
        """Have a place in the engine."""
        with self._embedded.workbench() as desk:
            yield _Bench(desk, self._ledger)

    def close(self) -> None:
        """Give back the engine and its folder; the server's ledger is the caller's."""
        self._embedded.close()
        self._held.close()


class _Bench:
    """A ``core.ports.Workbench`` from which calls go to a server."""

    def __init__(self, desk: Workbench, ledger: TakingLines) -> None:
        self._desk = desk
        self._ledger = ledger
        self.columns: Mapping[str, str] = desk.columns

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement for its effect."""
        self._desk.run(sql, parameters)

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a question and give all rows."""
        return self._desk.all(sql, parameters)

    def absorb(self, table: str, ids: str) -> int:
        """Keep the calls whose id is new, all or none of each 50,000; give how many were new."""
        least, greatest = self.all(f"SELECT min(number), max(number) FROM temp.{ids}")[0]  # noqa: S608  # the caller's name
        if least is None:
            return 0
        return sum(
            self._ledger.add_lines(self._lines(table, first, first + _AT_ONCE))
            for first in range(least, greatest + 1, _AT_ONCE)
        )

    def _lines(self, table: str, first: int, behind: int) -> Iterator[bytes]:
        found = self.all(
            f"SELECT encode({LINE}) FROM temp.{table} WHERE number >= ? AND number < ? ORDER BY number",  # noqa: S608  # likewise
            [first, behind],
        )
        return (line for (line,) in found)
