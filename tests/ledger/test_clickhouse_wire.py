"""The HTTP driver on the wire: users, errors, resets, slow answers; what was delivered is there once."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.chdb import a_database
from tests.support.clickhouse_front import Fault, Front, front

from outlay.core.errors import LedgerError, QueryError
from outlay.core.query import Query
from outlay.core.record import Record, Revision, Score
from outlay.journal import Journal
from outlay.ledger.clickhouse import ClickHouseLedger, place_of
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.selecting import READING
from outlay.ledger.ship import Offsets, Shipper, parcels
from outlay.testing import NOON, SelectingContract, asked, call, calls


@pytest.fixture(scope="module")
def served() -> Iterator[Front]:
    """Have the engine served."""
    with front() as found:
        yield found


@pytest.fixture
def ledger(served: Front) -> Iterator[ClickHouseLedger]:
    """Have a ledger over HTTP, with a database of its own."""
    served.faults.clear()
    with a_database() as place:
        url = f"clickhouse://outlay:secret@127.0.0.1:{served.port}/{place.database}?send_receive_timeout=2"
        found = ClickHouseLedger(place_of(url))
        found.conflicts()  # makes the tables
        yield found
        found.close()


def some(count: int) -> list[Record]:
    """Make calls of a cent each."""
    return [call(NOON + timedelta(seconds=n), cost="0.01", user=f"u{n % 3}") for n in range(count)]


def test_what_goes_in_over_http_comes_out(ledger: ClickHouseLedger) -> None:
    """Records, judgements, revisions, groups, and more ids than fit in a URL."""
    odd = call(user="a\t\n'\\\0\u20ac{x}?", tags={"te'am": "\n"}, units={"input": 3}, latency_ms=0.1)
    every = [*some(3000), odd]
    again = Revision(
        record_id=odd.id, at=NOON, charge=replace(odd.charge, amount=Decimal("0.000000000000000001"))
    )
    assert ledger.add([*every, again, Score(record_id=odd.id, at=NOON, correct=True)]) == 3001
    assert ledger.add(every) == 0
    assert ledger.get(odd.id) == replace(odd, correct=True, charge=again.charge)
    assert len(calls(ledger, limit=None)) == 3001
    assert asked(ledger, "user")[odd.user]["cost"] == Decimal("0.000000000000000001")
    assert asked(ledger, "tag:te'am")["\n"]["calls"] == 1
    assert ledger.rows(Query()).total["cost"] == Decimal("30.000000000000000001")
    assert ledger.conflicts() == 0


@pytest.mark.parametrize("login", ["outlay:wrong", "nobody:secret", "outlay"])
def test_who_is_not_let_in_is_told_so_without_the_password(served: Front, login: str) -> None:
    with pytest.raises(LedgerError, match=r"refuses '(outlay|nobody)': .*Authentication failed") as error:
        ClickHouseLedger(place_of(f"clickhouse://{login}@127.0.0.1:{served.port}/default")).conflicts()
    assert "\n" not in str(error.value)
    assert not {"wrong", "secret"} & set(str(error.value).replace("'", " ").split())


def test_a_password_goes_in_a_header_and_never_in_a_url(served: Front, ledger: ClickHouseLedger) -> None:
    ledger.conflicts()
    assert served.headers[-1]["Authorization"].startswith("Basic ")
    assert "secret" not in "".join(served.asked)


def test_a_database_that_is_not_there_is_made(served: Front) -> None:
    with a_database() as place:
        url = f"clickhouse://outlay:secret@127.0.0.1:{served.port}/{place.database}"
        ledger = ClickHouseLedger(place_of(url))
        assert ledger.add([call()]) == 1
        ledger.close()


def test_an_error_of_the_server_is_one_line(served: Front, ledger: ClickHouseLedger) -> None:
    ledger._client.run("DROP TABLE scores")
    with pytest.raises(LedgerError, match="scores") as error:
        ledger.add([Score(record_id=call().id, at=NOON, correct=True)])
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert "version" not in str(error.value)


@pytest.mark.parametrize("how", ["unread", "unheard", "unanswered", "slow", "503"])
def test_an_insert_that_breaks_off_is_told_and_may_be_repeated(
    served: Front, ledger: ClickHouseLedger, how: str
) -> None:
    """In its middle, before it is run, behind that with no answer, or with one that is too late.

    Whether the batch is there nobody knows then; delivered again, it is there once.
    """
    batch = some(500)
    served.faults.append(Fault("INSERT", how, seconds=3, times=5))
    with pytest.raises(LedgerError, match=r"cannot be reached, or broke off|Too many") as error:
        ledger.add(batch)
    served.faults.clear()
    assert "\n" not in str(error.value)
    ledger.add(batch)
    assert ledger.rows(Query()).total["calls"] == 500
    assert ledger.rows(Query()).total["cost"] == Decimal(5)
    assert ledger.add(batch) == 0
    assert ledger.conflicts() == 0


def test_an_insert_that_the_driver_repeats_is_there_once(served: Front, ledger: ClickHouseLedger) -> None:
    """A server that hung up once has run it, or has not."""
    batch = some(500)
    served.faults.append(Fault("INSERT", "unanswered"))
    ledger.add(batch)
    assert ledger.rows(Query()).total["calls"] == 500


def test_a_question_that_breaks_off_is_asked_again_by_the_driver(
    served: Front, ledger: ClickHouseLedger
) -> None:
    """It changes nothing, so nobody has to hear of it."""
    ledger.add(some(10))
    served.faults.append(Fault("SELECT", "unanswered"))
    assert ledger.rows(Query()).total["calls"] == 10


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_asked(
    served: Front, ledger: ClickHouseLedger
) -> None:
    served.faults.append(Fault("SELECT COUNT(*) FROM CONFLICTS", "slow", seconds=3))
    with pytest.raises(LedgerError, match=r"broke off: .*[Tt]imed? ?out"):
        ledger.conflicts()


def test_nobody_there_is_told_in_a_line() -> None:
    with pytest.raises(LedgerError, match="cannot be reached, or broke off: Connection refused"):
        ClickHouseLedger(place_of("clickhouse://outlay:secret@127.0.0.1:1/x")).conflicts()


def test_tls_with_a_server_that_speaks_none_is_told_in_a_line(served: Front) -> None:
    with pytest.raises(LedgerError, match=r"SSL|TLS") as error:
        ClickHouseLedger(place_of(f"clickhouses://outlay:secret@127.0.0.1:{served.port}/x")).conflicts()
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("rows", [20_000, 60])
def test_a_shipper_brings_each_call_once_through_broken_connections(
    served: Front, ledger: ClickHouseLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """And sets aside what the server cannot hold, while the rest goes on; also where much is drawn ahead."""
    monkeypatch.setattr(parcels, "ROWS", rows)
    journal = Journal(tmp_path / "journal")
    for each in [*some(200), call(retries=2**63), call(latency_ms="fast")]:
        journal.append(each)
    journal.close()
    url = f"clickhouse://outlay:secret@127.0.0.1:{served.port}/{ledger.place.database}"
    shipper = Shipper(tmp_path / "journal", Offsets(tmp_path, url), lambda: ledger)
    for how in ("unread", "unheard", "unanswered"):
        served.faults.append(Fault("INSERT", how, times=5))
        assert shipper.run().error is not None
        served.faults.clear()
    done = shipper.run()
    assert (done.dead, done.error, shipper.pending()) == (2, None, 0)
    assert ledger.rows(Query()).total["calls"] == 200
    assert ledger.conflicts() == 0


class TestSelecting(SelectingContract):
    """SQL of one's own, over HTTP."""


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE mine (n UInt8) ENGINE = Memory",
        "DROP TABLE calls",
        "INSERT INTO scores (record_id) VALUES (generateUUIDv4())",
        "SET readonly = 0",
    ],
)
def test_the_server_itself_refuses_what_is_no_question(ledger: ClickHouseLedger, text: str) -> None:
    """By the setting that each statement of one's own carries; so it does not hang on reading it rightly."""
    client = Client(ledger.place)
    with pytest.raises(QueryError, match=r"ClickHouse says: .*readonly mode"):
        client.answer(text, READING)
    client.close()


def test_a_server_that_is_away_is_no_wrong_question(served: Front, ledger: ClickHouseLedger) -> None:
    served.faults.append(Fault("WITH CALLS", "slow", seconds=3))
    with pytest.raises(LedgerError, match=r"broke off: .*[Tt]imed? ?out"):
        ledger.select("SELECT 1 AS one")


def test_a_child_of_fork_waits_for_no_thread_of_its_parent(ledger: ClickHouseLedger) -> None:
    """A thread that was connecting just then had the lock, which nobody in the child could give back."""
    ledger.close()
    with ledger._connecting:
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            ledger.conflicts()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
