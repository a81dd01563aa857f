"""Sheets: what a report shows, as columns of kinds over rows; shown as text, Markdown or CSV."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import accumulate
from math import floor, fsum
from typing import Any, Literal

from outlay.core.query import Row
from outlay.render import cells
from outlay.render.as_table import Column, Page, table, wrapped
from outlay.report.plain import plain

Kind = Literal[
    "text",
    "time",
    "id",
    "count",
    "tokens",
    "money",
    "price",
    "change",
    "ms",
    "share",
    "together",
    "percent",
    "rate",
    "number",
    "spark",
]
_ID_ENOUGH = 18  # its time to the millisecond, and three digits more
_TIME_ENOUGH = len("2026-11-01 09:30")
_MARKUP = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)|[|`<\[\]~]|&(?=#?\w+;)"  # a backslash before punctuation hides it
    r"|^\*|\*(?=\S)|(?<=\S)\*|(?<![^\W_])_|_(?![^\W_])"  # those within a word, or by themselves, stay
)
_UP, _DOWN, _BAD = "yellow", "cyan", "bright_yellow"  # told apart by all eyes, and never the only sign


@dataclass(frozen=True, slots=True)
class Field:
    """One column: the key of its values, its heading, how they are shown, and how readily it is left out."""

    key: str
    heading: str
    kind: Kind = "count"
    spare: int = 0  # 0: always shown; the highest goes first
    where_any: bool = False  # shown only where some row has more than nothing
    bad: bool = False  # more than nothing is worth a look
    owed: Callable[[Row], bool] | None = None  # of a price: whether a row without it has one that is unknown


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows under columns, and a total below them if there is one."""

    fields: tuple[Field, ...]
    rows: Sequence[Row]
    total: Row | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A report as people see it: sheets, the main one first, and lines about what they lack."""

    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...] = ()
    head: tuple[str, ...] = ()  # lines before the first sheet
    empty: str | None = None  # said in place of all else, where there is nothing to show


def view_text(view: View, page: Page) -> str:
    """Show a view in a terminal or a pipe."""
    if view.empty is not None:
        return "\n".join(wrapped(line, page.width) for line in (view.empty, *view.notes))
    notes = [wrapped(line, page.width) for line in view.notes]
    parts = ["\n".join(wrapped(line, page.width) for line in view.head)] if view.head else []
    parts += [_sheet_text(sheet, page) for sheet in view.sheets if sheet.rows or sheet.total]
    body = "\n\n".join(parts)
    return "\n".join((*([body] if body else []), *notes))


def _sheet_text(sheet: Sheet, page: Page) -> str:
    text = table(columns(sheet), page, total=sheet.total is not None and bool(sheet.rows))
    return text if sheet.title is None else f"{sheet.title}\n{text}"


def view_markdown(view: View) -> str:
    """Write a view as Markdown: a table a sheet, under its title."""
    notes = map(literal, view.notes)
    if view.empty is not None:
        return "\n\n".join((literal(view.empty), *notes))
    parts = ["\n".join(f"{literal(line)}  " for line in view.head)] if view.head else []
    for sheet in view.sheets:
        if sheet.rows or sheet.total:
            parts += [] if sheet.title is None else [f"### {literal(sheet.title)}"]
            parts.append(_sheet_markdown(sheet))
    return "\n\n".join((*parts, *notes))


def _sheet_markdown(sheet: Sheet) -> str:
    shown = columns(sheet)
    lines = [
        [literal(column.heading) for column in shown],
        [":--" if column.text else "--:" for column in shown],
        *zip(*(map(literal, column.cells) for column in shown), strict=True),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def literal(text: str) -> str:
    """Write a text so that Markdown shows it as it is: a name's bars would move figures, its tags be gone."""
    return _MARKUP.sub(r"\\\g<0>", text)


