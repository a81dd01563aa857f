"""Corners of ledgers that need no server: what is refused, what is left out, and what is said of it."""

import fcntl
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outlay.core.cost import Cost, CostLine
from outlay.core.errors import LedgerError, QueryError, RefusedEntryError, SettingsError
from outlay.core.keeping import Disagreement, Pruned
from outlay.core.query import CallQuery, Query, filters
from outlay.core.record import Loss, Score
from outlay.core.usage import Usage
from outlay.journal import line_of
from outlay.ledger.answering import Answering
from outlay.ledger.backlog import waiting
from outlay.ledger.clickhouse import intake, keeping, retention
from outlay.ledger.clickhouse import ledger as clickhouse
from outlay.ledger.clickhouse.faults import told_plainly
from outlay.ledger.clickhouse.place import Place as ClickHousePlace
from outlay.ledger.clickhouse.place import place_of
from outlay.ledger.clickhouse.tables import spread
from outlay.ledger.duck import DuckLedger
from outlay.ledger.identity import checked_id
from outlay.ledger.memory import MemoryLedger
from outlay.ledger.postgres.place import Place
from outlay.ledger.postgres.rows import rates_of
from outlay.ledger.postgres.texts import json_text, restored_json
from outlay.ledger.rolled import answerable, groups
from outlay.ledger.ship import turns
from outlay.testing import NOON, call


def test_an_id_that_is_no_uuid_is_refused_and_named() -> None:
    with pytest.raises(RefusedEntryError, match=r"'call 1' is no id of a record"):
        MemoryLedger().add([replace(call(), id="call 1")])
    with pytest.raises(RefusedEntryError, match=r"'call 1' is no id of a record"):
        MemoryLedger().add([Score(record_id="call 1", at=NOON, correct=True)])


def test_an_id_in_another_spelling_is_the_same_one() -> None:
    record = call()
    score = Score(record_id=record.id.upper(), at=NOON, correct=True)
    assert checked_id(replace(record, id=f"{{{record.id.upper()}}}")) == record
    assert checked_id(score) == replace(score, record_id=record.id)


def test_a_loss_that_is_told_twice_counts_once() -> None:
    ledger = MemoryLedger()
    loss = Loss(at=NOON, count=3, why="the disk was full")
    ledger.add([loss])
    ledger.add([loss])
    assert [(each.count, each.why) for each in ledger.info().lost] == [(3, "the disk was full")]


def test_a_time_that_is_missing_is_a_filter_too() -> None:
    ledger = MemoryLedger()
    ledger.add([call()])
    assert ledger.rows(Query(where=filters({"day": None}))).total["calls"] == 0
    assert list(ledger.calls(CallQuery(where=filters({"day": ["2026-11-22", None]})))) != []


def test_daily_totals_answer_no_question_about_an_hour() -> None:
    hours = Query(by=("hour", "model"), where=filters({"hour": "2026-11-01T10:00:00+00:00", "model": "m"}))
    assert answerable(hours) is None
    missing = Query(by=("hour", "model"), where=filters({"hour": None, "model": "m"}), tz="Europe/Berlin")
    assert answerable(missing) == Query(by=("model",), where=filters({"model": "m"}), tz="UTC")


def test_a_segment_of_which_no_new_line_is_whole_does_not_wait(tmp_path: Path) -> None:
    whole = line_of(call())
    (tmp_path / "a.jsonl").write_bytes(whole)
    assert list(waiting(tmp_path, {"a.jsonl": len(whole)})) == []
    assert [(path.name, start, end) for path, start, end in waiting(tmp_path, {})] == [
        ("a.jsonl", 0, len(whole))
    ]


