"""What journals hold comes into the embedded ledger exactly once, whatever stands beside it."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from outlay.core.codec import entry_json
from outlay.core.cost import Cost, CostLine, Price
from outlay.core.errors import JournalError, LedgerError
from outlay.core.query import CallQuery, Query
from outlay.core.record import Entry, Loss, Revision, Score
from outlay.journal import Journal
from outlay.ledger import DuckLedger, backlog
from outlay.ledger.batch import Batch
from outlay.ledger.native import duckdb
from outlay.testing import NOON, call
from outlay.testing.revisions import revision

CHARGE = Cost(
    Decimal("0.0025"),
    "priced",
    lines=(CostLine("input", 1000, Decimal("2.5"), 1_000_000, Decimal("0.0025")),),
    price=Price("a list", datetime(2026, 1, 1, tzinfo=UTC), "1"),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DuckLedger]:
    (tmp_path / "journal").mkdir()
    ledger = DuckLedger(tmp_path)
    yield ledger
    ledger.close()


def lines(*entries: Entry) -> bytes:
    """Write entries as a journal does."""
    return b"".join(orjson.dumps(entry_json(entry)) + b"\n" for entry in entries)


def write(ledger: DuckLedger, name: str, content: bytes) -> None:
    """Add to a segment of a process that is no more."""
    with (ledger.journals / name).open("ab") as file:
        file.write(content)


def count(ledger: DuckLedger) -> int:
    """Count the calls."""
    return int(ledger.rows(Query()).total["calls"])


def test_each_question_takes_in_what_is_new(ledger: DuckLedger) -> None:
    journal = Journal(ledger.journals)
    for expected in (1, 2, 3):
        journal.append(call())
        assert journal.flush(10)
        assert count(ledger) == expected
        assert ledger.info().pending_bytes == 0
    journal.close()
    assert count(ledger) == 3


def test_calls_scores_and_losses_come_in(ledger: DuckLedger) -> None:
    record = call()
    score = Score(record_id=record.id, at=NOON, user_rating=5.0)
    losses = [Loss(at=NOON + timedelta(hours=n), count=2 + n, why="disk full") for n in (0, 1)]
    write(ledger, "a.jsonl", lines(record, score, *losses, Loss(at=NOON, count=1, why="queue")))
    found = ledger.get(record.id)
    assert found is not None
    assert found.user_rating == 5.0
    assert sorted(each.count for each in ledger.info().lost) == [1, 5]


def test_a_record_may_stand_in_two_journals(ledger: DuckLedger) -> None:
    record = call()
    write(ledger, "a.jsonl", lines(record, call()))
    write(ledger, "b.jsonl", lines(call(), record, record))
    assert count(ledger) == 3
    hour = timedelta(hours=1)  # of what comes later it has the least id, and then the greatest
    write(ledger, "c.jsonl", lines(record, call(NOON + hour)))
    assert count(ledger) == 4
    write(ledger, "d.jsonl", lines(call(NOON - hour), record))
    assert count(ledger) == 5
    assert ledger.conflicts() == 0


def test_the_older_segment_counts_first_though_its_process_lives(ledger: DuckLedger) -> None:
    """Servers are given them in this order; of a call told twice, and of two costs of one instant."""
    told, other = call(user="first"), call()
    first, second = (Revision(record_id=other.id, at=NOON, charge=call(cost=c).charge) for c in ("2", "3"))
    living = Journal(ledger.journals)
    for entry in (told, other, first):
        living.append(entry)
    living.flush()
    write(ledger, "99991231T235959-later.jsonl", lines(replace(told, user="second"), second))
    assert {each.user: str(each.cost) for each in ledger.calls(CallQuery())} == {"first": "0.1", None: "3"}
    living.close()


def test_costs_of_one_instant_come_in_order_though_an_older_process_lives(ledger: DuckLedger) -> None:
    told = call()
    first, second = (Revision(record_id=told.id, at=NOON, charge=call(cost=c).charge) for c in ("2", "3"))
    living = Journal(ledger.journals)
    living.append(told)
    living.append(first)
    living.flush()
    write(ledger, "99991231T235959-later.jsonl", lines(second))
    assert [str(each.cost) for each in ledger.calls(CallQuery())] == ["3"]
    living.close()


def test_the_torn_line_of_a_living_writer_waits(ledger: DuckLedger) -> None:
    content = lines(call(), call())
    path = ledger.journals / "a.jsonl"
    with path.open("ab", buffering=0) as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        writer.write(content[:-30])
        assert count(ledger) == 1
        assert ledger.info().faults == 0
        assert (ledger.info().pending_bytes or 0) > 0
        writer.write(content[-30:])
        assert count(ledger) == 2


def test_the_torn_line_of_a_dead_writer_is_reported_once_and_harmless(ledger: DuckLedger) -> None:
    good = lines(call())
    write(ledger, "a.jsonl", good + lines(call())[:-30])
    for _ in range(2):
        assert count(ledger) == 1
    info = ledger.info()
    (fault,) = info.faulty
    assert (fault.segment, fault.offset, info.faults) == ("a.jsonl", len(good), 1)
    assert "torn" in fault.reason


def test_a_torn_line_before_other_journals_is_reported_too(ledger: DuckLedger) -> None:
    """DuckDB reads large ones at once, and passes the torn end of one over without a word, if not always."""

    def large() -> bytes:
        return lines(*(call(prompt="x" * 1500) for _ in range(1500)))

    for turn in range(2):
        write(ledger, f"{turn}-0.jsonl", large() + lines(call())[:100])
        for number in range(1, 4):
            write(ledger, f"{turn}-{number}.jsonl", large())
        count(ledger)
        assert (ledger.info().faults, ledger.verify()) == (turn + 1, ())


@pytest.mark.parametrize(
    "broken",
    [
        b"{broken\n",
        b"null\n",
        b"[]\n",
        b"\xff\n",
        b"{}\n",
        b'{"schema": 99}\n',
        lines(call()).replace(b'"at":', b'"when":'),
        lines(call()).replace(b'"id":"', b'"id":"no uuid '),
        lines(call()).replace(b'"cost":"0.1"', b'"cost":"1' + b"0" * 30 + b'"'),
        lines(call(latency_ms=1.5)).replace(b'"latency_ms":1.5', b'"latency_ms":"fast"'),
        lines(call()).replace(b'"status":"success"', b'"status":null'),
        lines(revision(call(), "1")).replace(b'"cost_status":"priced"', b'"cost_status":null'),
        lines(call(charge=CHARGE)).replace(b'"rate":"2.50"', b'"rate":"much"'),
        lines(call(charge=CHARGE)).replace(b'"effective_from":"2026-01-01', b'"effective_from":"2026-13-01'),
    ],
)
def test_a_broken_line_is_a_fault_and_the_others_come_in(ledger: DuckLedger, broken: bytes) -> None:
    write(ledger, "a.jsonl", lines(call()) + broken + lines(call()))
    write(ledger, "b.jsonl", lines(call()))
    assert count(ledger) == 3
    assert ledger.info().faults == 1
    write(ledger, "a.jsonl", lines(call()))
    assert count(ledger) == 4


def test_lines_of_a_cost_with_more_digits_than_most_are_kept_to_the_last(ledger: DuckLedger) -> None:
    fine = Decimal("2.5000000000000000000000001")
    record = call(charge=replace(CHARGE, lines=(replace(CHARGE.lines[0], rate=fine),)))
    write(ledger, "a.jsonl", lines(record))
    assert [each.charge for each in ledger.calls(CallQuery())] == [record.charge]
    assert ledger.info().faults == 0


def test_a_line_with_another_offset_than_utc_means_the_same_instant(ledger: DuckLedger) -> None:
    """Written by hand: 13:00+01:00 is noon in UTC."""
    text = lines(call()).replace(b"2026-11-22T12:00:00.000000Z", b"2026-11-22T13:00:00+01:00")
    write(ledger, "a.jsonl", text)
    (found,) = ledger.calls(CallQuery())
    assert found.at == NOON


def test_a_line_without_totals_has_those_of_its_units(ledger: DuckLedger) -> None:
    """Token totals stand beside the units for readers; the units are what counts."""
    data = {k: v for k, v in entry_json(call(units={"input": 7})).items() if not k.endswith("_tokens")}
    write(ledger, "a.jsonl", orjson.dumps(data) + b"\n")
    assert ledger.rows(Query()).total["input_tokens"] == 7


def test_journals_are_taken_in_portion_by_portion(
    ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments larger than a portion are cut at line ends, a line larger than one stays whole."""
    monkeypatch.setattr(backlog, "PORTION", 1000)
    small, large = [call() for _ in range(20)], call(prompt="x" * 3000)
    write(ledger, "a.jsonl", lines(*small[:10], large, *small[10:]))
    write(ledger, "b.jsonl", lines(call()))
    assert count(ledger) == 22
    assert ledger.info().faults == 0


