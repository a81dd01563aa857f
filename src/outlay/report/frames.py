"""Rows as frames of polars, pandas and Arrow: typed columns, Decimal money, columns even where no row is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from outlay.core.errors import MissingExtraError
from outlay.core.money import PLACES, to_ledger_places
from outlay.core.query import METRICS, Query, Row

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped] # it ships no types

Kind = Literal["text", "count", "counts", "money", "number"]
_PRECISION = 38
_MONEY = {"cost", "avg_cost", "error_cost", "judged_cost"}
_NUMBERS = {"cache_hit_rate", "output_tokens_per_second", "avg_quality_score", "avg_user_rating"}


def columns(query: Query) -> dict[str, Kind]:
    """Give the columns of a report in order, each with the kind of its values."""
    texts: dict[str, Kind] = dict.fromkeys(query.by, "text")
    return texts | {name: _kind(name) for name in (*METRICS, *query.metrics)}


def polars_frame(rows: Sequence[Row], query: Query) -> "pl.DataFrame":
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
        "counts": pl.List(pl.Int64),
        "money": pl.Decimal(_PRECISION, PLACES),
        "number": pl.Float64,
    }
    schema = {name: kinds[kind] for name, kind in columns(query).items()}
    return pl.DataFrame(_by_column(rows, query), schema=schema)


def pandas_frame(rows: Sequence[Row], query: Query) -> "pd.DataFrame":
    """Make a pandas frame; money is a column of Decimal objects.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("pandas", "pandas") from None
    kinds: dict[Kind, Any] = {
        "text": "object",
        "count": "int64",
        "counts": "object",
        "money": "object",
        "number": "float64",
    }
    values = _by_column(rows, query)
    return pd.DataFrame(
        {name: pd.Series(values[name], dtype=kinds[kind]) for name, kind in columns(query).items()}
    )


def arrow_table(rows: Sequence[Row], query: Query) -> "pa.Table":
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
        "counts": pa.list_(pa.int64()),
        "money": pa.decimal128(_PRECISION, PLACES),
        "number": pa.float64(),
    }
    fields = [pa.field(name, kinds[kind]) for name, kind in columns(query).items()]
    return pa.table(_by_column(rows, query), schema=pa.schema(fields))


def _kind(metric: str) -> Kind:
    if metric in _MONEY:
        return "money"
    if metric == "latency_histogram":
        return "counts"
    return "number" if metric in _NUMBERS or metric.endswith("_ms") else "count"


def _by_column(rows: Sequence[Row], query: Query) -> dict[str, list[Any]]:
    """Turn rows into columns; an average with more places than a ledger holds is rounded to them."""
    found: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in columns(query)}
    for name in _MONEY & found.keys():
        found[name] = [None if amount is None else to_ledger_places(amount) for amount in found[name]]
    return found
