"""Reading figures back from what is shown to people, and comparing them with the values they stand for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from outlay.core.query import Row
from outlay.render.sheets import Field, Sheet, View

Table = list[list[str]]
_AMOUNT = re.compile(r"([+-]?)(\$?)([\d,]+(?:\.\d+)?)(?: ([A-Z]{3}))?")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_CELL = re.compile(r"\|((?:\\.|[^|\\])*)(?=\|)")
_SIX = Decimal("0.0000005")
_SHARE = 0.0010001  # one decimal of a percent, and what is moved so that they add up to 100


def tables(markdown: str) -> list[Table]:
    """Give the tables of a Markdown text: rows of cells, the headings first."""
    found: list[Table] = []
    within = False
    for line in markdown.splitlines():
        if not line.startswith("|"):
            within = False
            continue
        cells = [plain_of(cell).strip() for cell in _CELL.findall(line)]
        if not within:
            found.append([])
            within = True
        if not set("".join(cells)) <= set(":-") or not any(cells):
            found[-1].append(cells)
    return found


def plain_of(markdown: str) -> str:
    """Take the backslashes away that keep a sign from being markup."""
    return _ESCAPED.sub(r"\1", markdown)


def amounts(text: str) -> dict[str, Decimal]:
    """Read sums of money by currency."""
    found = {}
    for part in text.split(" + "):
        match = _AMOUNT.fullmatch(part)
        assert match is not None, text
        sign, dollar, figure, currency = match.groups()
        assert bool(dollar) != bool(currency), text
        found[currency or "USD"] = Decimal(figure.replace(",", "")) * (-1 if sign == "-" else 1)
    return found


def check_view(view: View, markdown: str) -> None:
    """Compare every cell of every table with the value of its row."""
    shown = tables(markdown)
    if view.empty is not None:
        assert shown == []
        assert view.empty in plain_of(markdown)
        return
    sheets = [sheet for sheet in view.sheets if sheet.rows or sheet.total]
    assert len(shown) == len(sheets)
    for sheet, table in zip(sheets, shown, strict=True):
        _check_sheet(sheet, table)
    assert all(note in plain_of(markdown) for note in view.notes)


def _check_sheet(sheet: Sheet, table: Table) -> None:
    headings, *lines = table
    fields = list(_matched(sheet.fields, headings))
    rows = [*sheet.rows, *([sheet.total] if sheet.total is not None else [])]
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        total = row is sheet.total and bool(sheet.rows)
        for field, cell in zip(fields, line, strict=True):
            if not (total and field.kind == "text"):
                check_cell(field, row, cell)
    for place, field in enumerate(fields):
        if field.kind == "share":
            _adds_up([line[place] for line in lines], [row.get(field.key) for row in rows])
        if field.kind == "together":
            shares = [each.kind for each in fields].index("share")
            _runs([line[shares] for line in lines], [line[place] for line in lines])


def _adds_up(cells: Sequence[str], values: Sequence[float | None]) -> None:
    known = [value for value in values if value is not None]
    if known and abs(sum(known) - 1) < 1e-6:
        assert sum(Decimal(cell[:-1]) for cell in cells if cell != "-") == 100, cells


def _runs(shares: Sequence[str], cells: Sequence[str]) -> None:
    """Each is the sum of the shares that stand above it and its own."""
    reached = Decimal(0)
    for share, cell in zip(shares, cells, strict=True):
        assert (share == "-") == (cell == "-")
        if cell != "-":
            reached += Decimal(share[:-1])
            assert Decimal(cell[:-1]) == reached, (shares, cells)


def _matched(fields: Sequence[Field], headings: Sequence[str]) -> Iterator[Field]:
    """Give the fields that are shown, in order; one that is left away says nothing in any row."""
    left = iter(fields)
    for heading in headings:
        yield next(field for field in left if field.heading == heading)


def check_cell(field: Field, row: Row, cell: str) -> None:
    """Compare one cell."""
    value = row.get(field.key)
    if field.kind in ("money", "price", "change"):
        _check_money(row, field.key, cell)
    elif value is None or (field.kind == "tokens" and row["calls"] and not row["total_tokens"]):
        assert cell == "-", (field.key, cell)
    elif field.kind == "together":
        assert cell.endswith("%"), (field.key, cell)  # what it is follows from the shares above it
    elif field.kind in ("count", "tokens"):
        assert int(cell.replace(",", "")) == value, (field.key, cell, value)
    elif field.kind == "ms":
        assert abs(float(cell.removesuffix(" ms").replace(",", "")) - value) <= 0.5, (field.key, cell, value)
    elif field.kind in ("share", "percent", "rate"):
        assert abs(float(cell.removesuffix("%").replace(",", "")) / 100 - value) <= _SHARE, (cell, value)
    elif field.kind == "number":
        assert abs(float(cell.replace(",", "")) - value) <= 0.005, (cell, value)
    else:
        assert cell == str(value).strip(), (field.key, cell, value)


def _check_money(row: Mapping[str, Any], key: str, cell: str) -> None:
    several, value = row.get(f"{key}s"), row.get(key)
    if not several and value is None:
        assert cell in ("unknown", "-"), (key, cell)
        assert cell != "-" or not row.get("calls") or key != "cost", "an unknown cost is said to be one"
        return
    currency = row.get("currency") or next(iter(row.get("costs") or {"USD": None}))
    known: dict[str, Decimal] = dict(several) if several else {currency: Decimal(value or 0)}
    shown = amounts(cell)
    assert shown.keys() == known.keys(), (key, cell, known)
    for name, amount in known.items():
        assert abs(shown[name] - amount) <= _SIX, (key, cell, amount)


def check_text(text: str, markdown: str) -> None:
    """Find every line of the Markdown's tables among the lines of the text, cell by cell."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for table in tables(markdown):
        for row in table:
            assert " ".join(" ".join(cell for cell in row if cell).split()) in lines, row


def frame(table: Any) -> list[dict[str, Any]]:
    """Give the rows of a table of the live dashboard as they are read: below its texts lie numbers."""
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - it ships no types; few need it

    texts = pa.ipc.open_stream(table.proto.arrow_data.styler.display_values).read_pandas()
    assert list(texts.columns) == list(table.value.columns)
    rows: list[dict[str, Any]] = texts.to_dict("records")
    return rows
