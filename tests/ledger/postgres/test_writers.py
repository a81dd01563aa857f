"""Several writers at once, servers that go away and come back, and what a ledger refuses in one line."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta, timezone
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql
from tests.support.ports import free_port
from tests.support.postgres import Server, private

from outlay.core.errors import (
    LedgerBusyError,
    LedgerError,
    LedgerSchemaError,
    RefusedEntryError,
    SettingsError,
)
from outlay.core.query import Query
from outlay.core.record import Revision
from outlay.ledger import PostgresLedger
from outlay.ledger.postgres.retention import prune
from outlay.testing import NOON, call, calls

WRITER = """
import random, sys
from datetime import timedelta
from outlay.core.ids import uuid7
from outlay.ledger import PostgresLedger
from outlay.ledger.postgres.retention import prune
from outlay.testing import NOON, call
url, seed = sys.argv[1:]
def at(n):
    return NOON - timedelta(days=n % 100)
records = [call(at(n), id=uuid7(at(n), n.to_bytes(10)), model=f"m{n % 7}") for n in range(1200)]
random.Random(seed).shuffle(records)
ledger = PostgresLedger(url)
new = 0
for start in range(0, len(records), 60):
    new += ledger.add(records[start:start + 60])
print(new)
"""


def test_four_processes_that_write_the_same_calls_keep_each_once(url: str, ledger: PostgresLedger) -> None:
    """In any order, into months that none of them had a partition for; none waits for another for ever."""
    command = [sys.executable, "-c", WRITER, url]
    started = [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(4)
    ]
    new = [int(each.communicate(timeout=120)[0]) for each in started]
    assert sum(new) == 1200
    assert [each.returncode for each in started] == [0] * 4
    assert ledger.rows(Query()).total["calls"] == 1200
    assert {row["calls"] for row in ledger.rows(Query(by=("model",))).rows} == {171, 172}
    assert (ledger.conflicts(), ledger.verify()) == (0, ())


def test_who_waits_too_long_for_other_writers_is_told(url: str) -> None:
    ledger = PostgresLedger(url, patience=0.1)
    ledger.add([call()])
    other = PostgresLedger(url)
    holding, done = threading.Event(), threading.Event()

    def held() -> Iterator[object]:
        yield call()
        holding.set()
        done.wait(30)

    thread = threading.Thread(target=lambda: other.add(held()))  # type: ignore[arg-type] # one entry
    thread.start()
    assert holding.wait(30)
    with pytest.raises(LedgerBusyError, match=r"others have been writing .* 0\.1 seconds; try again"):
        ledger.add([call()])
    assert ledger.rows(Query()).total["calls"] == 1  # who asks waits for nobody
    done.set()
    thread.join()
    assert ledger.rows(Query()).total["calls"] == 2
    ledger.close()
    other.close()


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_who_waited_for_a_prune_knows_of_it_whatever_the_servers_default(
    monkeypatch: pytest.MonkeyPatch, url: str, isolation: str
) -> None:
    """A transaction whose state is that of its first question would have put a call into a pruned day."""
    option = isolation.replace(" ", "\\ ")
    monkeypatch.setenv("PGOPTIONS", f"-c default_transaction_isolation={option}")
    ledger, other = PostgresLedger(url), PostgresLedger(url)
    old = NOON - timedelta(days=9)
    ledger.add([call(old, cost="1"), call(cost="2")])
    assert other.conflicts() == 0
    slow = threading.Thread(target=other.add, args=([call(old, cost="4")],))
    with ledger._opened().writing() as connection:
        slow.start()
        while not connection.all("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            time.sleep(0.01)
        assert prune(connection, NOON, dry_run=False).calls == 1
    slow.join()
    assert (ledger.info().late, ledger.info().calls, ledger.verify()) == (1, 1, ())
    assert ledger.rows(Query()).total["cost"] == Decimal(3)
    ledger.close()
    other.close()


def test_of_entries_with_one_that_cannot_be_kept_none_is(ledger: PostgresLedger) -> None:
    with pytest.raises(RefusedEntryError, match="no id of a record"):
        ledger.add([call(), call(id="no uuid")])
    with pytest.raises(RefusedEntryError, match="cannot be kept") as error:
        ledger.add([call(model="another kind"), call(retries=10**30)])
    assert "\n" not in str(error.value)
    assert ledger.rows(Query()).total["calls"] == 0
    assert ledger.add([call(model="another kind")]) == 1
    assert calls(ledger)[0].model == "another kind"


def test_a_cost_that_was_reckoned_in_another_zone_is_as_new_as_it_is(ledger: PostgresLedger) -> None:
    """Nine hours ahead, an hour after noon is told as ten in the evening."""
    record = call()
    there = (NOON + timedelta(hours=1)).astimezone(timezone(timedelta(hours=9)))
    costs = {there: "2", NOON + timedelta(hours=2): "3"}
    said = [Revision(record_id=record.id, at=at, charge=call(cost=cost).charge) for at, cost in costs.items()]
    ledger.add([record, *said])
    assert [each.at for each in ledger.revisions(record.id)] == [record.at, *costs]
    assert ledger.rows(Query()).total["cost"] == 3


def test_calls_of_all_times_have_their_partition(server: str, ledger: PostgresLedger) -> None:
    """Months are made as they come; what is before 2020 or from 2040 on by its id has two more."""
    days = ("2019-12-31", "2020-01-01", "2026-02-28", "2039-12-31", "2040-01-01")
    records = [call(f"{day}T23:59:59Z") for day in days]
    odd = call(NOON, id="f47ac10b-58cc-4372-a567-0e02b2c3d479")  # a UUIDv4: its time is no time
    assert ledger.add([*records, odd]) == 6
    assert {record.id for record in calls(ledger)} == {record.id for record in (*records, odd)}
    with psycopg.connect(server) as connection:
        found = connection.execute(
            "SELECT DISTINCT split_part(c.oid::regclass::text, '.', 2) FROM pg_class c"
            " JOIN pg_inherits ON inhrelid = c.oid JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = %s AND relkind = 'r'",
            [ledger.schema],
        ).fetchall()
    months = {"records_2020_01", "records_2026_02", "records_2039_12"}
    assert {name for (name,) in found} == months | {"records_early", "records_late"}


def test_a_ledger_of_a_newer_outlay_is_refused(server: str, ledger: PostgresLedger) -> None:
    ledger.add([call()])
    with psycopg.connect(server, autocommit=True) as connection:
        table = sql.Identifier(ledger.schema, "outlay_schema")
        connection.execute(sql.SQL("INSERT INTO {} VALUES (999)").format(table))
    for ask in (lambda: ledger.rows(Query()), lambda: ledger.add([call()]), ledger.migrate):
        with pytest.raises(LedgerSchemaError, match=r"newer outlay .schema 999.*upgrade"):
            ask()


def test_a_server_that_is_not_there_is_told_in_one_line_without_the_password() -> None:
    ledger = PostgresLedger(f"postgresql://me:hunter2@127.0.0.1:{free_port()}/db")
    with pytest.raises(LedgerError, match=r"postgresql://me@127\.0\.0\.1.*refused") as error:
        ledger.rows(Query())
    assert "hunter2" not in repr(error.value)
    assert "\n" not in str(error.value)
    assert error.value.__cause__ is None  # the driver's own error might quote it


@pytest.mark.parametrize(
    "url", ["postgresql://me:hunter2@host:port/db", "postgresql://me:hunter2@/db?no_such=1"]
)
def test_a_url_that_the_driver_refuses_is_told_without_the_password(url: str) -> None:
    with pytest.raises(LedgerError) as error:
        PostgresLedger(url).rows(Query())
    assert "hunter2" not in str(error.value)


def test_a_schema_that_cannot_be_is_refused() -> None:
    with pytest.raises(SettingsError, match="no name of a schema"):
        PostgresLedger(f"postgresql://host/db?schema={'x' * 64}")


def test_a_child_of_fork_makes_a_connection_of_its_own(ledger: PostgresLedger) -> None:
    ledger.add([call()])
    child = os.fork()
    if child == 0:
        ledger.add([call()])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ledger.rows(Query()).total["calls"] == 2


def test_a_child_of_fork_waits_for_no_thread_of_its_parent(ledger: PostgresLedger) -> None:
    """A thread that had asked just then had the turn, which nobody in the child could give back."""
    ledger.add([call()])
    with ledger._turn():
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            ledger.add([call()])
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ledger.rows(Query()).total["calls"] == 2


@pytest.fixture
def own() -> Iterator[Server]:
    with private(port=free_port()) as server:
        yield server


def test_a_server_that_is_restarted_under_load_loses_and_doubles_nothing(own: Server) -> None:
    """Thrice in the middle of writing, as when the machine fails; what was not confirmed comes again."""
    records = [call(NOON + timedelta(seconds=n)) for n in range(3000)]
    batches = [records[start : start + 20] for start in range(0, len(records), 20)]
    failed = []

    def write() -> None:
        ledger = PostgresLedger(own.url)
        for batch in batches:
            while True:
                try:
                    ledger.add(batch)
                    break
                except LedgerError as error:
                    failed.append(str(error))
                    time.sleep(0.05)
        ledger.close()

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(3):
        time.sleep(0.4)
        own.stop(at_once=True)
        own.start()
    writer.join(120)
    reader = PostgresLedger(own.url)
    assert reader.rows(Query()).total["calls"] == 3000
    assert (reader.conflicts(), reader.verify()) == (0, ())
    own.stop()
    own.start()
    assert reader.rows(Query()).total["calls"] == 3000  # on a new connection, which it made itself
    reader.close()
    assert all("\n" not in each and "secret" not in each for each in failed)
