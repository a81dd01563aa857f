"""The command over ledgers that are made once for all tests, at the instant at which their last day ends."""

from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.support.homes import HOMES
from tests.support.spending import NOW

from outlay import process
from outlay.cli import main
from outlay.core.query import CallQuery, Query, Row, Rows
from outlay.core.record import Record
from outlay.ledger import DuckLedger
from outlay.report import LedgerReader

Shown = Callable[..., str]
T = TypeVar("T")


class Remembering(DuckLedger):
    """A ledger in a folder that nobody writes to: the same question is answered once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._answers: dict[Any, Any] = {}

    def rows(self, query: Query) -> Rows:
        return self._once(("rows", query), lambda: super(Remembering, self).rows(query))

    def lines(self, query: Query) -> tuple[Row, ...]:
        return self._once(("lines", query), lambda: super(Remembering, self).lines(query))

    def calls(self, query: CallQuery) -> Iterator[Record]:
        return iter(self._once(("calls", query), lambda: list(super(Remembering, self).calls(query))))

    def close(self) -> None:
        """Stay open: the next test asks too."""

    def _once(self, key: Any, ask: Callable[[], T]) -> T:
        if key not in self._answers:
            self._answers[key] = ask()
        found: T = self._answers[key]
        return found


@pytest.fixture(scope="session")
def ledgers(home_of: Callable[[str], Path]) -> Iterator[dict[str, Remembering]]:
    """Make every ledger."""
    made = {name: Remembering(home_of(name)) for name in HOMES}
    yield made
    for each in made.values():
        DuckLedger.close(each)


def settle(ledger: Remembering, monkeypatch: pytest.MonkeyPatch) -> LedgerReader:
    """Make it the ledger of all commands, who stand at NOW; give a reader of it."""
    monkeypatch.chdir(ledger.folder)
    monkeypatch.setenv("OUTLAY_LEDGER", str(ledger.folder))
    reader = LedgerReader(ledger, now=lambda: NOW)
    monkeypatch.setattr("outlay.cli.session.reader_of", lambda _settings: reader)
    return reader


@pytest.fixture(params=HOMES)
def reader(
    request: pytest.FixtureRequest, ledgers: dict[str, Remembering], monkeypatch: pytest.MonkeyPatch
) -> LedgerReader:
    """Give a reader of each ledger in turn."""
    return settle(ledgers[request.param], monkeypatch)


@pytest.fixture
def many(ledgers: dict[str, Remembering], monkeypatch: pytest.MonkeyPatch) -> LedgerReader:
    """Give a reader of 200,000 calls."""
    return settle(ledgers["many"], monkeypatch)


@pytest.fixture
def outlay() -> Iterator[Shown]:
    """Give a function that runs the command in this process and gives what it prints."""

    def run(*args: str) -> str:
        out = StringIO()
        with redirect_stdout(out):
            assert main(args) == 0
        return out.getvalue()

    yield run
    process.use(None)