def test_each_broken_line_is_told_once_however_its_journal_is_cut(
    ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "PORTION", 10)
    write(ledger, "a.jsonl", b"{broken\n" * 5)
    assert ledger.info().faults == 5


@pytest.mark.parametrize("fine", range(5))
def test_an_engine_that_fails_while_lines_are_looked_at_is_no_fault_of_theirs(
    ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch, fine: int
) -> None:
    """One segment holds a call twice, the next a line that is none; then for a while the disk is full."""
    monkeypatch.setattr(backlog, "PORTION", 1000)  # each segment is one
    twice = call()
    write(ledger, "a.jsonl", lines(twice, twice))
    write(ledger, "b.jsonl", lines(call(), call()) + b"{broken\n")
    load, number = Batch.load, iter(range(100))

    def failing(batch: Batch, paths: Sequence[Path]) -> bool:
        if next(number) >= fine:
            raise duckdb.IOException("could not write block: disk full")
        return load(batch, paths)

    monkeypatch.setattr(Batch, "load", failing)
    with suppress(LedgerError):
        count(ledger)
    monkeypatch.undo()
    assert (count(ledger), ledger.info().faults, ledger.verify()) == (3, 1, ())


def test_a_value_of_another_kind_is_a_fault_that_verify_knows(ledger: DuckLedger) -> None:
    """DuckDB would take an object for a text."""
    odd = entry_json(call()) | {"model": {"name": "m"}}
    write(ledger, "a.jsonl", lines(call()) + orjson.dumps(odd) + b"\n")
    assert (count(ledger), ledger.info().faults, ledger.verify()) == (1, 1, ())


