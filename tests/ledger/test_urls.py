"""A ledger by its URL."""

from pathlib import Path

import pytest

from outlay.core.errors import NotSupportedError, SettingsError
from outlay.ledger import DuckLedger, MemoryLedger, PostgresLedger, open_ledger


def test_without_a_url_it_is_the_embedded_one_at_home(tmp_path: Path) -> None:
    ledger = open_ledger(None, home=tmp_path)
    assert isinstance(ledger, DuckLedger)
    assert ledger.folder == tmp_path
    assert list(tmp_path.iterdir()) == []  # opening touches nothing


@pytest.mark.parametrize("url", ["somewhere/else", "./x", "/var/lib/outlay", "C:\\outlay"])
def test_a_bare_path_is_the_embedded_one_there(url: str) -> None:
    ledger = open_ledger(url, home=Path("home"))
    assert isinstance(ledger, DuckLedger)
    assert ledger.folder == Path(url)


def test_memory_is_in_memory() -> None:
    assert isinstance(open_ledger("memory:", home=Path("home")), MemoryLedger)


@pytest.mark.parametrize("url", ["django:"])
def test_what_another_names_says_so_in_a_line(url: str) -> None:
    with pytest.raises(NotSupportedError, match=r"outlay.open\(\) looks up") as error:
        open_ledger(url, home=Path("home"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["", " ", "mysql://host/db", "memory:x", "http://host"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="names no ledger"):
        open_ledger(url, home=Path("home"))


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "postgres://me:secret@host/db"])
def test_a_server_is_named_without_its_password_and_not_touched_yet(url: str) -> None:
    ledger = open_ledger(url, home=Path("home"))
    assert isinstance(ledger, PostgresLedger)
    assert ledger.url == "postgresql://me@host/db"
