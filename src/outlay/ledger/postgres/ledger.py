"""The ledger in a PostgreSQL database: many hosts write to it, many ask."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from outlay.core.errors import MissingExtraError
from outlay.core.record import Entry
from outlay.ledger.answering import Answering
from outlay.ledger.postgres.place import Place

if TYPE_CHECKING:
    from outlay.ledger.postgres.connection import Connection
    from outlay.ledger.postgres.load import Loader


class PostgresLedger(Answering):
    """A ledger in a schema of a database; a ``core.ports.Ledger``.

    It connects when it is first used, and again after the server went away. Writers take turns, for which
    each waits at most ``patience`` seconds; who asks waits for nobody.
    """

    def __init__(self, url: str, *, patience: float = 30.0) -> None:
        self._place = Place.of(url)
        self._patience = patience
        self._connection: Connection | None = None
        self._loader: Loader | None = None
        self._mine = threading.Lock()  # one connection does one thing at a time

    @property
    def url(self) -> str:
        """Where the ledger is, without the password."""
        return self._place.shown

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new, all or none; give how many records were new.

        Raises:
            LedgerBusyError: others were writing for longer than our patience.
            RefusedEntryError: an entry cannot be kept.
            LedgerError: the server cannot be reached, or refuses.
        """
        with self._mine:
            connection = self._opened()
            if self._loader is None:
                from outlay.ledger.postgres.load import Loader  # noqa: PLC0415 - needs the extra

                self._loader = Loader()
            try:
                with connection.writing():
                    return self._loader.add(connection, entries)
            except BaseException:
                self._loader.forget()
                raise

    def close(self) -> None:
        """Let go of the connection; the next question would make another."""
        with self._mine:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def _turn(self, *, fresh: bool = True) -> "Iterator[Connection]":  # noqa: ARG002 - what is kept is always fresh
        """Ask about one state.

        Raises:
            LedgerError: the server cannot be reached, or refuses.
        """
        with self._mine, self._opened().reading() as connection:
            yield connection

    def _opened(self) -> "Connection":
        if self._connection is None:
            try:
                from outlay.ledger.postgres.connection import Connection  # noqa: PLC0415 - an extra
            except ImportError as error:
                raise MissingExtraError.of("postgresql", "psycopg") from error
            self._connection = Connection(self._place, patience=self._patience)
        return self._connection
