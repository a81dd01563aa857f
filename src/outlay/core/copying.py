"""What a ledger has whose engine writes calls out by itself, for exports."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from outlay.core.query import CallQuery
from outlay.core.record import Record

LinesOf = Callable[[Iterable[Record]], Iterable[str]]
"""Writes Records as lines."""


@runtime_checkable
class Copying(Protocol):
    """Writing calls out by the engine itself, without a Record of each."""

    def write_parquet(self, query: CallQuery, folder: Path) -> int:
        """Write calls as they stand to ``folder/day=2026-11-01/*.parquet``; give how many.

        Raises:
            LedgerError: the folder holds something, or cannot be written.
        """
        ...

    def transcribed(self, query: CallQuery) -> Iterator[tuple[int, bytes]]:
        """Give calls by time, newest first, so many at once: how many they are, and their lines.

        They are lines of a journal: a call has the cost that was recorded, and those that were reckoned later
        are revisions behind it.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        ...

    def tabled(
        self, query: CallQuery, columns: Sequence[str], lines_of: LinesOf
    ) -> Iterator[tuple[int, bytes]]:
        """Give calls as they stand, as above, as lines of CSV with columns out of ``report.flat``."""
        ...
