"""A PostgreSQL server for all tests of a run, and an empty ledger in a schema of its own for each."""

from collections.abc import Iterator

import pytest
from tests.support.postgres import empty, shared

from outlay.ledger import PostgresLedger


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with shared() as url:
        yield url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with empty(server) as url:
        yield url


@pytest.fixture
def ledger(url: str) -> Iterator[PostgresLedger]:
    ledger = PostgresLedger(url)
    yield ledger
    ledger.close()