def test_half_a_line_that_is_still_written_does_not_wait(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as its writer holds it
        file.write(line_of(call())[:-9])
        file.flush()
        assert list(waiting(tmp_path, {})) == []


def test_daily_totals_are_not_even_asked_about_an_hour() -> None:
    unasked: Any = object()
    assert groups(unasked, Query(by=("model",), where=filters({"hour": "2026-11-01T10:00:00+00:00"}))) == {}


# ---------------------------------------------------------------- PostgreSQL's rows and texts
def lined(*lines: CostLine, **units: int) -> Any:
    """Make a call of a cost of these lines."""
    amount = sum((line.amount for line in lines), Decimal(0))
    return call(usage=Usage.of(units), charge=Cost(amount, "priced", lines=lines))


def test_lines_are_kept_as_rates_only_where_they_follow_from_them() -> None:
    good = CostLine("input", 1000, Decimal("2.5"), 1_000_000, Decimal("0.0025"))
    assert rates_of(lined(good, input=1000)) == (("input", Decimal("2.5"), 1_000_000, None, None),)
    assert rates_of(lined(good, input=999)) is None
    assert rates_of(lined(replace(good, amount=Decimal("0.0026")), input=1000)) is None
    assert rates_of(lined(replace(good, per=7), input=1000)) is None  # no power of ten
    long = replace(good, rate=Decimal("1." + "1" * 79))  # a product of more digits than are exact
    assert rates_of(lined(replace(long, quantity=1234567), input=1234567)) is None


def test_json_with_half_a_character_has_a_question_mark_there() -> None:
    assert json_text({"a": "x\ud800y"}) == '{"a": "x?y"}'


def test_json_with_a_nul_comes_back_as_it_was() -> None:
    text = json_text({"a": "x\x00y"})
    assert "\x00" not in text
    assert "\\u0000" not in text
    assert restored_json(text) == '{"a":"x\\u0000y"}'


@pytest.mark.parametrize("value", [{"a": object()}, {"a": {1, 2}}])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(RefusedEntryError, match="cannot be written as JSON"):
        json_text(value)


def test_an_address_that_is_none_is_one_line() -> None:
    with pytest.raises(SettingsError, match="the ledger's URL cannot be read"):
        Place.of("postgresql://[::1/calls")


# ---------------------------------------------------------------- ClickHouse's tables
def test_a_statement_without_a_table_cannot_be_made_one_of_shards() -> None:
    with pytest.raises(ValueError, match="no table in 'SELECT 1'"):
        list(spread("SELECT 1", "main", "outlay"))


class Answers:
    """Stands for a server: gives these answers one after the other, and keeps the questions."""

    def __init__(self, place: ClickHousePlace, *answers: list[tuple[Any, ...]]) -> None:
        self.place = place
        self.asked: list[str] = []
        self._answers = iter(answers)

    def all(self, text: str, _parameters: object = ()) -> list[tuple[Any, ...]]:
        self.asked.append(text)
        return next(self._answers)


def test_one_server_does_not_know_how_large_a_cluster_is() -> None:
    server: Any = Answers(place_of("clickhouse://host/spend?cluster=main"))
    assert keeping.size(server) is None
    assert server.asked == []
    alone: Any = Answers(place_of("clickhouse://host/spend"), [(4096,)])
    assert keeping.size(alone) == 4096


def test_calls_of_days_that_were_pruned_are_no_single_calls_any_more() -> None:
    place = place_of("clickhouse://host/spend")
    agrees: Any = Answers(place, [(7, 7)], [(0,)])
    assert list(keeping._of_tables(agrees)) == []
    differs: Any = Answers(place, [(7, 6)], [(2,)])
    assert list(keeping._of_tables(differs)) == [
        Disagreement("calls", "ids, each once", "7", "6"),
        Disagreement("calls", "calls of days that were pruned", "0", "2"),
    ]


def test_a_question_that_a_prune_overtakes_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer from before would leave out what was moved meanwhile, or count it twice."""
    horizons = iter([None, NOON, NOON, NOON])  # before and after each answer
    overtaken, whole = (MemoryLedger().rows(Query()) for _ in range(2))
    answers = iter([overtaken, whole])
    monkeypatch.setattr(clickhouse, "horizon_of", lambda _: next(horizons))
    monkeypatch.setattr(Answering, "rows", lambda *_: next(answers))
    monkeypatch.setattr(clickhouse.ClickHouseLedger, "_client", None)  # nobody is asked for more than that
    ledger = clickhouse.ClickHouseLedger(place_of("clickhouse://host/spend"))
    assert ledger.rows(Query()) is whole
    assert next(horizons, None) is None


def test_days_without_a_known_cost_add_nothing_to_what_a_prune_tells() -> None:
    days: list[tuple[Any, ...]] = [
        (NOON, "EUR", 3, None, 2),
        (NOON, "USD", 4, Decimal("0.50"), 1),
        (NOON, "USD", 1, Decimal("0.25"), 1),
    ]
    told = retention._told(NOON, days, dry_run=True)
    assert told == Pruned(before=NOON, calls=8, rollups=4, costs={"USD": Decimal("0.75")}, dry_run=True)


def test_an_amount_of_more_places_than_columns_have_is_rounded_there() -> None:
    long = replace(call(), charge=Cost(Decimal("0.12345678901234567856"), "priced"))
    assert b'"cost":"0.123456789012345679"' in intake._record_line(long).replace(b" ", b"")
    short = replace(call(), charge=Cost(Decimal("0.123456789012345678"), "priced"))
    assert b'"cost":"0.123456789012345678"' in intake._record_line(short).replace(b" ", b"")


def test_an_error_that_is_not_the_drivers_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="of ours"), told_plainly(place_of("clickhouse://host/x")):
        raise ValueError("of ours")


# ---------------------------------------------------------------- shipping
def test_a_turn_that_is_given_back_twice_is_free_once(tmp_path: Path) -> None:
    lock = turns._Lock(tmp_path / "lock")
    assert lock.take()
    assert not turns._Lock(tmp_path / "lock").take()
    lock.give()
    other = turns._Lock(tmp_path / "lock")
    assert other.take()
    lock.give()  # holds nothing any more, and takes nothing away
    assert not turns._Lock(tmp_path / "lock").take()
    other.give()


# ---------------------------------------------------------------- compaction
def test_a_log_that_the_engine_could_not_write_back_stops_a_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from outlay.ledger import DuckLedger  # noqa: PLC0415 - DuckDB loads late

    ledger = DuckLedger(tmp_path)
    ledger.add([call()])
    exists = Path.exists

    def leaving_a_log(path: Path, **how: Any) -> bool:
        return path.name == "ledger.duckdb.new.wal" or exists(path, **how)

    monkeypatch.setattr(Path, "exists", leaving_a_log)
    with pytest.raises(LedgerError, match="could not be written back"):
        ledger.compact()
    monkeypatch.undo()
    assert not (tmp_path / "ledger.duckdb.new").exists()
    assert ledger.rows(Query()).total["calls"] == 1
    ledger.close()


@pytest.mark.parametrize("where", [{"user": "a\ud800"}, {"tag:t": ["v", "a\ud800"]}, {"tag:\ud800": None}])
def test_a_filter_that_is_no_text_is_refused_in_one_line(tmp_path: Path, where: dict[str, Any]) -> None:
    """DuckDB and ClickHouse's driver told of it in words of their own; memory, which can hold it, looks."""
    ledger = DuckLedger(tmp_path)
    ledger.add([call(user="ann")])
    told = r"ud800' is no text in UTF-8; write one that is"
    for ask in (
        lambda: ledger.rows(Query(where=filters(where))),
        lambda: ledger.lines(Query(where=filters(where))),
        lambda: list(ledger.calls(CallQuery(where=filters(where)))),
        lambda: ledger.rows(Query(by=("tag:\ud800",))),
    ):
        with pytest.raises(QueryError, match=told):
            ask()
    assert MemoryLedger().rows(Query(where=filters(where))).total["calls"] == 0
    assert ledger.rows(Query()).total["calls"] == 1
