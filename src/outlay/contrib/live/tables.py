"""Tables of the live dashboard: a figure reads as in reports, and is sorted by its number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from outlay.core.query import Row
from outlay.render.cells import UNKNOWN, count, dollars, milliseconds, name, percent
from outlay.report.money import by_currency


@dataclass(frozen=True, slots=True)
class Figure:
    """What a cell shows, and the number below it; None where that is not known."""

    text: str
    number: float | None


Cell = str | Figure


def counted(value: int | None) -> Figure:
    """Show a count."""
    return Figure(count(value), value)


def timed(value: float | None) -> Figure:
    """Show a latency."""
    return Figure(milliseconds(value), value)


def shared(value: float | None) -> Figure:
    """Show a share of 0 to 1."""
    return Figure(percent(value), value)


def priced(amount: Decimal | None, currency: str) -> Figure:
    """Show money."""
    return Figure(dollars(amount, currency), None if amount is None else float(amount))


def costs_of(rows: Sequence[Row]) -> Iterator[dict[str, Cell]]:
    """Show the costs of rows, each currency in a column of its own: several have no common measure."""
    found = by_currency(rows) or {"USD": [None for _ in rows]}
    for place in range(len(rows)):
        yield {
            "cost" if currency == "USD" else f"cost {name(currency)}": priced(column[place], currency)
            for currency, column in found.items()
        }


def table(rows: Sequence[Mapping[str, Cell]], lack: str = UNKNOWN) -> None:
    """Show rows; ``lack`` stands where a number is not known."""
    columns = {heading: [row[heading] for row in rows] for heading in rows[0]}
    texts = {heading: found for heading, cells in columns.items() if (found := _texts(cells)) is not None}
    below = pd.DataFrame({each: _below(cells, number=each in texts) for each, cells in columns.items()})
    shows: dict[Any, Any] = {heading: found.__getitem__ for heading, found in texts.items()}
    st.dataframe(below.style.format(shows, na_rep=lack), hide_index=True, placeholder=lack)


def _texts(cells: Sequence[Cell]) -> dict[Any, str] | None:
    """Give the text of each number of a column; None of one of texts, or if a number would have two."""
    figures = [cell for cell in cells if isinstance(cell, Figure)]
    known = {(cell.number, cell.text) for cell in figures if cell.number is not None}
    texts: dict[Any, str] = dict(known)
    return texts if len(figures) == len(cells) and len(texts) == len(known) else None


def _below(cells: Sequence[Cell], *, number: bool) -> "pd.Series[Any]":
    if number:
        return pd.Series([cell.number for cell in cells if isinstance(cell, Figure)], dtype="float64")
    return pd.Series([cell.text if isinstance(cell, Figure) else cell for cell in cells], dtype="object")
