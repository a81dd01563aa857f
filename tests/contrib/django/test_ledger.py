"""``django:`` as a ledger: in the project's own PostgreSQL, and nowhere else."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from tests.support.command import run_command

import outlay
from outlay import process
from outlay.contrib.django.ledger import _url, ledger_url
from outlay.core.errors import NotSupportedError, SettingsError
from outlay.settings import Settings


def test_a_ledger_stands_in_the_projects_database(
    postgresql_alias: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "30")
    process.use(Settings(home=tmp_path, ledger=f"django:{postgresql_alias}"))
    try:
        outlay.record(provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=500)
        with outlay.open() as ledger:
            total = ledger.report().total
        assert (total["calls"], total["cost"]) == (1, Decimal("0.0075"))
        with outlay.open(f"django:{postgresql_alias}") as ledger:
            assert type(ledger.ledger).__name__ == "PostgresLedger"
    finally:
        process.use(None)


def test_other_databases_say_that_they_cannot(sqlite_alias: str) -> None:
    with pytest.raises(
        NotSupportedError, match="'default' is sqlite3; a ledger can stand in PostgreSQL alone"
    ):
        ledger_url("django:")
    with pytest.raises(SettingsError, match="no database 'nope'; there are default"):
        ledger_url("django:nope")
    assert sqlite_alias in django_settings.DATABASES


@pytest.mark.parametrize(
    ("database", "url"),
    [
        ({"NAME": "shop"}, "postgresql:///shop"),
        ({"NAME": "shop", "HOST": "::1", "PORT": 5433}, "postgresql://[::1]:5433/shop"),
        (
            {"NAME": "s h", "USER": "me", "PASSWORD": "a/b@c", "HOST": "db.example.org", "PORT": 5433},
            "postgresql://me:a%2Fb%40c@db.example.org:5433/s%20h",
        ),
        (
            {
                "NAME": "shop",
                "USER": "me",
                "HOST": "/run/pg",
                "OPTIONS": {"sslmode": "require", "pool": True},
            },
            "postgresql://me@/shop?sslmode=require&host=%2Frun%2Fpg",
        ),
    ],
)
def test_the_url_says_what_the_settings_say(database: dict[str, Any], url: str) -> None:
    assert _url(database) == url


def test_without_the_projects_settings_one_line_says_what_to_set(tmp_path: Path) -> None:
    done = run_command(tmp_path)("report", "--ledger", "django:")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "set DJANGO_SETTINGS_MODULE" in done.stderr
