"""Calls as Parquet: a folder appears whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from outlay.core.cost import Cost
from outlay.core.errors import LedgerError
from outlay.core.query import CallQuery
from outlay.core.record import Record
from outlay.ledger import DuckLedger
from outlay.ledger.engine import Engine
from outlay.ledger.parquet import copy_parquet, write_parquet
from outlay.testing import NOON, call


def test_a_folder_that_is_empty_is_filled_and_one_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    folder.mkdir()
    assert write_parquet([call(cost="0.1"), call(NOON - timedelta(days=1), cost="0.25")], folder) == 2
    assert sorted(each.name for each in folder.iterdir()) == ["day=2026-11-21", "day=2026-11-22"]
    asked = f"SELECT sum(cost), count(*) FROM read_parquet('{folder}/*/*.parquet')"  # noqa: S608  # our own folder
    assert duckdb.execute(asked).fetchall() == [(Decimal("0.35"), 2)]
    with pytest.raises(LedgerError, match="is there already; name a new folder"):
        write_parquet([call()], folder)
    assert duckdb.execute(asked).fetchall() == [(Decimal("0.35"), 2)]


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_comes_while_it_is_written_is_left_alone(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "calls"

    def calls() -> Iterator[Record]:
        yield call()
        if what == "folder":
            folder.mkdir()
            (folder / "mine").write_text("mine", "utf-8")
        else:
            folder.write_text("mine", "utf-8")

    with pytest.raises(LedgerError, match="is there already; name a new folder"):
        write_parquet(calls(), folder)
    assert [each.relative_to(tmp_path).as_posix() for each in sorted(tmp_path.rglob("*"))] == (
        ["calls", "calls/mine"] if what == "folder" else ["calls"]
    )
    assert (folder / "mine" if what == "folder" else folder).read_text("utf-8") == "mine"


def test_what_a_killed_export_left_goes_with_the_next_one_and_no_other_does(tmp_path: Path) -> None:
    alive = call()

    def calls() -> Iterator[Record]:
        yield alive
        (held,) = (each for each in tmp_path.iterdir() if each.name not in left)
        os.utime(held / "export.lock", (0, 0))
        with pytest.raises(LookupError):  # to the same place, and swept before it breaks
            write_parquet(broken(), tmp_path / "calls")
        assert held.is_dir()

    def broken() -> Iterator[Record]:
        yield alive
        raise LookupError

    left = [".calls.killed", ".calls.fresh", ".call.other", ".calls.theirs"]
    for name in left:
        (tmp_path / name / "out").mkdir(parents=True)
        (tmp_path / name / ("export.lock" if name != ".calls.theirs" else "mine")).touch()
    for name in (".calls.killed", ".call.other"):
        os.utime(tmp_path / name / "export.lock", (0, 0))
    assert write_parquet(calls(), tmp_path / "calls") == 1
    assert {each.name for each in tmp_path.iterdir()} == {*left[1:], "calls"}


def test_a_place_that_cannot_be_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match=r"calls cannot be written: (Not a directory|File exists)"):
        write_parquet([call()], tmp_path / "file" / "calls")


def test_a_call_that_columns_cannot_hold_leaves_no_folder(tmp_path: Path) -> None:
    huge = replace(call(), charge=Cost(Decimal(10) ** 30, "reported"))
    with pytest.raises(LedgerError, match="calls cannot be written: ") as error:
        write_parquet([call(), huge], tmp_path / "calls")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_have_its_name_is_told_in_a_line(tmp_path: Path) -> None:
    folder = tmp_path / "calls"

    def calls() -> Iterator[Record]:
        yield call()
        folder.symlink_to(tmp_path / "nowhere" / "at all")

    with pytest.raises(LedgerError, match=r"calls cannot be written: Not a directory"):
        write_parquet(calls(), folder)
    assert [each.name for each in tmp_path.iterdir()] == ["calls"]


def test_a_period_of_another_zone_is_written_whole_and_the_last_day_that_there_is(tmp_path: Path) -> None:
    """The first of November in Berlin begins at eleven in the evening of the day before, in UTC."""
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    last = datetime(9999, 12, 31, 12, tzinfo=UTC)
    ledger = DuckLedger(tmp_path / "ledger")
    ledger.add([call(late - timedelta(hours=1)), call(late), call(late + timedelta(hours=3)), call(last)])
    berlin = ZoneInfo("Europe/Berlin")
    day = CallQuery(since=datetime(2026, 11, 1, tzinfo=berlin), until=datetime(2026, 11, 2, tzinfo=berlin))
    assert ledger.write_parquet(day, tmp_path / "day") == len(list(ledger.calls(day))) == 2
    assert ledger.write_parquet(CallQuery(limit=None), tmp_path / "all") == 4
    ledger.close()


def test_a_limit_holds_where_calls_come_while_it_is_written(tmp_path: Path) -> None:
    """Between two days others have their turn."""
    ledger = DuckLedger(tmp_path / "ledger")
    ledger.add([call(NOON), call(NOON - timedelta(days=1))])

    @contextmanager
    def turn() -> Iterator[Engine]:
        with ledger._turn() as engine:  # what is between two turns cannot be had otherwise
            yield engine
        ledger.add([call(NOON), call(NOON - timedelta(days=1))])

    assert copy_parquet(turn, CallQuery(limit=3), tmp_path / "calls") == 3
    asked = f"SELECT count(*) FROM read_parquet('{tmp_path}/calls/*/*.parquet')"  # noqa: S608  # our own folder
    assert duckdb.execute(asked).fetchall() == [(3,)]
    ledger.close()
