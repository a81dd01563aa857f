"""The page on PostgreSQL: its roles can do what it says, and no more."""

import re
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
