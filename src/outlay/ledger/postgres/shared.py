"""What many calls share, each kept once and named by a number: kinds, and prices with their rates."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

from outlay.ledger.postgres.connection import Connection
from outlay.ledger.postgres.texts import json_text

_MOST = 50_000  # numbers that are remembered; then all are asked for anew


class Numbers:
    """The numbers of the rows of one table, by a key that such a row is made of.

    What is remembered holds only as long as the rows do, so it has to be forgotten with a transaction that
    failed and with a connection that was lost.
    """

    def __init__(
        self, table: str, columns: Sequence[str], row_of: Callable[[Any], Sequence[str | bool | None]]
    ) -> None:
        names = ", ".join(("digest", *columns))
        marks = ", ".join("?" * (1 + len(columns)))
        self._insert = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (digest) DO NOTHING"  # noqa: S608  # our own names
        self._ask = f"SELECT digest, id FROM {table} WHERE digest = ANY(CAST(? AS UUID[]))"  # noqa: S608  # likewise
        self._row_of = row_of
        self.known: dict[Hashable, int] = {}

    def learn(self, connection: Connection, keys: Iterable[Hashable]) -> None:
        """Have the numbers of at least these keys known; rows that are not there yet are made."""
        wanted = set(keys)
        if len(self.known) > _MOST:
            self.known = {}
        missing = wanted - self.known.keys()
        if missing:
            self._learn(connection, missing)

    def _learn(self, connection: Connection, missing: set[Hashable]) -> None:
        rows = {key: list(self._row_of(key)) for key in missing}
        digests = {key: _digest(row) for key, row in rows.items()}
        found = self._numbers(connection, digests.values())
        for key, row in rows.items():
            if digests[key] not in found:
                connection.run(self._insert, [digests[key], *row])
        found = self._numbers(connection, digests.values())
        self.known.update({key: found[digest] for key, digest in digests.items()})

    def _numbers(self, connection: Connection, digests: Iterable[str]) -> dict[str, int]:
        return {str(digest): number for digest, number in connection.all(self._ask, [list(digests)])}

    def forget(self) -> None:
        """Remember nothing any more."""
        self.known = {}


def _digest(row: Sequence[str | bool | None]) -> str:
    return str(UUID(bytes=blake2b(json_text(row).encode(), digest_size=16).digest()))
