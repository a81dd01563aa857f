"""Report: the answer to one question, as rows, as a JSON object, and as a data frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outlay.core.instants import text_of as instant_text
from outlay.core.query import Query, Row
from outlay.report.plain import plain
from outlay.report.rolled import rolled_json

if TYPE_CHECKING:
    # Only named in annotations: frames are made by packages that a user may not have.
    import pandas as pd
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped] # it ships no types


@dataclass(frozen=True, slots=True)
class PriceGap:
    """Calls of a model that have no price of their own day.

    A total does not, or not wholly, contain them; where they are ``extrapolated`` it does, at the first price
    that is known of the model, which is of a later day.
    """

    provider: str | None
    model: str | None
    calls: int
    extrapolated: bool = False
    errors: int = 0  # of the calls, those that failed: mostly no price lacks there, but a usage


def price_gaps_json(price_gaps: Iterable[PriceGap]) -> dict[str, list[dict[str, Any]]]:
    """Give the models whose price is not known, and those whose price is that of a later day, as JSON."""
    found: dict[str, list[dict[str, Any]]] = {"unpriced": [], "extrapolated": []}
    for each in price_gaps:
        row = {"provider": each.provider, "model": each.model, "calls": each.calls}
        if each.extrapolated:
            found["extrapolated"].append(row)
        else:
            found["unpriced"].append({**row, "errors": each.errors})
    return found


def scope_json(query: Query) -> dict[str, Any]:
    """Say which calls a question is about, as the first keys of a JSON object."""
    return {
        "by": list(query.by),
        "since": None if query.since is None else instant_text(query.since),
        "until": None if query.until is None else instant_text(query.until),
        "tz": query.tz,
    }


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Groups of calls with figures of one kind, and the same figures of all of them together."""

    rows: tuple[Row, ...]
    total: Row
    query: Query
    price_gaps: tuple[PriceGap, ...] = ()
    rolled: int = 0  # calls that were pruned: what daily totals do not tell is None or left out
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give it as a JSON object; money is a plain decimal string."""
        return {
            **scope_json(self.query),
            "rows": [plain(row) for row in self.rows],
            "total": plain(self.total),
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Totals and breakdowns; ``cost`` is Decimal or None where no call had a known price.

    The rows add up to the total, unless a limit left some out. Money of several currencies is not added up:
    ``cost`` is then None, and ``costs`` of the row holds the sum of each.
    """

    rows: list[Row]
    total: Row
    query: Query
    price_gaps: tuple[PriceGap, ...] = ()  # models without a price of their own day
    left_out: int = 0  # rows beyond the limit
    share: str | None = None  # the metric that rows have a ``share`` of, see report.shares
    rolled: int = 0  # calls that were pruned: no percentiles, hours, sessions; their days are those of UTC
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give the report as a JSON object; money is a plain decimal string."""
        return {
            **scope_json(self.query),
            "rows": [plain(row) for row in self.rows],
            "total": plain(self.total),
            **price_gaps_json(self.price_gaps),
            "left_out": self.left_out,
            **rolled_json(self),
        }

    def to_polars(self) -> "pl.DataFrame":
        """Give the rows as a polars frame; money is a Decimal column, ``costs`` by currency are JSON.

        Raises:
            MissingExtraError: polars is not installed.
        """
        from outlay.report.columns import columns_of, values_of  # noqa: PLC0415 - only those who ask pay for frames
        from outlay.report.frames import polars_frame  # noqa: PLC0415 - likewise

        return polars_frame(columns_of(self.query, self.rows), values_of(self.rows, self.query))

    def to_pandas(self) -> "pd.DataFrame":
        """Give the rows as a pandas frame; money is a column of Decimals, an unknown amount None.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from outlay.report.columns import columns_of, values_of  # noqa: PLC0415 - only those who ask pay for frames
        from outlay.report.frames import pandas_frame  # noqa: PLC0415 - likewise

        return pandas_frame(columns_of(self.query, self.rows), values_of(self.rows, self.query))

    def to_arrow(self) -> "pa.Table":
        """Give the rows as an Arrow table; money is decimal128(38, 18).

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        from outlay.report.columns import columns_of, values_of  # noqa: PLC0415 - only those who ask pay for frames
        from outlay.report.frames import arrow_table  # noqa: PLC0415 - likewise

        return arrow_table(columns_of(self.query, self.rows), values_of(self.rows, self.query))
