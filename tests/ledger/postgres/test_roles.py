"""The page on PostgreSQL: its roles can do what it says, and no more."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from tests.support.postgres import private

from outlay.core.errors import LedgerError
from outlay.core.query import Query
from outlay.ledger import PostgresLedger
from outlay.testing import NOON, call

PAGE = Path(__file__).parents[3] / "docs" / "postgresql.md"
BLOCK = re.compile(r"<!-- run on postgresql -->\n```sql\n(.*?)```", re.DOTALL)


@contextmanager
def by_the_page() -> Iterator[tuple[str, PostgresLedger, PostgresLedger]]:
    """Have a server with the roles of its page: its URL, and a ledger each for who writes and who reads."""
    (text,) = BLOCK.findall(PAGE.read_text("utf-8"))
    with private() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(text.encode())
        writer, reader = (
            PostgresLedger(server.url.replace("postgres@", f"{role}@"))
            for role in ("outlay", "outlay_reader")
        )
        with closing(writer), closing(reader):
            yield server.url, writer, reader


def test_the_roles_of_the_page_write_and_read() -> None:
    """The writer makes tables and partitions; the reader sees later months too, and changes nothing."""
    (text,) = BLOCK.findall(PAGE.read_text("utf-8"))
    with private() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(text.encode())
        writer, reader = (
            PostgresLedger(server.url.replace("postgres@", f"{role}@"), exact=0)
            for role in ("outlay", "outlay_reader")
        )
        with pytest.raises(LedgerError, match="permission denied"):
            reader.rows(Query())
        writer.add([call()])
        assert reader.rows(Query(("month", "user"))).total["calls"] == 1
        writer.add([call("2026-12-24T18:00:00Z"), call(NOON)])
        assert [row["month"] for row in reader.rows(Query(("month",))).rows] == ["2026-11", "2026-12"]
        assert reader.verify() == ()
        with pytest.raises(LedgerError, match="permission denied"):
            reader.add([call()])
        writer.close()
        reader.close()


def test_a_role_that_may_not_use_the_schema_is_told_so_and_loses_no_call() -> None:
    """Its tables were made as temporary ones: each call that it shipped went with the session, as kept."""
    with private() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA outlay; CREATE ROLE stranger LOGIN")
        stranger = PostgresLedger(server.url.replace("postgres@", "stranger@"))
        for _ in range(2):
            with pytest.raises(LedgerError, match="permission denied for schema outlay"):
                stranger.rows(Query())
            with pytest.raises(LedgerError, match="permission denied for schema outlay"):
                stranger.add([call()])
        with pytest.raises(LedgerError, match="permission denied for schema outlay"):
            stranger.migrate()
        stranger.close()


def test_a_schema_that_an_administrator_made_needs_no_right_on_the_database() -> None:
    """Where it is not there, a role without CREATE on the database is told so, and nothing is made."""
    with private() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE team LOGIN")
        url = server.url.replace("postgres@", "team@")
        ledger = PostgresLedger(f"{url}{'&' if '?' in url else '?'}schema=team_a")
        with closing(ledger):
            with pytest.raises(LedgerError, match="permission denied for database") as refused:
                ledger.add([call()])
            assert "\n" not in str(refused.value)
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("CREATE SCHEMA team_a AUTHORIZATION team")
            ledger.add([call()])
            assert ledger.rows(Query()).total["calls"] == 1


def test_who_does_not_own_the_tables_is_told_that_they_were_not_written_anew() -> None:
    """PostgreSQL only warns of it, if it may, so that a compact had told of two sizes as if it had worked."""
    with by_the_page() as (url, writer, reader):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER ROLE ALL SET client_min_messages = error")
        writer.add([call(), call("2026-01-24T18:00:00Z")])
        assert writer.prune(datetime(2026, 2, 1, tzinfo=UTC)).calls == 1
        with pytest.raises(LedgerError, match="permission denied to vacuum"):
            reader.compact()
        assert writer.compact().before is not None
