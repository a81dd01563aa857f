"""Tables of the live dashboard: a figure reads as in reports, and is sorted by its number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import Any

import pandas as pd
import streamlit as st
from rich.cells import cell_len

from outlay.core.query import Row
from outlay.render.cells import MISSING, count, dollars, milliseconds, name, percent
from outlay.report.money import amounts, by_currency

_SIGN, _EDGE, _WIDEST = 8, 28, 1000  # pixels


@dataclass(frozen=True, slots=True)
class Figure:
    """What a cell shows, and the number below it, by which a column is sorted; None where there is none."""

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
    """Show money; an unknown amount is no gap, which all look alike, and stands below all others."""
    return Figure(dollars(amount, currency), -inf if amount is None else float(amount))


def costs_of(rows: Sequence[Row]) -> Iterator[dict[str, Cell]]:
    """Show the costs of rows, each currency in a column of its own: several have no common measure."""
    currencies = list(by_currency(rows)) or ["USD"]
    for row in rows:
        known = amounts(row)
        yield {
            "cost" if currency == "USD" else f"cost {name(currency)}": priced(known.get(currency), currency)
            if currency in known or not known
            else Figure(MISSING, None)
            for currency in currencies
        }


def table(rows: Sequence[Mapping[str, Cell]], lack: str = MISSING) -> None:
    """Show rows, no name cut; ``lack`` stands where there is no number."""
    columns = {heading: [row[heading] for row in rows] for heading in rows[0]}
    texts = {heading: found for heading, cells in columns.items() if (found := _texts(cells)) is not None}
    below = pd.DataFrame({each: _below(cells, number=each in texts) for each, cells in columns.items()})
    shows: dict[Any, Any] = {heading: found.__getitem__ for heading, found in texts.items()}
    st.dataframe(
        below.style.format(shows, na_rep=lack),
        hide_index=True,
        placeholder=lack,
        column_config={each: st.column_config.Column(width=_wide(each, columns[each])) for each in columns},
    )


def _wide(heading: str, cells: Sequence[Cell]) -> int:
    """Give the pixels that a column needs: left to itself the grid measures its first rows alone."""
    shown = (cell.text if isinstance(cell, Figure) else cell for cell in cells)
    return min(_WIDEST, _EDGE + _SIGN * max(map(cell_len, (heading, *shown))))


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