def view_csv(view: View) -> str:
    """Write all that the rows of the main sheet hold as CSV: plain decimals, nothing where it is unknown."""
    sheet = view.sheets[0]
    rows = sheet.rows or ([sheet.total] if sheet.total else [])
    names = list(dict.fromkeys(name for row in rows for name in row)) or [field.key for field in sheet.fields]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([csv_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue().removesuffix("\n")


def csv_cell(value: Any) -> Any:
    """Costs by currency, and counts of a histogram, stand as JSON in their one cell."""
    return json.dumps(plain(value)) if isinstance(value, Mapping | tuple) else plain(value)


def columns(sheet: Sheet) -> list[Column]:
    """Lay a sheet out as columns of text, those that say nothing left away."""
    rows = [*sheet.rows, *([sheet.total] if sheet.total is not None else [])]
    whole = [sheet.total] if sheet.total is not None else rows
    shown = [each for each in sheet.fields if not each.where_any or any(row.get(each.key) for row in whole)]
    return [_column(each, rows, sheet) for each in shown]


def _column(field: Field, rows: Sequence[Row], sheet: Sheet) -> Column:
    if field.kind == "share":
        found = shares([row.get(field.key) for row in rows])
    elif field.kind == "together":
        found = running([row.get("share") for row in rows])
    else:
        found = [_cell(field, row) for row in rows]
    if field.kind == "text" and sheet.total is not None and sheet.rows:
        found[-1] = "total" if field is sheet.fields[0] else ""
    styles = tuple(_style(field, row) for row in rows)
    text = field.kind in ("text", "time", "spark")
    return Column(cells.name(field.heading), tuple(found), text, field.spare, styles, _enough(field, found))


def _enough(field: Field, found: Sequence[str]) -> int:
    """Count the first places of these cells that are of use without the rest; 0 where they are not."""
    if field.kind == "time":
        return _TIME_ENOUGH
    return _telling(found) if field.kind == "id" else 0


def _telling(ids: Sequence[str]) -> int:
    """Count the places that tell these ids apart, and most likely from others: explain takes them."""
    several, places = len(set(ids)), _ID_ENOUGH
    while len({each[:places] for each in ids}) < several:
        places += 1
    return places


def _style(field: Field, row: Row) -> str:
    value = row.get(field.key)
    if field.kind in ("change", "rate") and value:
        return _UP if value > 0 else _DOWN
    unknown = field.kind == "money" and value is None and row.get("calls")
    return _BAD if unknown or (field.bad and value) else ""


def _cell(field: Field, row: Row) -> str:
    value = row.get(field.key)
    if field.kind in ("money", "price", "change"):
        return _money(field, row, value)
    if field.kind == "tokens":
        return cells.count(tokens(row, field.key))
    show = _SHOWN[field.kind]
    return show(value)


def tokens(row: Row, key: str) -> int | None:
    """Give a count of tokens; None of calls of which none told of any, for 0 is a count."""
    found: int | None = row[key] if row["total_tokens"] or not row["calls"] else None
    return found


def _money(field: Field, row: Row, value: Any) -> str:
    """Show money with its currency; what is unknown says so, and a price of nothing is a dash."""
    several = row.get(f"{field.key}s")
    if several:
        return cells.sums(value, several)
    if value is None:
        unknown = field.kind == "money" if field.owed is None else field.owed(row)
        return cells.UNKNOWN if unknown else cells.MISSING
    # What is in another currency than USD stands by its own name, too, unless all of the row is in that one.
    costs = row.get("costs") or {}
    currency = row.get("currency") or (next(iter(costs)) if len(costs) == 1 else "USD")
    return cells.signed(value, currency) if field.kind == "change" else cells.dollars(value, currency)


def _rate(value: float | None) -> str:
    return cells.MISSING if value is None else f"{value:+.1%}"


def _number(value: float | None) -> str:
    return cells.MISSING if value is None else f"{value:,.2f}"


def _percent(value: float | None) -> str:
    return cells.MISSING if value is None else f"{value:.1%}"


_SHOWN: Mapping[Kind, Callable[[Any], str]] = {
    "text": cells.name,
    "time": cells.name,
    "id": cells.name,
    "spark": str,
    "count": cells.count,
    "ms": cells.milliseconds,
    "percent": _percent,
    "rate": _rate,
    "number": _number,
}


def shares(values: Sequence[float | None]) -> list[str]:
    """Show shares with one decimal, so that they add up to what they are together: those of a whole to 100.0.

    What rounding leaves over goes to those that lost most by it.
    """
    return _percents(values, _tenths(values))


def running(values: Sequence[float | None]) -> list[str]:
    """Show what shares are together down to each, as those that are shown add up."""
    return _percents(values, accumulate(_tenths(values)))


def _tenths(values: Sequence[float | None]) -> list[int]:
    exact = [0.0 if value is None else value * 1000 for value in values]
    whole = [floor(each) for each in exact]
    lost = sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])
    for place in lost[: round(fsum(exact)) - sum(whole)]:
        whole[place] += 1
    return whole


def _percents(values: Sequence[float | None], tenths: Iterable[int]) -> list[str]:
    return [
        cells.MISSING if value is None else f"{each / 10:.1f}%"
        for value, each in zip(values, tenths, strict=True)
    ]