def test_nothing_is_added_if_one_entry_cannot_be(ledger: DuckLedger) -> None:
    with pytest.raises(LedgerError, match="cannot be kept"):
        ledger.add([call(), call(id="no uuid")])
    with pytest.raises(LedgerError, match="cannot be written as JSON"):
        ledger.add([call(), call(extra={"what": object()})])
    assert count(ledger) == 0
    assert ledger.add([call()]) == 1


def test_the_largest_and_the_smallest_amount_are_kept_to_the_digit(ledger: DuckLedger) -> None:
    amounts = [Decimal("999999999999999999.999999999999999999"), Decimal("0.000000000000000001")]
    ledger.add([call(charge=Cost(amount, "reported")) for amount in amounts])
    assert {record.cost for record in ledger.calls(CallQuery())} == set(amounts)


def test_many_pages_give_each_call_once(ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages meet between calls of one instant, one cost and no latency at all."""
    monkeypatch.setattr(DuckLedger, "page_size", 3)
    ids = [call().id for _ in range(10)]
    ledger.add([call(id=name, cost=None if n % 3 else "1") for n, name in enumerate(ids)])
    for order in ("time", "cost", "latency"):
        found = [record.id for record in ledger.calls(CallQuery(order=order, limit=None))]
        assert sorted(found) == sorted(ids)
        assert [r.id for r in ledger.calls(CallQuery(order=order, limit=7))] == found[:7]


def test_asking_while_reading_calls_is_no_deadlock(ledger: DuckLedger) -> None:
    made = [call() for _ in range(3)]
    ledger.add(made)
    found = [(record, ledger.get(record.id)) for record in ledger.calls(CallQuery())]
    assert {record.id for record, _ in found} == {record.id for record in made}
    assert [got for _, got in found] == [record for record, _ in found]


def test_a_journal_that_cannot_be_read_is_no_missing_calls(
    ledger: DuckLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer without them would be wrong; so there is none."""
    write(ledger, "a.jsonl", lines(call()))

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(backlog, "is_live", refused)
    with pytest.raises(JournalError, match=r"journal.*Permission denied"):
        count(ledger)
    monkeypatch.undo()
    assert count(ledger) == 1
