"""clickhouse-connect itself: the one file that imports it, over HTTP or over chDB's engine in process."""

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count
from types import MappingProxyType
from typing import Any, Final

from outlay.core.errors import MissingExtraError
from outlay.ledger.clickhouse.dialect import CLICKHOUSE
from outlay.ledger.clickhouse.faults import told_plainly
from outlay.ledger.clickhouse.place import Place

_SESSION: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "final": 1,  # of copies of a row one counts, merged or not
        "async_insert": 0,  # an insert that is answered is stored
        "enable_extended_results_for_datetime_functions": 1,  # days before 1970 and after 2106 too
        "aggregate_functions_null_for_empty": 1,
        "distributed_product_mode": "global",
        "distributed_foreground_insert": 1,
        "session_timezone": "UTC",
    }
)
_LIMITED: Final = ("read", "group_by", "sort", "result", "timeout", "set", "join", "transfer", "distinct")
_SERVED: Final[Mapping[str, Any]] = MappingProxyType(  # whatever a profile says
    {
        # A limit refuses an answer; a part of it is none
        **{f"{name}_overflow_mode": "throw" for name in _LIMITED},
        "read_overflow_mode_leaf": "throw",
        "timeout_overflow_mode_leaf": "throw",
        "limit": 0,
        "offset": 0,
        "additional_table_filters": "{}",
        "additional_result_filter": "",
        "skip_unavailable_shards": 0,
        "distributed_group_by_no_merge": 0,
        # An answer is of what is stored now, each row as it was written
        "use_query_cache": 0,
        "apply_deleted_mask": 1,
        "count_distinct_implementation": "uniqExact",
        "transform_null_in": 0,
        "empty_result_for_aggregation_by_empty_set": 0,
        "data_type_default_nullable": 0,
        "lightweight_deletes_sync": 2,  # what names pruned calls goes after them
    }
)
_INSERT: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "date_time_input_format": "best_effort",
        "input_format_skip_unknown_fields": 1,
        "input_format_null_as_default": 1,
        "input_format_json_read_objects_as_strings": 1,
        "input_format_json_read_arrays_as_strings": 1,
        "precise_float_parsing": 1,
        "input_format_allow_errors_num": 0,  # a line that cannot be read is refused and not passed over
        "input_format_allow_errors_ratio": 0,
        "input_format_defaults_for_omitted_fields": 1,
        # A batch is one block, and so all of it or nothing of it is there
        "max_insert_block_size": 10_000_000,
        "min_insert_block_size_rows": 10_000_000,
        "min_insert_block_size_bytes": 1 << 32,
        "max_partitions_per_insert_block": 0,
        "min_chunk_bytes_for_parallel_parsing": 1 << 20,  # its own ten megabytes are most batches
    }
)
_NEWER: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "input_format_json_empty_as_default": 0,  # an empty text is kept, and no unknown one; since 24.10
        "input_format_json_map_as_array_of_tuples": 0,  # tags are an object
        "input_format_force_null_for_omitted_fields": 0,  # when something arrived is for the server to say
    }
)
"""Settings of inserts that older servers do not know, and refuse."""
_UNKNOWN_DATABASE = 81
_TYPES: Final = ((bool, "Bool"), (int, "Int64"), (float, "Float64"), (list, "Array(String)"))
_INTERNAL = frozenset(("delivery", "arrived", "said", "place"))
_logger, _silence = logging.getLogger("clickhouse_connect"), logging.NullHandler()
_CONNECT_SECONDS = "10"
_ANSWER_SECONDS = "300"


