"""The tables of a ClickHouse ledger: numbered steps with data in them, TTL, prunes that are killed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partialmethod
from typing import Any

import pytest
from tests.support.chdb import a_database, engine

from outlay.core.cost import Cost
from outlay.core.errors import LedgerBusyError, LedgerSchemaError
from outlay.core.keeping import Migrated
from outlay.core.query import Query
from outlay.core.record import Record, Revision, Score
from outlay.ledger.clickhouse import ClickHouseLedger, late, retention
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.intake import _record_line, add
from outlay.ledger.clickhouse.place import Place
from outlay.ledger.clickhouse.tables import migrate, statements, version_of
from outlay.ledger.migrations import migrations
from outlay.testing import NOON, call, calls

_STEPS = migrations("clickhouse")
_OLD = NOON - timedelta(days=9)


@pytest.fixture
def place() -> Iterator[Place]:
    """Have a database of one's own."""
    with a_database() as found:
        yield found


@pytest.fixture
def ledger(place: Place) -> Iterator[ClickHouseLedger]:
    """Have a ledger with its tables."""
    found = ClickHouseLedger(place)
    found.conflicts()
    yield found
    found.close()


def test_steps_are_numbered_without_gaps() -> None:
    assert [number for number, _ in _STEPS] == list(range(1, len(_STEPS) + 1))


