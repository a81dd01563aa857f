"""Values on their way between psycopg and us: texts in UTF-8 with any character, JSON as it was written."""

from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.adapt import Dumper, Loader

from outlay.ledger.postgres.texts import Written, escaped, restored, restored_json


def adapt(made: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """Have a new connection take and give values as ours are."""
    for name in ("json", "text", "varchar", "name"):
        made.adapters.register_loader(name, _JsonLoader if name == "json" else _TextLoader)
    made.adapters.register_loader("jsonb", _TagsLoader)
    made.adapters.register_dumper(str, _TextDumper)
    made.adapters.register_dumper(Written, _WrittenDumper)
    _take_texts_as_they_are(made)


def _take_texts_as_they_are(connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """Have the server convert no text, whatever a role or this machine says of encodings; ours are UTF-8."""
    kept, taken = (connection.info.parameter_status(f"{side}_encoding") for side in ("server", "client"))
    if kept is not None and kept != taken:
        connection.execute(sql.SQL("SET client_encoding = {}").format(sql.Literal(kept)))


class _TextDumper(Dumper):
    """Texts as parameters; a NUL is written in another way."""

    def dump(self, obj: str) -> bytes:
        return escaped(obj).encode()


class _WrittenDumper(Dumper):
    """JSON, as it was written."""

    def dump(self, obj: Written) -> bytes:
        return obj.encode()


class _TextLoader(Loader):
    """Texts as they were."""

    def load(self, data: bytes | bytearray | memoryview) -> str:
        return restored(bytes(data).decode())


class _JsonLoader(Loader):
    """JSON as its text, which is read where a record is made of it."""

    def load(self, data: bytes | bytearray | memoryview) -> str:
        return restored_json(bytes(data).decode())


class _TagsLoader(Loader):
    """Tags, the one column of type jsonb, as a mapping."""

    def load(self, data: bytes | bytearray | memoryview) -> dict[str, str]:
        return dict(orjson.loads(restored_json(bytes(data).decode())))
