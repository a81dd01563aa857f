"""The live view of a terminal: what it counts is what the ledger says of the same calls."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support.shown import amounts as read_amounts
from textual.widgets import DataTable, Static

from outlay.cli.watch_view import WatchApp
from outlay.core.instants import instant
from outlay.core.record import Entry, Record
from outlay.journal import read_line
from outlay.report import LedgerReader
from outlay.report.money import amounts

UTC = ZoneInfo("UTC")
_COUNTS = {"calls": "calls", "tokens": "total_tokens", "errors": "errors", "no price": "unpriced_calls"}


class _Once:
    """Gives all calls of a journal at the first look; bodies that recur are read once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bodies: dict[bytes, Record] = {}

    def poll(self) -> list[Entry]:
        lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        self._path = self._path.with_name("nothing more")
        return [self._record(line) for line in lines]

    def _record(self, line: bytes) -> Record:
        head, _, body = line.partition(b'"user":"')
        body = body.partition(b'"session":"')[2].partition(b",")[2]
        if not body or body not in self._bodies:
            read = read_line(line, 0, 0)
            assert isinstance(read, Record)
            self._bodies[body] = read
            return read
        told = head.split(b'"')
        at = told[told.index(b"at") + 2].decode()
        return replace(self._bodies[body], id=told[told.index(b"id") + 2].decode(), at=instant(at))


def _six(found: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:.6f}" for currency, amount in found.items()}


def test_the_live_view_says_what_the_ledger_says(reader: LedgerReader) -> None:
    """Of all calls, as if they came in while it is open."""

    async def look() -> None:
        journal: Path = reader.ledger.folder / "journal" / "0-0-0.jsonl"  # type: ignore[attr-defined]
        app = WatchApp(_Once(journal), UTC, "here")  # type: ignore[arg-type]  # a follower's one method
        async with app.run_test(size=(200, 50)) as pilot:
            await pilot.pause()
            whole = reader.report().total
            said = str(app.query_one("#totals", Static).render())
            tokens = whole["total_tokens"]
            for part in (f"{whole['calls']:,} calls", f"{whole['errors']:,} errors", f"{tokens:,} tokens"):
                assert part in said
            assert (f"{whole['unpriced_calls']:,} of unknown cost" in said) == bool(whole["unpriced_calls"])
            if amounts(whole):
                assert _six(read_amounts(re.split(r" {3,}", said)[1])) == _six(amounts(whole))
            models = app.query_one("#models", DataTable)
            rows = {
                f"{row['provider']} {row['model']}": row for row in reader.report(("provider", "model")).rows
            }
            assert models.row_count == len(rows)
            headings = [str(column.label) for column in models.ordered_columns]
            for at in range(models.row_count):
                told = dict(zip(headings, map(str, models.get_row_at(at)), strict=True))
                row = rows[told["model"]]
                for heading, key in _COUNTS.items():
                    assert int(told[heading].replace(",", "")) == row[key], (heading, row)
                if amounts(row):
                    assert _six(read_amounts(told["cost"])) == _six(amounts(row))

    asyncio.run(look())