def test_a_ledger_of_the_first_schema_keeps_its_calls(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls, judgements and costs that were there before the tables for retention were."""
    client = Client(place)
    with monkeypatch.context() as first:
        first.setattr("outlay.ledger.migrations.migrations", lambda _: _STEPS[:1])
        migrate(client)
        assert version_of(client) == 1
        first.setattr("outlay.ledger.clickhouse.intake.horizon_of", lambda _: None)
        record = call(cost="1")
        again = Revision(record_id=record.id, at=NOON, charge=Cost(Decimal(2), "priced"))
        assert add(client, [record, again, Score(record_id=record.id, at=NOON, correct=True)]) == 1
    client.close()
    ledger = ClickHouseLedger(place)
    assert calls(ledger) == [replace(record, charge=again.charge, correct=True)]
    assert ledger.migrate() == Migrated(1, len(_STEPS))
    assert ledger.info().schema == len(_STEPS)
    ledger.close()


def test_every_statement_may_be_run_again(ledger: ClickHouseLedger) -> None:
    """No transaction holds a step together: a program that is killed in it begins it anew."""
    ledger.add([call()])
    for _, text in _STEPS:
        for statement in statements(text):
            ledger._client.run(statement)
    assert ledger.rows(Query()).total["calls"] == 1


def test_tables_of_a_newer_outlay_are_refused(place: Place, ledger: ClickHouseLedger) -> None:
    ledger._client.insert("outlay_schema", [b'{"version":999}'], "newer")
    with pytest.raises(LedgerSchemaError, match=r"newer outlay .schema 999.*upgrade"):
        ClickHouseLedger(place).rows(Query())


def test_how_long_calls_are_kept_is_a_setting() -> None:
    """At the beginning, and changed later on by migrate alone: to read a ledger changes nothing."""
    with a_database(ttl_days=400) as place:
        ledger = ClickHouseLedger(place)
        assert "toIntervalDay(400)" in _made(ledger)
        other = ClickHouseLedger(replace(place, ttl_days=30))
        other.rows(Query())
        assert "toIntervalDay(400)" in _made(ledger)
        other.migrate()
        assert "toIntervalDay(30)" in _made(ledger)
        other.add([call(), call("2020-01-01T00:00:00Z")])
        other.compact()
        assert other.rows(Query()).total["calls"] == 1
        ledger.close()
        other.close()


def _made(ledger: ClickHouseLedger) -> str:
    return str(ledger._client.all("SHOW CREATE TABLE calls")[0][0])


def test_a_prune_that_is_killed_before_it_counts_changes_nothing(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one finds every call."""
    ledger.add([call(_OLD, cost="1"), call(NOON, cost="2")])
    with monkeypatch.context() as killed:
        killed.setattr(retention, "_make_it_so", _killed)
        with pytest.raises(KeyboardInterrupt):
            ledger.prune(NOON)
    assert ledger.rows(Query()).total["calls"] == 2
    assert (ledger.info().pruned_calls, ledger.verify()) == (0, ())
    assert ledger.prune(NOON).calls == 1
    assert (ledger.rows(Query()).total["calls"], ledger.rows(Query()).total["cost"]) == (2, Decimal(3))
    assert ledger.verify() == ()


def test_a_prune_that_is_killed_before_it_deletes_counts_once(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls are there still, and in no answer, nor here to one that comes again; compact deletes them."""
    old = call(_OLD, cost="1")
    ledger.add([old, call(NOON, cost="2")])
    with monkeypatch.context() as killed:
        killed.setattr(retention, "sweep", _killed)
        with pytest.raises(KeyboardInterrupt):
            ledger.prune(NOON)
    assert ledger.rows(Query()).total["cost"] == Decimal(3)
    assert ledger.rows(Query(by=("day",))).rows[0]["calls"] == 1
    assert [each.cost for each in calls(ledger)] == [Decimal(2)]
    (left,) = ledger.verify()
    assert (left.what, left.found) == ("calls of days that were pruned", "1")
    assert (ledger.add([replace(old, at=NOON)]), ledger.conflicts()) == (0, 0)
    ledger.compact()
    assert ledger.verify() == ()
    assert ledger.rows(Query()).total["cost"] == Decimal(3)


def test_of_two_prunes_at_one_moment_one_counts(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both add up the same calls; the second one to say so is told."""
    ledger.add([call(_OLD, cost="1"), call(NOON, cost="2")])
    make_it_so = retention._make_it_so
    other = ClickHouseLedger(ledger.place)

    def overtaken(client: Client, *given: object) -> None:
        monkeypatch.setattr(retention, "_make_it_so", make_it_so)
        other.prune(NOON)
        make_it_so(client, *given)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(retention, "_make_it_so", overtaken)
    with pytest.raises(LedgerBusyError, match="prune again"):
        ledger.prune(NOON)
    assert ledger.rows(Query()).total["cost"] == Decimal(3)
    assert (ledger.info().pruned_calls, ledger.verify()) == (1, ())
    other.close()


def test_a_call_that_comes_while_its_day_is_pruned_is_set_aside(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its batch had looked at the horizon before; it is in no total, and told as late."""
    ledger.add([call(_OLD, cost="1")])
    slow = call(_OLD, cost="5")
    make_it_so = retention._make_it_so

    def meanwhile(client: Client, *given: object) -> None:
        ledger.add([slow])
        make_it_so(client, *given)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(retention, "_make_it_so", meanwhile)
    assert ledger.prune(NOON).calls == 1
    assert ledger.rows(Query()).total["cost"] == Decimal(1)
    assert (ledger.info().late, ledger.info().calls, ledger.verify()) == (1, 0, ())
    assert ledger.known([slow.id]) == frozenset()


def test_a_call_that_comes_between_naming_and_adding_up_is_late_and_in_no_total(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.add([call(_OLD, cost="1")])
    run = ledger._client.run

    def overtaken(text: str, *given: Any) -> None:
        if text.startswith("INSERT INTO rollups"):
            monkeypatch.undo()
            ledger.add([call(_OLD, cost="5")])
        run(text, *given)

    monkeypatch.setattr(ledger._client, "run", overtaken)
    assert ledger.prune(NOON).calls == 1
    assert (ledger.rows(Query()).total["cost"], ledger.info().late) == (Decimal(1), 1)
    assert ledger.settle_late(count_in=True).calls == 1
    assert (ledger.rows(Query()).total["cost"], ledger.verify()) == (Decimal(6), ())


def test_a_prune_counts_once_whose_calls_another_one_is_just_sweeping(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of its calls went with the earlier one's: all were told as late, to be counted in again."""
    ledger.add([call(_OLD, cost="1"), call(NOON - timedelta(days=1), cost="2"), call(NOON, cost="4")])
    other = ClickHouseLedger(ledger.place)
    run = ledger._client.run

    def overtaken(text: str, *given: Any) -> None:
        if text.startswith("DELETE FROM pruned "):
            monkeypatch.undo()
            with monkeypatch.context() as slow:
                slow.setattr(retention, "sweep", lambda _: None)
                assert other.prune(NOON).calls == 1
        run(text, *given)

    monkeypatch.setattr(ledger._client, "run", overtaken)
    assert ledger.prune(_OLD + timedelta(days=1)).calls == 1
    other.compact()
    assert (other.info().late, other.info().pruned_calls, other.verify()) == (0, 2, ())
    assert other.rows(Query()).total["cost"] == Decimal(7)
    other.close()


def test_calls_that_two_sweep_at_one_moment_are_not_told_as_late(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One saw calls of a prune just before the other deleted them, and what names them just after that."""
    old = call(_OLD, cost="1")
    ledger.add([old, call(NOON, cost="4")])
    with monkeypatch.context() as unswept:
        unswept.setattr(retention, "sweep", lambda _: None)
        assert ledger.prune(NOON).calls == 1
    other = ClickHouseLedger(ledger.place)

    def overtaken(_: Client) -> Iterator[Record]:
        monkeypatch.undo()
        other.compact()
        yield old

    monkeypatch.setattr(late, "_stragglers", overtaken)
    ledger.compact()
    assert (ledger.info().late, ledger.info().pruned_calls, ledger.verify()) == (0, 1, ())
    assert ledger.rows(Query()).total["cost"] == Decimal(5)
    other.close()


def test_a_call_that_comes_just_before_others_are_deleted_is_kept_apart(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one who read the horizon of before: it is in no total, and nothing may delete it."""
    ledger.add([call(_OLD, cost="1")])
    set_aside, last = late.set_stragglers_aside, call(_OLD, cost="2")

    def meanwhile(client: Client) -> None:
        set_aside(client)
        client.insert("calls", [_record_line(last)], "just then")

    with monkeypatch.context() as racing:
        racing.setattr(retention, "set_stragglers_aside", meanwhile)
        assert ledger.prune(NOON).calls == 1
    for _ in range(2):
        assert ledger.late_calls(9) == (last,)
        ledger.compact()
    assert ledger.settle_late(count_in=True).calls == 1
    assert ledger.rows(Query()).total["cost"] == Decimal(3)


def test_a_call_of_a_pruned_day_that_is_not_set_aside_yet_is_late_all_the_same(
    ledger: ClickHouseLedger,
) -> None:
    """No prune and no compaction came by since: it is counted, and settled with the others."""
    ledger.prune(NOON)
    ledger.add([call(_OLD, cost="1")])
    ledger._client.insert("calls", [_record_line(call(_OLD, cost="2"))], "just then")
    assert ledger.info().late == 2
    assert ledger.settle_late(count_in=True).calls == 2
    assert (ledger.info().late, ledger.rows(Query()).total["cost"]) == (0, Decimal(3))


def test_daily_totals_that_were_tampered_with_are_found(ledger: ClickHouseLedger) -> None:
    ledger.add([call(_OLD, cost="1")])
    ledger.prune(NOON)
    engine().run(
        f"ALTER TABLE {ledger.place.database}.rollups UPDATE calls = 2 WHERE 1 SETTINGS mutations_sync = 2"
    )
    (wrong,) = ledger.verify()
    assert (wrong.where, wrong.what) == ("2026-11-13 USD", "daily totals")
    assert (wrong.expected[:7], wrong.found[:7]) == ("1 calls", "2 calls")


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def _with_late_calls(ledger: ClickHouseLedger) -> list[Record]:
    ledger.prune(NOON)
    found = [call(_OLD, user=f"u{n}", cost="0.5", tags={"a": "b"}) for n in range(3)]
    ledger.add([call(NOON, cost="2"), *found])
    return found


@pytest.mark.parametrize("way", ["count in", "discard"])
def test_late_calls_are_settled_once_or_not_at_all_when_that_is_killed(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Before each statement in turn; what a killed run left behind counts nowhere."""
    count_in, done = way == "count in", False
    told = _with_late_calls(ledger)
    run, insert = Client.run, Client.insert
    for last in range(20):
        left = iter(range(last))

        def next_or_die(what: Any, *given: Any, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            what(*given)

        with monkeypatch.context() as killed:
            killed.setattr(Client, "run", partialmethod(_through, next_or_die, run))
            killed.setattr(Client, "insert", partialmethod(_through, next_or_die, insert))
            try:
                ledger.settle_late(count_in=count_in)
                ended = True
            except KeyboardInterrupt:
                ended = False
        info, total = ledger.info(), ledger.rows(Query()).total
        assert info.late in (0, 3)
        done = done or info.late == 0
        calls_of_all = 4 if done and count_in else 1
        assert (info.late, total["calls"]) == (0 if done else 3, calls_of_all)
        assert total["cost"] == (Decimal("3.5") if done and count_in else Decimal(2))
        assert ledger.verify() == ()
        if ended:
            break
    assert ended
    ledger.add(told)
    assert (ledger.info().late, ledger.settle_late(count_in=True).calls) == (0, 0)
    ledger.compact()
    assert ledger.rows(Query()).total["calls"] == calls_of_all


def test_late_calls_beyond_one_portion_are_all_counted_in(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted of one portion stands in no place of another's."""
    monkeypatch.setattr(late, "PORTION", 2)
    ledger.prune(NOON)
    ledger.add([call(_OLD, user=f"u{n}", cost="0.5") for n in range(5)])
    settled = ledger.settle_late(count_in=True)
    ledger.compact()
    total = ledger.rows(Query()).total
    assert (settled.calls, total["calls"], total["cost"]) == (5, 5, Decimal("2.5"))
    assert (ledger.info().late, ledger.verify()) == (0, ())


def _through(self: Client, gate: Any, what: Any, *given: Any) -> None:
    gate(what, self, *given)


def test_of_two_settlements_at_one_moment_one_counts(
    ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both add up the same calls; the second one to say so is told, also when the first one gave them up."""
    _with_late_calls(ledger)
    make_it_so = late._make_it_so
    other = ClickHouseLedger(ledger.place)

    def overtaken(client: Client, run: int, number: int) -> None:
        monkeypatch.setattr(late, "_make_it_so", make_it_so)
        other.settle_late(count_in=False)
        make_it_so(client, run, number)

    monkeypatch.setattr(late, "_make_it_so", overtaken)
    with pytest.raises(LedgerBusyError, match="somebody else settled late calls"):
        ledger.settle_late(count_in=True)
    assert (ledger.rows(Query()).total["cost"], ledger.info().late) == (Decimal(2), 0)
    assert ledger.verify() == ()
    other.close()
