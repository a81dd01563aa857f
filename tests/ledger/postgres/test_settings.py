"""What an administrator set for a role or a database changes no answer and loses nothing, or is refused."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from urllib.parse import quote

import psycopg
import pytest
from tests.ledger.postgres.test_roles import by_the_page
from tests.support.postgres import private

from outlay.core.errors import LedgerError
from outlay.core.query import Query
from outlay.core.record import Score
from outlay.ledger import PostgresLedger
from outlay.testing import NOON, asked, call, calls


@contextmanager
def with_setting(url: str, setting: str) -> Iterator[PostgresLedger]:
    """Have the ledger as a role has it for whom that was set."""
    with closing(PostgresLedger(f"{url}&options={quote(f'-c {setting}')}")) as ledger:
        yield ledger


def test_digits_that_a_role_does_not_show_are_not_missing(url: str) -> None:
    """With them a latency was another one, and a call that came again a conflict."""
    record = call(latency_ms=144.08803418803421, quality_score=0.123456789012345678)
    with with_setting(url, "extra_float_digits=-15") as ledger:
        assert (ledger.add([record]), ledger.add([record]), ledger.conflicts()) == (1, 0, 0)
        assert calls(ledger) == [record]
        assert ledger.rows(Query()).total["avg_latency_ms"] == 144.08803418803421


def test_what_nobody_judged_is_no_text_where_arrays_of_a_role_know_no_nulls(url: str) -> None:
    """The server refused each judgement that left something out, and with it whatever came beside it."""
    record = call()
    with with_setting(url, "array_nulls=off") as ledger:
        ledger.add([record, Score(record_id=record.id, at=NOON, correct=True)])
        assert calls(ledger)[0].correct is True


@pytest.mark.parametrize("how", ["role", "machine"])
def test_texts_are_the_same_in_whatever_encoding_a_role_or_a_machine_speaks(
    url: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were kept in a mangled form, which that role alone read back as it was."""
    if how == "machine":
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with with_setting(url, "client_encoding=LATIN1" if how == "role" else "jit=off") as ledger:
        ledger.add([call(user="Zoë")])
    monkeypatch.delenv("PGCLIENTENCODING", raising=False)
    with closing(PostgresLedger(url)) as ledger:
        ledger.add([call(user="Zoë")])
        assert asked(ledger, "user")["Zoë"]["calls"] == 2


def test_a_policy_that_hides_calls_is_refused_and_no_part_is_told_as_the_whole() -> None:
    """Of calls by a question, and to a writer, who would not see which ones are there."""
    hide = """ALTER TABLE outlay.records ENABLE ROW LEVEL SECURITY;
        ALTER TABLE outlay.records FORCE ROW LEVEL SECURITY;
        CREATE POLICY newer ON outlay.records USING ("at" > '2100-01-01')"""
    with by_the_page() as (url, writer, reader):
        writer.add([call(NOON - timedelta(days=n)) for n in range(3)])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(hide.encode())
        for refused in (
            lambda: calls(reader, limit=None),
            lambda: writer.rows(Query()),
            lambda: writer.add([call(NOON - timedelta(days=2))]),
        ):
            with pytest.raises(LedgerError, match="row-level security policy"):
                refused()


def test_names_that_a_role_shows_in_quotation_marks_are_known(url: str) -> None:
    """The table of a month was not found again: each batch of a new session was refused."""
    for _ in range(2):
        with with_setting(url, "quote_all_identifiers=on") as ledger:
            assert ledger.add([call(), call(NOON - timedelta(days=40))]) == 2


def test_what_was_answered_as_kept_is_on_the_server_s_disk_whatever_a_role_says_of_commits() -> None:
    """The journal's offset moves then: a server that failed a moment later had lost what was told as kept."""
    settings = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "wal_writer_delay=10s")
    with private(settings=settings) as server:
        with closing(PostgresLedger(server.url)) as ledger:
            ledger.add([call()])
            ledger.add([call()])
            server.stop(at_once=True)
        server.start()
        with closing(PostgresLedger(server.url)) as ledger:
            assert ledger.rows(Query()).total["calls"] == 2
