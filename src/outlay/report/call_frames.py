"""Single calls as frames of polars, pandas and Arrow: typed columns, Decimal money, aware UTC times."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from outlay.core.errors import MissingExtraError
from outlay.core.money import PLACES, to_ledger_places
from outlay.core.record import Record
from outlay.report.flat import COLUMNS, Kind, flat
from outlay.report.plain import plain

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped] # it ships no types

_PRECISION = 38


def polars_calls(records: Iterable[Record]) -> "pl.DataFrame":
    """Make a polars frame; tags, units and business fields are JSON text.

    Raises:
        MissingExtraError: polars is not installed.
    """
    try:
        import polars as pl  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("polars", "polars") from None
    kinds: dict[Kind, Any] = {
        "text": pl.String,
        "json": pl.String,
        "count": pl.Int64,
        "money": pl.Decimal(_PRECISION, PLACES),
        "number": pl.Float64,
        "truth": pl.Boolean,
        "time": pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(_by_column(records), schema={name: kinds[kind] for name, kind in COLUMNS.items()})


def arrow_calls(records: Iterable[Record]) -> "pa.Table":
    """Make an Arrow table; money is decimal128(38, 18), times are timestamps in UTC.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("arrow", "pyarrow") from None
    kinds: dict[Kind, Any] = {
        "text": pa.string(),
        "json": pa.string(),
        "count": pa.int64(),
        "money": pa.decimal128(_PRECISION, PLACES),
        "number": pa.float64(),
        "truth": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([pa.field(name, kinds[kind]) for name, kind in COLUMNS.items()])
    return pa.table(_by_column(records), schema=schema)


def pandas_calls(records: Iterable[Record]) -> "pd.DataFrame":
    """Make a pandas frame; money is a column of Decimal objects, the unknown None or NaN.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("pandas", "pandas") from None
    kinds: dict[Kind, Any] = {
        "text": "object",
        "json": "object",
        "count": "Int64",
        "money": "object",
        "number": "float64",
        "truth": "boolean",
        "time": "datetime64[us, UTC]",
    }
    values = _by_column(records)
    return pd.DataFrame({name: pd.Series(values[name], dtype=kinds[kind]) for name, kind in COLUMNS.items()})


def _by_column(records: Iterable[Record]) -> dict[str, list[Any]]:
    rows = [flat(record) for record in records]
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in COLUMNS]
    return {
        name: [_value(kind, value) for value in column]
        for (name, kind), column in zip(COLUMNS.items(), columns, strict=True)
    }


def _value(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "json":
        return json.dumps(plain(value), ensure_ascii=False, default=str)
    return to_ledger_places(value) if kind == "money" else value
