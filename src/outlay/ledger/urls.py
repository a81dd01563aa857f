"""A ledger by its URL."""

from pathlib import Path

from outlay.core.addresses import MEMORY, is_path, is_server, named
from outlay.core.errors import NotSupportedError
from outlay.core.ports import Ledger
from outlay.ledger.duck import DuckLedger
from outlay.ledger.memory import MemoryLedger
from outlay.ledger.postgres import PostgresLedger

_POSTGRES = frozenset(("postgresql", "postgres"))


def open_ledger(url: str | None, *, home: Path) -> Ledger:
    """Open the ledger that a URL names: None is the embedded one in ``home``, a path the one in that folder.

    Raises:
        NotSupportedError: it names a ledger in somebody else's settings.
        SettingsError: that is no URL of a ledger.
    """
    if url is None:
        return DuckLedger(home)
    name = named(url)
    if name == MEMORY:
        return MemoryLedger()
    if is_path(name):
        return DuckLedger(Path(name).expanduser())
    if not is_server(name):
        raise NotSupportedError(
            "django: is not opened from here; outlay.open() looks up which PostgreSQL it names"
        )
    if name.partition(":")[0].lower() in _POSTGRES:
        return PostgresLedger(name)
    from outlay.ledger.clickhouse import ClickHouseLedger, place_of  # noqa: PLC0415 - who has no server loads none

    return ClickHouseLedger(place_of(name))
