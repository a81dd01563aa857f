"""Django's databases as fixtures: SQLite in a file, and PostgreSQL out of a wheel; empty for each test."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from tests.support import django_site
from tests.support.postgres import shared


@pytest.fixture(scope="session")
def sqlite_alias(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    django_site.use_sqlite(tmp_path_factory.mktemp("django") / "db.sqlite3")
    yield "default"
    connections.close_all()


@pytest.fixture(scope="session")
def postgresql_database() -> Iterator[dict[str, Any]]:
    """Make a database of its own on the server that all tests share, and say where it is."""
    name = f"django_{uuid4().hex[:12]}"
    with shared() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {**conninfo_to_dict(url), "dbname": name}
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgresql_alias(sqlite_alias: str, postgresql_database: dict[str, Any]) -> Iterator[str]:
    django_site.use_postgresql("postgresql", postgresql_database)
    yield "postgresql"
    connections["postgresql"].close()


def emptied(alias: str) -> Iterator[str]:
    """Give the alias of an empty table."""
    from outlay.contrib.django.models import Call  # noqa: PLC0415 - needs the settings

    Call.objects.using(alias).all().delete()
    yield alias
    Call.objects.using(alias).all().delete()


@pytest.fixture
def sqlite(sqlite_alias: str) -> Iterator[str]:
    yield from emptied(sqlite_alias)


@pytest.fixture(params=["sqlite_alias", "postgresql_alias"], ids=["sqlite", "postgresql"])
def using(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give each database in turn."""
    yield from emptied(request.getfixturevalue(request.param))