class Client:
    """A connection to one place; safe to use from several threads."""

    dialect = CLICKHOUSE

    def __init__(self, place: Place) -> None:
        """Connect, and make the database if it is not there.

        Raises:
            MissingExtraError: clickhouse-connect or chdb is not installed.
            LedgerError: the server cannot be reached, or lets us not in.
        """
        self.place = place
        self._columns: dict[str, dict[str, str]] = {}
        with told_plainly(place):
            try:
                self._driver = _connected(place, place.database)
            except Exception as error:
                if getattr(error, "code", None) != _UNKNOWN_DATABASE:
                    raise
                _make_database(place)
                self._driver = _connected(place, place.database)

    def all(
        self, sql: str, parameters: Sequence[Any] = (), settings: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Run a question and give all rows."""
        text, named = bound(sql, parameters)
        with told_plainly(self.place):
            result = self._driver.query(text, parameters=named, settings=dict(settings or {}))
            return [tuple(row) for row in result.result_rows]

    def answer(
        self, text: str, settings: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
        """Run somebody's own statement; give the names of its columns and the rows.

        Raises:
            QueryError: the server refuses it.
            LedgerError: the server cannot be reached, or lets us not in.
        """
        with told_plainly(self.place, asking=True):
            result = self._driver.query(text, parameters=dict(parameters or {}), settings=dict(settings))
            return tuple(result.column_names), tuple(tuple(row) for row in result.result_rows)

    def raw(self, sql: str, parameters: Sequence[Any], settings: Mapping[str, Any]) -> bytes:
        """Run a question and give the bytes of its values, one behind the other."""
        text, named = bound(sql, parameters)
        with told_plainly(self.place):
            answer: bytes = self._driver.raw_query(
                text, parameters=named, settings=dict(settings), fmt="RowBinary"
            )
            return answer

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement for its effect."""
        text, named = bound(sql, parameters)
        with told_plainly(self.place):
            self._driver.command(text, parameters=named)

    def insert(self, table: str, lines: Sequence[bytes], token: str) -> None:
        """Insert JSON lines as one block, all or none; again with the same token it changes nothing.

        Raises:
            RefusedEntryError: a line is not what the table's columns take.
            LedgerError: the server cannot be reached, or refuses.
        """
        newer = {name: value for name, value in _NEWER.items() if name in self._driver.server_settings}
        settings = {**_INSERT, **newer, "insert_deduplication_token": token}
        with told_plainly(self.place, sending=True):
            self._driver.raw_insert(table, insert_block=b"".join(lines), fmt="JSONEachRow", settings=settings)

    def columns(self, table: str) -> dict[str, str]:
        """Give a table's columns with their types, in order, but for those that only sort and tell copies."""
        if table not in self._columns:
            found = self.all(
                "SELECT name, type FROM system.columns WHERE database = ? AND table = ? ORDER BY position",
                [self.place.database, table],
            )
            self._columns[table] = {name: kind for name, kind in found if name not in _INTERNAL}
        return self._columns[table]

    def close(self) -> None:
        """Let go of the connection, and of the engine where it is ours."""
        self._driver.close()


def bound(sql: str, parameters: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Name each ``?`` and its type, as ClickHouse wants its parameters."""
    numbers = count()
    named: dict[str, Any] = {}

    def name(_: re.Match[str]) -> str:
        key = f"p{next(numbers)}"
        kind, named[key] = _typed(parameters[len(named)])
        return f"{{{key}:{kind}}}"

    return re.sub(r"\?", name, sql), named


def _typed(value: Any) -> tuple[str, Any]:
    if isinstance(value, datetime):
        return "DateTime64(6, 'UTC')", value.isoformat(" ", "microseconds")
    if isinstance(value, Decimal):
        return "String", format(value, "f")
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name, value
    return "String", value


def _connected(place: Place, database: str | None) -> Any:
    try:
        from clickhouse_connect import get_client  # noqa: PLC0415  # an extra
    except ImportError:
        extra = "chdb" if place.host is None else "clickhouse"
        raise MissingExtraError.of(extra, "clickhouse-connect") from None
    _logger.addHandler(_silence)  # what it warns of is raised as well
    if place.host is None:
        settings = {**_SESSION, **place.settings}
        return get_client(interface="chdb", path=place.path, database=database, settings=settings)
    options: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "send_receive_timeout": _ANSWER_SECONDS,
        **place.options,
    }
    return get_client(
        interface="https" if place.secure else "http",
        host=place.host,
        port=place.port or 0,
        username=place.user,
        password=place.password,
        database=database,
        settings={**_SESSION, **_SERVED, **place.settings},
        autogenerate_session_id=False,  # a session would let one question in at a time
        dedicated_pool=True,
        **options,
    )


def _make_database(place: Place) -> None:
    driver = _connected(place, None)
    try:
        name = place.database.replace("`", "``")
        everywhere = f" ON CLUSTER '{place.cluster}'" if place.cluster else ""
        driver.command(f"CREATE DATABASE IF NOT EXISTS `{name}`{everywhere}")
    finally:
        driver.close()
