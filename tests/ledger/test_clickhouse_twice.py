"""Nothing lost and nothing twice on ClickHouse: deliveries that meet, break off, or come again."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.chdb import a_database, engine

from outlay.core.errors import LedgerError, RefusedEntryError
from outlay.core.query import Query
from outlay.core.record import Record, Revision, Score
from outlay.ledger.clickhouse import ClickHouseLedger, intake
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.intake import ENTRIES
from outlay.ledger.clickhouse.known import known
from outlay.ledger.clickhouse.place import Place
from outlay.testing import NOON, call, calls


@pytest.fixture
def place() -> Iterator[Place]:
    """Have a database whose parts are not merged unless a test says so."""
    with a_database() as found:
        ledger = ClickHouseLedger(found)
        ledger.conflicts()  # makes the tables
        ledger.close()
        engine().run(f"SYSTEM STOP MERGES {found.database}.calls")
        yield found
        engine().run(f"SYSTEM START MERGES {found.database}.calls")


def some(count: int, start: int = 0) -> list[Record]:
    """Make calls of a cent each, a second apart, over the end of a month."""
    begin = NOON.replace(day=30, hour=23, minute=59)
    return [call(begin + timedelta(seconds=start + n), cost="0.01") for n in range(count)]


def stored(place: Place) -> int:
    """Count the rows that are really there, copies among them."""
    text = f"SELECT count() FROM {place.database}.calls"  # noqa: S608  # our own names
    return int(engine().all(text, settings={"final": 0})[0][0])


def merge(place: Place) -> None:
    """Let copies go."""
    engine().run(f"SYSTEM START MERGES {place.database}.calls")
    engine().run(f"OPTIMIZE TABLE {place.database}.calls FINAL")


def total(ledger: ClickHouseLedger) -> tuple[int, Decimal]:
    """Ask for the number of calls and their cost."""
    found = ledger.rows(Query()).total
    return found["calls"], found["cost"]


def at_once(monkeypatch: pytest.MonkeyPatch, place: Place, *batches: Sequence[Record]) -> None:
    """Deliver batches by ledgers of their own, none of which inserts before all have looked for known ids."""
    looked = threading.Barrier(len(batches))
    failed: list[BaseException] = []

    def looking(client: Client, ids: Sequence[str]) -> set[str]:
        found = known(client, ids)
        looked.wait(timeout=60)
        return found

    def deliver(batch: Sequence[Record]) -> None:
        ledger = ClickHouseLedger(place)
        try:
            ledger.add(batch)
        except BaseException as error:  # noqa: BLE001  # shown by the test's own thread
            failed.append(error)
        finally:
            ledger.close()

    monkeypatch.setattr(intake, "known", looking)
    threads = [threading.Thread(target=deliver, args=[batch]) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.setattr(intake, "known", known)
    assert failed == []


def test_one_batch_by_two_shippers_at_one_moment_is_stored_once(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """The server knows the batch by its token."""
    batch = some(100)
    at_once(monkeypatch, place, batch, batch)
    ledger = ClickHouseLedger(place)
    assert stored(place) == 100
    assert total(ledger) == (100, Decimal(1))
    assert ledger.conflicts() == 0
    ledger.close()


def test_batches_cut_differently_that_meet_count_each_call_once(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """Before copies are merged and after; grouped, filtered, and one by one."""
    every = some(120)
    at_once(monkeypatch, place, every[:80], every[40:])
    ledger = ClickHouseLedger(place)
    assert stored(place) == 160
    for _ in range(2):
        assert total(ledger) == (120, Decimal("1.2"))
        assert [row["calls"] for row in ledger.rows(Query(by=("month",))).rows] == [60, 60]
        assert {each.id for each in calls(ledger, limit=None)} == {each.id for each in every}
        assert ledger.get(every[50].id) == every[50]
        assert ledger.add(every) == 0
        merge(place)
    assert stored(place) == 120
    assert ledger.conflicts() == 0
    ledger.close()


@pytest.mark.parametrize("_", range(3))
def test_of_two_contents_under_one_id_at_one_moment_one_counts_and_one_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, place: Place, _: int
) -> None:
    """Which of them is the first nobody can say, but it stays so when they are merged."""
    first = call(cost="1")
    other = call(cost="2", id=first.id, at=NOON - timedelta(days=40))
    at_once(monkeypatch, place, [first], [other])
    ledger = ClickHouseLedger(place)
    assert stored(place) == 2
    assert ledger.conflicts() == 1
    before = total(ledger)
    assert before in {(1, Decimal(1)), (1, Decimal(2))}
    merge(place)
    assert total(ledger) == before
    assert ledger.add([first, other]) == 0
    assert ledger.conflicts() == 1
    ledger.close()


def test_a_block_that_comes_again_as_it_came_is_not_compared_and_one_that_differs_is(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """A file that was imported twice took as long again: every call of it was fetched and read."""
    fetched: list[str] = []
    kept = intake._kept

    def told(client: Client, ids: Sequence[str], **how: bool) -> Iterator[Record]:
        fetched.extend(ids)
        return kept(client, ids, **how)

    monkeypatch.setattr(intake, "_kept", told)
    every = [replace(each, quality_score=0.5) for each in some(30)]
    ledger = ClickHouseLedger(place)
    assert ledger.add([*every, every[3]]) == 30
    assert (ledger.add(every), fetched) == (0, [every[3].id])  # which its own block held twice
    assert ledger.add([Score(record_id=every[0].id, at=NOON, quality_score=0.75), *every]) == 0
    assert fetched == [every[3].id]
    assert ledger.add([*every[:7], replace(every[7], user="other")]) == 0
    assert (sorted(fetched[1:]), ledger.conflicts()) == ([each.id for each in every[:8]], 1)
    fetched.clear()
    delivery = int.from_bytes(intake._digest([intake._record_line(each) for each in every])[:8])
    line = intake._record_line(replace(every[5], user="a third"))
    ledger._client.insert("calls", [b'{"delivery":%d,' % (delivery + 1) + line[1:]], "by another shipper")
    assert ledger.add(every) == 0
    assert fetched == [every[5].id]
    assert {each.quality_score for each in calls(ledger)} == {0.5, 0.75}
    ledger.close()


@pytest.mark.parametrize("asked", ["known", "raced"])
def test_a_copy_whose_call_was_pruned_while_it_came_is_nothing_new(
    monkeypatch: pytest.MonkeyPatch, place: Place, asked: str
) -> None:
    """It was there when its id, or who had brought it, was asked for, and gone when it was to be compared."""
    ledger = ClickHouseLedger(place)
    first, other = some(2)
    ledger.add([first, other])
    merge(place)  # a prune waits for merges

    answer = getattr(intake, asked)

    def meanwhile(*question: Any) -> set[str]:
        found: set[str] = answer(*question)
        ledger.prune(NOON.replace(month=12, day=1))
        return found

    monkeypatch.setattr(intake, asked, meanwhile)
    assert ledger.add([replace(first, user="other")]) == 0
    assert (total(ledger), ledger.info().late, ledger.verify()) == ((2, Decimal("0.02")), 0, ())
    ledger.close()


def test_a_batch_of_which_a_part_is_there_is_completed(place: Place) -> None:
    """As after a crash between the two months of a batch, each of which is a part of its own."""
    every = some(120)
    ledger = ClickHouseLedger(place)
    assert ledger.add(every[:60]) == 60
    assert ledger.add(every) == 60
    assert stored(place) == 120
    assert total(ledger) == (120, Decimal("1.2"))
    ledger.close()


def test_a_batch_of_many_months_is_one_block_all_the_same(place: Place) -> None:
    """Each is a part of its own, of which a server takes a hundred at once unless it is told otherwise."""
    ledger = ClickHouseLedger(place)
    assert ledger.add(call(f"{2000 + n // 12}-{n % 12 + 1:02}-01T00:00:00Z") for n in range(101)) == 101
    assert ledger.rows(Query()).total["calls"] == 101
    ledger.close()


def test_a_block_that_cannot_be_read_to_its_end_leaves_nothing(place: Place) -> None:
    """The server takes a batch as one block."""
    ledger = ClickHouseLedger(place)
    ledger.conflicts()
    lines = [intake._record_line(each) for each in some(2000)]
    with pytest.raises(LedgerError, match="Cannot parse"):
        ledger._client.insert("calls", [*lines, b'{"id": "no uuid"}\n'], "token")
    assert stored(place) == 0
    ledger.close()


def test_a_block_that_is_read_in_parallel_is_one_all_the_same(place: Place) -> None:
    """Several megabytes: one part a month, none if its last line is bad, and once however often it comes."""
    ledger = ClickHouseLedger(place)
    ledger.conflicts()
    lines = [intake._record_line(replace(each, prompt="x" * 5000)) for each in some(1000)]
    with pytest.raises(LedgerError, match="Cannot parse"):
        ledger._client.insert("calls", [*lines, b'{"id": "no uuid"}\n'], "bad")
    assert stored(place) == 0
    for _ in range(2):
        ledger._client.insert("calls", lines, "good")
    assert stored(place) == 1000
    text = "SELECT count() FROM system.parts WHERE active AND table = 'calls' AND database = ?"
    assert ledger._client.all(text, [place.database]) == [(2,)]  # the end of a month, and what comes after it
    ledger.close()


def test_an_insert_again_with_its_token_changes_nothing(place: Place) -> None:
    """As by a proxy that repeats what it got no answer to."""
    ledger = ClickHouseLedger(place)
    ledger.conflicts()
    lines = [intake._record_line(each) for each in some(120)]  # two months, so two parts
    for _ in range(3):
        ledger._client.insert("calls", lines, "token")
    assert stored(place) == 120
    ledger.close()


def test_scores_and_revisions_that_come_again_are_one(place: Place) -> None:
    record = call(cost="1")
    score = Score(record_id=record.id, at=NOON, quality_score=0.5)
    again = Revision(record_id=record.id, at=NOON, charge=replace(record.charge, amount=Decimal(2)))
    ledger = ClickHouseLedger(place)
    ledger.add([record, score, again])
    ledger.add([again, score])
    ledger.add([score, call(), again])
    assert len(ledger.revisions(record.id)) == 2
    assert ledger._client.all("SELECT count() FROM scores") == [(1,)]
    ledger.close()


def test_more_entries_than_fit_in_a_block_are_several(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    monkeypatch.setattr(intake, "ENTRIES", 30)
    every = some(100)
    ledger = ClickHouseLedger(place)
    assert ledger.add(iter(every)) == 100
    assert ledger.add(reversed(every)) == 0
    assert total(ledger) == (100, Decimal(1))
    assert ENTRIES == 50_000
    ledger.close()


def test_ids_far_apart_are_looked_up_one_by_one(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    """A batch that spans more calls than it brings does not read them all."""
    every = some(500)
    ledger = ClickHouseLedger(place)
    ledger.add(every)
    asked: list[str] = []
    ask = Client.raw

    def asking(self: Client, sql: str, *rest: Any) -> bytes:
        asked.append(sql)
        return ask(self, sql, *rest)

    monkeypatch.setattr(Client, "raw", asking)
    monkeypatch.setattr("outlay.ledger.clickhouse.known._ASKED", 2)
    assert ledger.known([every[0].id, call().id, every[-1].id]) == {every[0].id, every[-1].id}
    assert sum("arrayJoin" in sql for sql in asked) == 2
    assert ledger.add([every[0], every[-1]]) == 0
    ledger.close()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"retries": 2**63}, "retries is too great"),
        ({"extra": {"x": {1, 2}}}, "cannot be written as JSON"),
        ({"latency_ms": "fast"}, "Cannot parse"),
        ({"id": "no uuid"}, "is no id of a record"),
        ({"cost": "1" + "0" * 25}, "too big|Too many digits"),
    ],
)
def test_what_columns_cannot_hold_is_refused_and_nothing_is_kept(
    place: Place, fields: dict[str, Any], told: str
) -> None:
    """ClickHouse itself would cut great numbers silently."""
    ledger = ClickHouseLedger(place)
    with pytest.raises(RefusedEntryError, match=told) as error:
        ledger.add([call(), Score(record_id=call().id, at=NOON, correct=True), call(**fields)])
    assert "\n" not in str(error.value)
    assert "fast" not in str(error.value)
    assert stored(place) == 0
    assert ledger._client.all("SELECT count() FROM scores") == [(0,)]
    ledger.close()


def test_a_copy_that_was_formed_first_and_stored_last_is_set_aside_too(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """The one that counts is then not the one that was there; its deliverer sees both, and says so."""
    stored_first = call(cost="1")
    formed_first = call(cost="2", id=stored_first.id)
    ledger = ClickHouseLedger(place)
    ledger.add([stored_first])
    line = intake._record_line

    def earlier(record: Record) -> bytes:
        return line(record).replace(b"{", b'{"arrived":-1,', 1)  # a moment after 1970

    with monkeypatch.context() as racing:
        racing.setattr(intake, "known", lambda *_: set())  # it had looked before the other one was there
        racing.setattr(intake, "_record_line", earlier)
        ledger.add([formed_first])
    assert total(ledger) == (1, Decimal(2))
    assert ledger.conflicts() == 1
    ledger.close()
