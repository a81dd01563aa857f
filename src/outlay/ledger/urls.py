"""A ledger by its URL."""

import re
from pathlib import Path

from outlay.core.addresses import check_address
from outlay.core.errors import NotSupportedError, SettingsError
from outlay.core.ports import Ledger
from outlay.ledger.duck import DuckLedger
from outlay.ledger.memory import MemoryLedger
from outlay.ledger.postgres import PostgresLedger

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)  # one letter alone is a Windows drive
_POSTGRES = frozenset(("postgresql", "postgres"))
_CLICKHOUSE = frozenset(("clickhouse", "clickhouses", "chdb"))
_LATER = frozenset(("django",))


def open_ledger(url: str | None, *, home: Path) -> Ledger:
    """Open the ledger that a URL names: None is the embedded one in ``home``, a path the one in that folder.

    Raises:
        NotSupportedError: it names a ledger in somebody else's settings.
        SettingsError: that is no URL of a ledger.
    """
    if url is None:
        return DuckLedger(home)
    found = _SCHEME.fullmatch(url.strip())
    if found is None and url.strip():
        return DuckLedger(Path(url.strip()).expanduser())
    scheme = "" if found is None else found[1].lower()
    if scheme in _POSTGRES | _CLICKHOUSE - {"chdb"}:
        check_address(url)
    if scheme in _POSTGRES:
        return PostgresLedger(url.strip())
    if scheme in _CLICKHOUSE:
        from outlay.ledger.clickhouse import ClickHouseLedger, place_of  # noqa: PLC0415 - who has no server loads none

        return ClickHouseLedger(place_of(url.strip()))
    if scheme in _LATER:
        raise NotSupportedError(
            f"{scheme}: is not opened from here; outlay.open() looks up which PostgreSQL it names"
        )
    if found is not None and scheme == "memory" and not found[2].strip("/"):
        return MemoryLedger()
    raise SettingsError(
        f"{url!r:.80} names no ledger; write a folder's path, the URL of a server, or memory:"
    )
