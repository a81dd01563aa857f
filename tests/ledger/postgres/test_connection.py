"""The connection to PostgreSQL: what breaks under it is told, and the next question makes another."""

import sys

import psycopg
import pytest

from outlay.core.errors import LedgerError, MissingExtraError
from outlay.core.query import Query
from outlay.ledger import PostgresLedger
from outlay.ledger.migrations import Migrating, watched
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.postgres.notices import heard, warned
from outlay.testing import call


@pytest.fixture
def connection(ledger: PostgresLedger) -> Connection:
    """Give a ledger's connection, with its tables made."""
    assert ledger.add([call()]) == 1
    found = ledger._opened()
    assert isinstance(found, Connection)
    return found


def test_what_failed_is_told_and_not_that_the_server_went_away_meanwhile(
    ledger: PostgresLedger, connection: Connection, server: str
) -> None:
    def fail_without_a_server() -> None:
        with connection.reading() as tables:
            ((backend,),) = tables.all("SELECT pg_backend_pid()")
            with psycopg.connect(server, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
            raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        fail_without_a_server()
    assert ledger.rows(Query()).total["calls"] == 1


def test_a_server_that_goes_away_under_a_question_of_ones_own_is_no_wrong_question(
    ledger: PostgresLedger, connection: Connection
) -> None:
    with pytest.raises(LedgerError, match="terminating connection") as error:
        ledger.select("SELECT pg_terminate_backend(pg_backend_pid())")
    assert type(error.value) is LedgerError
    assert ledger.rows(Query()).total["calls"] == 1


def test_a_server_that_takes_over_without_the_last_transactions_is_asked_for_all_numbers_anew(
    ledger: PostgresLedger, connection: Connection, server: str
) -> None:
    """A kind of calls that it lacks would else be named by the number that another kind gets there."""
    with connection.reading() as asked:
        ((backend,),) = asked.all("SELECT pg_backend_pid()")
    tables = ("records", "kinds", "prices", "hours", "latencies", "hour_latencies")
    lost = ", ".join(f'"{ledger.schema}".{table}' for table in tables)
    with psycopg.connect(server, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        other.execute(f"TRUNCATE {lost} RESTART IDENTITY".encode())
    assert ledger.add([call(model="first"), call()]) == 2
    assert {row["model"] for row in ledger.rows(Query(("model",))).rows} == {"first", call().model}
    assert ledger.verify() == ()


def test_who_asks_after_the_connection_was_closed_is_told(connection: Connection) -> None:
    connection.close()
    with pytest.raises(LedgerError, match="the connection was closed"):
        connection.all("SELECT 1")


def test_a_statement_whose_answer_nobody_waits_for_is_in_no_later_one_s_way(
    ledger: PostgresLedger, connection: Connection
) -> None:
    """Ctrl-C just as a transaction began left it so: each question of a notebook failed from then on."""
    assert connection._psycopg is not None
    connection._psycopg.pgconn.send_query(b"SELECT pg_sleep(30)")
    assert ledger.rows(Query()).total["calls"] == 1
    assert ledger.add([call()]) == 1


def test_a_forked_child_lets_its_parents_connection_be(connection: Connection) -> None:
    parents = connection._psycopg
    assert parents is not None
    connection._process = -1  # as if another process had made it
    connection.close()
    assert not parents.closed
    parents.close()


def test_what_else_a_server_says_during_a_migration_is_no_progress(connection: Connection) -> None:
    told: list[float] = []
    steps = Migrating([(2, "the only step")], 1, "here")
    with (
        watched(lambda progress: told.append(progress.part)),
        connection.reading() as tables,
        heard(tables._open, steps),
    ):
        for said in ("hello", "outlay: 1 of 4"):
            tables._open.execute(f"DO $$ BEGIN RAISE NOTICE '{said}'; END $$".encode())
    assert told == [0.25]


def test_what_a_server_says_beside_its_warnings_is_none(connection: Connection) -> None:
    with connection.reading() as tables, warned(tables._open) as warnings:
        for level in ("NOTICE", "WARNING"):
            tables._open.execute(f"DO $$ BEGIN RAISE {level} 'a {level}'; END $$".encode())
    assert warnings == ["a WARNING"]


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "outlay.ledger.postgres.connection", None)
    with pytest.raises(MissingExtraError, match=r"psycopg is not installed.*outlay\[postgresql\]"):
        PostgresLedger("postgresql://nobody/here").rows(Query())


@pytest.mark.parametrize("pipelines", [True, False])
def test_what_is_done_while_the_server_works_is_done_once_whatever_the_library_can(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, *, pipelines: bool
) -> None:
    monkeypatch.setattr(psycopg.Pipeline, "is_supported", lambda: pipelines)
    done: list[str] = []
    with connection.reading() as tables:
        found = tables.all_while(lambda: done.append("work"), "SELECT ? + 1", [41])
    assert (found, done) == ([(42,)], ["work"])


@pytest.mark.parametrize(("more", "name"), [("", "outlay"), ("&application_name=billing", "billing")])
def test_what_a_url_says_of_the_connection_holds(url: str, more: str, name: str) -> None:
    ledger = PostgresLedger(f"{url}{more}&connect_timeout=3&keepalives_idle=7")
    found = ledger._opened()
    assert isinstance(found, Connection)
    with found.reading() as tables:
        assert tables.all("SHOW application_name") == [(name,)]
        told = tables._open.info.get_parameters()
    ledger.close()
    assert (told["connect_timeout"], told["keepalives_idle"]) == ("3", "7")
