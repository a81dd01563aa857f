"""``outlay watch``: lines in a pipe, a live view on a terminal."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from textual.widgets import DataTable, Static

from outlay.cli.watch_view import WatchApp
from outlay.core.usage import Usage
from outlay.journal import Follower, Journal
from outlay.testing import call

Outlay = Callable[..., Any]


def test_in_a_pipe_there_is_a_line_a_call(outlay: Outlay, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "ledger" / "journal")
    journal.append(call(model="before"))
    assert journal.flush()
    assert outlay("watch", "--for", "0").stdout == ""
    (segment,) = (tmp_path / "ledger" / "journal").glob("*.jsonl")
    (tmp_path / "ledger" / "journal" / "zz.jsonl").write_bytes(b"")
    journal.close()
    assert segment.exists()


def test_the_lines_can_be_json(outlay: Outlay, tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "ledger" / "journal"
    monkeypatch.setattr("outlay.journal.Follower", lambda journal: Follower(journal, from_start=True))
    journal = Journal(folder)
    journal.append(call(model="gpt-4o", cost="0.5"))
    why = "the call failed before any usage was known"
    failed = call(model="x\x1b[31m", status="error", error_type="Boom", cost=None)
    journal.append(replace(failed, usage=Usage(reason=why)))
    assert journal.flush()
    journal.close()
    found = [json.loads(line) for line in outlay("watch", "--for", "0", "--json").stdout.splitlines()]
    assert [each["model"] for each in found] == ["gpt-4o", "x\x1b[31m"]
    first, second = outlay("watch", "--for", "0").stdout.splitlines()
    assert "openai gpt-4o" in first
    assert "$0.500000" in first
    assert "\x1b" not in second
    assert second.endswith("unknown  Boom")
    assert "  - in, - out  " in second  # 0 would be a count


def test_the_view_ends_by_ctrl_c(tmp_path: Path) -> None:
    async def look() -> None:
        app = WatchApp(Follower(tmp_path), ZoneInfo("UTC"), str(tmp_path))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("ctrl+c")
        assert app.interrupted

    asyncio.run(look())


@pytest.mark.parametrize("gone", ["#totals", "#minutes", "#models", "#calls"])
def test_a_tick_while_the_view_is_taken_down_ends_nothing(tmp_path: Path, gone: str) -> None:
    async def look() -> None:
        journal = Journal(tmp_path)
        app = WatchApp(Follower(tmp_path), ZoneInfo("UTC"), str(tmp_path))
        async with app.run_test(size=(80, 24)):
            await app.query_one(gone).remove()
            journal.append(call(cost="0.5"))
            assert journal.flush()
            app.look()
            assert app.live.total.calls == 1

    asyncio.run(look())


@pytest.mark.parametrize(("columns", "stacked"), [(40, True), (80, True), (140, False)])
def test_the_cost_of_models_and_calls_is_seen_in_any_terminal(
    tmp_path: Path, columns: int, *, stacked: bool
) -> None:
    async def look() -> None:
        journal = Journal(tmp_path)
        app = WatchApp(Follower(tmp_path), ZoneInfo("UTC"), str(tmp_path))
        async with app.run_test(size=(columns, 30)) as pilot:
            journal.append(call(model="anthropic.claude-sonnet-4-5-20250929-v1:0", cost="0.5"))
            assert journal.flush()
            app.look()
            await pilot.pause()
            models, calls = (app.query_one(name, DataTable) for name in ("#models", "#calls"))
            assert (models.region.x == calls.region.x) is stacked
            async with asyncio.timeout(60):  # a column is as wide as its cells once the table has been idle
                for table in (models, calls):
                    while "$0.500000" not in "".join(each.text for each in table.render_line(1)):
                        await pilot.pause(0.01)
        journal.close()

    asyncio.run(look())


def test_the_view_shows_what_comes_in(tmp_path: Path) -> None:
    async def look() -> None:
        journal = Journal(tmp_path)
        app = WatchApp(Follower(tmp_path), ZoneInfo("UTC"), str(tmp_path))
        async with app.run_test(size=(120, 40)) as pilot:
            journal.append(call(model="gpt-4o", cost="0.5"))
            journal.append(call(model="gpt-4o-mini", cost=None, status="error"))
            assert journal.flush()
            app.look()
            await pilot.pause()
            assert app.query_one("#models", DataTable).row_count == 2
            assert app.query_one("#calls", DataTable).row_count == 2
            shown = str(app.query_one("#totals", Static).render())
            assert "2 calls" in shown
            assert "$0.500000" in shown
            assert "1 of unknown cost" in shown
            await pilot.press("c")
            assert app.query_one("#calls", DataTable).row_count == 0
            await pilot.press("q")
        journal.close()

    asyncio.run(look())


def test_names_that_look_like_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    """Textual takes ``[red]`` for a colour, and ends at a ``[/b]`` that closes nothing."""

    async def look() -> None:
        journal = Journal(tmp_path)
        app = WatchApp(Follower(tmp_path), ZoneInfo("UTC"), "/srv/[/b]/[red]")
        async with app.run_test(size=(200, 30)) as pilot:
            journal.append(call(model="[red]own[/b]", user="[bold]ann", cost="0.5", currency="[i]"))
            assert journal.flush()
            app.look()
            await pilot.pause()
            assert "0.500000 [i]" in str(app.query_one("#totals", Static).render())
            for table, shown in (("#models", ["[red]own[/b]"]), ("#calls", ["[red]own[/b]", "[bold]ann"])):
                made = app.query_one(table, DataTable)
                async with asyncio.timeout(
                    20
                ):  # a column is as wide as its cells when the table has been idle
                    while not all(
                        each in "".join(part.text for part in made.render_line(1)) for each in shown
                    ):
                        await pilot.pause(0.01)
        journal.close()

    asyncio.run(look())
