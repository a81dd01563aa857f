"""A ledger that answers with what it was given, and remembers what it was asked."""

from collections.abc import Iterable, Iterator

import pytest

from outlay.core.keeping import LedgerInfo
from outlay.core.query import CallQuery, Query, Row, Rows
from outlay.core.record import Entry, Record, Revision


class FakeLedger:
    """Answers every question by dimensions with prepared rows."""

    def __init__(self) -> None:
        self.asked: list[Query | CallQuery] = []
        self.answers: dict[tuple[str, ...], Rows] = {}
        self.extrapolated: dict[tuple[str, ...], Rows] = {}  # answers to how many calls have a later price
        self.records: list[Record] = []
        self.closed = 0

    def add(self, entries: Iterable[Entry]) -> int:
        raise NotImplementedError

    def rows(self, query: Query) -> Rows:
        self.asked.append(query)
        if query.metrics == ("extrapolated_calls",):
            return self.extrapolated.get(query.by, Rows((), {"extrapolated_calls": 0}))
        return self.answers[query.by]

    def lines(self, query: Query) -> tuple[Row, ...]:
        raise NotImplementedError

    def calls(self, query: CallQuery) -> Iterator[Record]:
        self.asked.append(query)
        return iter(self.records)

    def get(self, record_id: str) -> Record | None:
        return next((each for each in self.records if each.id == record_id), None)

    def revisions(self, record_id: str) -> tuple[Revision, ...]:
        return tuple(
            Revision(record_id=each.id, at=each.at, charge=each.charge)
            for each in self.records
            if each.id == record_id
        )

    def conflicts(self) -> int:
        return 2

    def info(self) -> LedgerInfo:
        return LedgerInfo(ledger="fake:", calls=len(self.records), first=None, last=None)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def ledger() -> FakeLedger:
    """Give a ledger without answers."""
    return FakeLedger()
