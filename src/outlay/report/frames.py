"""Rows as frames of polars, pandas and Arrow: typed columns, Decimal money, columns even where no row is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from outlay.core.errors import MissingExtraError
from outlay.core.money import PLACES, to_ledger_places
from outlay.core.query import METRICS, Row

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped] # it ships no types

Kind = Literal["text", "count", "money", "number"]
_PRECISION = 38
_MONEY = {"cost", "avg_cost"}
_NUMBERS = {"avg_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "cache_hit_rate"}


def columns(by: Sequence[str]) -> dict[str, Kind]:
    """Give the columns of a report in order, each with the kind of its values."""
    texts: dict[str, Kind] = dict.fromkeys(by, "text")
    return texts | {name: _kind(name) for name in METRICS}


def polars_frame(rows: Sequence[Row], by: Sequence[str]) -> "pl.DataFrame":
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
        "count": pl.Int64,
        "money": pl.Decimal(_PRECISION, PLACES),
        "number": pl.Float64,
    }
    schema = {name: kinds[kind] for name, kind in columns(by).items()}
    return pl.DataFrame(_by_column(rows, by), schema=schema)


def pandas_frame(rows: Sequence[Row], by: Sequence[str]) -> "pd.DataFrame":
    """Make a pandas frame; money is a column of Decimal objects.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("pandas", "pandas") from None
    kinds: dict[Kind, Any] = {"text": "object", "count": "int64", "money": "object", "number": "float64"}
    values = _by_column(rows, by)
    return pd.DataFrame(
        {name: pd.Series(values[name], dtype=kinds[kind]) for name, kind in columns(by).items()}
    )


def arrow_table(rows: Sequence[Row], by: Sequence[str]) -> "pa.Table":
    """Make an Arrow table.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("arrow", "pyarrow") from None
    kinds: dict[Kind, Any] = {
        "text": pa.string(),
        "count": pa.int64(),
        "money": pa.decimal128(_PRECISION, PLACES),
        "number": pa.float64(),
    }
    fields = [pa.field(name, kinds[kind]) for name, kind in columns(by).items()]
    return pa.table(_by_column(rows, by), schema=pa.schema(fields))


def _kind(metric: str) -> Kind:
    if metric in _MONEY:
        return "money"
    return "number" if metric in _NUMBERS else "count"


def _by_column(rows: Sequence[Row], by: Sequence[str]) -> dict[str, list[Any]]:
    """Turn rows into columns; an average with more places than a ledger holds is rounded to them."""
    found: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in columns(by)}
    for name in _MONEY:
        found[name] = [None if amount is None else to_ledger_places(amount) for amount in found[name]]
    return found
