"""Columns of values as frames of polars, pandas and Arrow: typed, money Decimal, also without any row."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from outlay.core.errors import MissingExtraError
from outlay.core.money import PLACES, to_ledger_places
from outlay.report.plain import plain

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped] # it ships no types

Kind = Literal["text", "json", "count", "counts", "money", "number", "truth", "time"]
"""Of the values of a column; ``json`` are mappings and lists, which become text."""
Columns = Mapping[str, Kind]
_PRECISION = 38


def polars_frame(columns: Columns, rows: Iterable[Sequence[Any]]) -> "pl.DataFrame":
    """Make a polars frame.

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
        "counts": pl.List(pl.Int64),
        "money": pl.Decimal(_PRECISION, PLACES),
        "number": pl.Float64,
        "truth": pl.Boolean,
        "time": pl.Datetime("us", "UTC"),
    }
    schema = {name: kinds[kind] for name, kind in columns.items()}
    return pl.DataFrame(_by_column(columns, rows), schema=schema)


def pandas_frame(columns: Columns, rows: Iterable[Sequence[Any]]) -> "pd.DataFrame":
    """Make a pandas frame; money is a column of Decimal objects, the unknown None, NaN or NA.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("pandas", "pandas") from None
    values = _by_column(columns, rows)
    kinds: dict[Kind, Any] = {
        "text": "object",
        "json": "object",
        "count": "int64",
        "counts": "object",
        "money": "object",
        "number": "float64",
        "truth": "boolean",
        "time": "datetime64[us, UTC]",
    }
    return pd.DataFrame(
        {
            name: pd.Series(
                values[name], dtype="Int64" if kind == "count" and None in values[name] else kinds[kind]
            )
            for name, kind in columns.items()
        }
    )


def arrow_table(columns: Columns, rows: Iterable[Sequence[Any]]) -> "pa.Table":
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
        "counts": pa.list_(pa.int64()),
        "money": pa.decimal128(_PRECISION, PLACES),
        "number": pa.float64(),
        "truth": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([pa.field(name, kinds[kind]) for name, kind in columns.items()])
    return pa.table(_by_column(columns, rows), schema=schema)


def _by_column(columns: Columns, rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """Turn rows into columns; an amount with more places than a ledger holds is rounded to them."""
    found: dict[str, list[Any]] = {name: [] for name in columns}
    targets = list(zip(found.values(), columns.values(), strict=True))
    for row in rows:
        for (column, kind), value in zip(targets, row, strict=True):
            column.append(_value(kind, value))
    return found


def _value(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "json":
        return json.dumps(plain(value), ensure_ascii=False, default=str)
    return to_ledger_places(value) if kind == "money" else value
