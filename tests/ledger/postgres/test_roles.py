"""The page on PostgreSQL: its roles can do what it says, and no more."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.command import clean_environ
from tests.support.postgres import private

from outlay.cli.doctor_servers import typed
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


def refused(ask: Callable[[], object]) -> str:
    """Have a ledger refuse something; give its one line."""
    with pytest.raises(LedgerError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    return str(caught.value)


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
        for first in (lambda: reader.rows(Query()), reader.info, reader.migrate, reader.compact):
            told = refused(first)
            assert "permission denied for schema outlay; this role may not make the tables" in told
            assert "first run outlay ledger migrate --ledger URL, or outlay ship" in told
        writer.add([call()])
        assert reader.rows(Query(("month", "user"))).total["calls"] == 1
        writer.add([call("2026-12-24T18:00:00Z"), call(NOON)])
        assert [row["month"] for row in reader.rows(Query(("month",))).rows] == ["2026-11", "2026-12"]
        assert reader.verify() == ()
        may_not = "this role may not write there: the role that owns the tables may"
        assert refused(lambda: reader.add([call()])).endswith(
            f"permission denied for table records; {may_not}"
        )
        told = refused(lambda: reader.prune(NOON))
        assert told.endswith(f"permission denied for table rollups; {may_not}")
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
        told = refused(lambda: stranger.rows(Query()))
        assert "this role may not read there: the owner of the schema lets it, by GRANT USAGE" in told
        stranger.close()


def test_a_schema_that_an_administrator_made_needs_no_right_on_the_database() -> None:
    """Where it is not there, a role without CREATE on the database is told so, and nothing is made."""
    with private() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE team LOGIN")
        url = server.url.replace("postgres@", "team@")
        ledger = PostgresLedger(f"{url}{'&' if '?' in url else '?'}schema=team_a")
        with closing(ledger):
            told = refused(lambda: ledger.add([call()]))
            assert "permission denied for database" in told
            assert 'an administrator does, by CREATE SCHEMA "team_a" AUTHORIZATION the role' in told
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
        told = refused(reader.compact)
        assert "permission denied to vacuum" in told or "can vacuum it" in told  # PostgreSQL 17 and before
        assert told.endswith("; this role may not compact: the role that owns the tables may")
        assert writer.compact().before is not None


def test_a_reader_of_a_newer_outlay_is_told_who_brings_the_tables_up_to_date() -> None:
    with by_the_page() as (url, writer, reader):
        writer.add([call()])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DELETE FROM outlay.outlay_schema WHERE version > 4")
        told = refused(lambda: reader.rows(Query()))
        assert "this role may not bring the tables to the form that this outlay knows" in told
        assert told.endswith("outlay ledger migrate --ledger URL as the role that owns them")


def test_what_a_policy_refuses_is_not_told_as_a_right_that_somebody_grants() -> None:
    """It has the same code, and no grant mends it."""
    with by_the_page() as (url, writer, reader):
        writer.add([call()])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER TABLE outlay.hours ENABLE ROW LEVEL SECURITY")
        told = refused(lambda: reader.rows(Query(("day",))))
        assert "policy" in told
        assert "this role may not" not in told


def test_no_refusal_shows_the_password() -> None:
    with by_the_page() as (url, writer, _):
        secret = "never-shown"  # noqa: S105  # of nobody
        reader = PostgresLedger(url.replace("postgres@", f"outlay_reader:{secret}@"))
        with closing(reader):
            told = [refused(reader.info)]
            writer.add([call()])
            told += [refused(reader.compact), refused(lambda: reader.prune(NOON))]
            assert not any(secret in line for line in told)


def test_doctor_says_what_a_role_that_may_only_read_needs_before_the_tables_are_there() -> None:
    """It proposed to make the reader the owner of the schema, and no more."""
    with by_the_page() as (url, _, reader):
        what, do = typed(url, refused(reader.info))
        assert what == f"{url} cannot be asked (permission denied for schema outlay)"
        assert do.startswith("have the schema's owner run outlay ledger migrate, or")


def doctor_of(home: Path, *typed: str, ledger: str = "") -> tuple[int, list[dict[str, Any]]]:
    """Ask doctor in a process of its own: its exit code, and what it found that is no note."""
    done = subprocess.run(
        [sys.executable, "-m", "outlay", "doctor", "--json", *typed], capture_output=True, text=True,
        env={**clean_environ(home), "OUTLAY_HOME": str(home), "OUTLAY_LEDGER": ledger}, cwd=home, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)["findings"]
    return done.returncode, [each for each in found if each["level"] != "note"]


def test_lines_that_a_role_may_not_write_are_a_fault_and_a_reader_is_told_the_right_it_lacks(
    tmp_path: Path,
) -> None:
    """Doctor ended with 0 while no call arrived, and told who may not read to have a user that may write."""
    with by_the_page() as (url, writer, _):
        writer.add([call()])
        reading = url.replace("postgres@", "outlay_reader@")
        program = "import outlay; outlay.record(provider='p', model='m', cost=0); outlay.flush()"
        environ = {**clean_environ(tmp_path), "OUTLAY_HOME": str(tmp_path), "OUTLAY_LEDGER": reading}
        subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, check=True)
        subprocess.run(
            [sys.executable, "-m", "outlay", "ship"], env=environ, capture_output=True, check=False
        )
        code, (first, *_) = doctor_of(tmp_path, ledger=reading)
        assert (code, first["name"], first["level"]) == (1, "not shipped", "fault")
        assert "permission denied for table records" in first["what"]
        grant = "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA outlay TO outlay_reader"
        assert first["do"].startswith("name in ledger the role that owns the tables; ")
        assert first["do"].endswith(f"{grant}, then outlay ship")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("REVOKE SELECT ON ALL TABLES IN SCHEMA outlay FROM outlay_reader")
        code, found = doctor_of(tmp_path, "--ledger", reading)
        (server,) = [each for each in found if each["name"] == "server"]
        start = "have the schema's owner run GRANT USAGE ON SCHEMA outlay TO outlay_reader; "
        assert server["do"].startswith(start)
        grants = server["do"].removeprefix("have the schema's owner run ").partition(", or ")[0]
        with psycopg.connect(url.replace("postgres@", "outlay@"), autocommit=True) as connection:
            connection.execute(grants.encode())
        assert [each["name"] for each in doctor_of(tmp_path, "--ledger", reading)[1]].count("server") == 0


def test_what_doctor_says_to_grant_lets_a_role_write_until_the_month_ends() -> None:
    """The table of a new month is made by whoever owns the tables, so the advice names that role first."""
    with by_the_page() as (url, writer, reader):
        writer.add([call()])
        with psycopg.connect(url.replace("postgres@", "outlay@"), autocommit=True) as connection:
            connection.execute("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA outlay TO outlay_reader")
        assert reader.add([call()]) == 1
        later = refused(lambda: reader.add([call(NOON + timedelta(days=60))]))
        assert "permission denied for schema outlay; this role may not write there" in later
        _, do = typed(url, later)
        assert do.startswith("name in ledger the role that owns the tables; ")
