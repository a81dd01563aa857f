"""A PostgreSQL server for all tests of a run, and an empty ledger in a schema of its own for each."""

from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from tests.support.postgres import shared

from outlay.ledger import PostgresLedger


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with shared() as url:
        yield url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """Name an empty ledger."""
    schema = f"t {uuid4().hex[:12]}"  # a name that has to be quoted
    yield f"{server}{'&' if '?' in server else '?'}schema={quote(schema)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


@pytest.fixture
def ledger(url: str) -> Iterator[PostgresLedger]:
    ledger = PostgresLedger(url)
    yield ledger
    ledger.close()
