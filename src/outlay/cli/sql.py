"""``outlay sql``: a SELECT of one's own over the recorded calls; nothing can be changed by it."""

import sys
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, state_of

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.core.query import Selected
    from outlay.render.as_table import Page


@click.command
@click.argument("text", metavar="SELECT")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@data_options
@click.pass_context
def sql(ctx: click.Context, /, *, text: str, as_csv: bool) -> None:
    """A SELECT of your own over the recorded calls.

    The view is named calls: one row a call, with the newest of its costs and judgements. The statement is in
    the ledger's own SQL, and - reads it from standard input.
    """
    from outlay.cli.inputs import check_input
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_csv, show_json
    from outlay.core.errors import NotSupportedError
    from outlay.core.ports import Selecting

    if as_csv and state_of(ctx).json:
        raise click.UsageError("take either --csv or --json", ctx)
    if text == "-":
        check_input(text, "write the statement on the command line")
    statement = _typed() if text == "-" else text
    with reader_of(settings_of(state_of(ctx))) as reader:
        if not isinstance(reader.ledger, Selecting):
            raise NotSupportedError(
                "this ledger takes no SQL; outlay report and outlay export answer from it"
            )
        found = reader.ledger.select(statement)
    if state_of(ctx).json:
        _check_names(found)
        show_json({"columns": found.columns, "rows": [_row(found, row) for row in found.rows]})
    elif as_csv:
        show_csv(_csv(found))
    else:
        show(_table(found, page_of_terminal()))


def _typed() -> str:
    from outlay.core.errors import QueryError

    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise QueryError("standard input is no text in UTF-8, as a statement is") from None


def _check_names(found: "Selected") -> None:
    """Refuse columns of one name, of which an object in JSON would hold the last alone."""
    from outlay.core.errors import QueryError

    if twice := [name for name in dict.fromkeys(found.columns) if found.columns.count(name) > 1]:
        raise QueryError(
            f"several columns are named {', '.join(twice)}; tell them apart with AS, or take --csv"
        )


def _row(found: "Selected", row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: _value(value) for name, value in zip(found.columns, row, strict=True)}


def _value(value: Any) -> Any:
    """Read a time without a zone as UTC, which it is; other kinds are JSON's or become text."""
    from datetime import UTC, datetime

    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _csv(found: "Selected") -> str:
    import csv
    from io import StringIO

    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows([_text(value) for value in row] for row in found.rows)
    return out.getvalue().removesuffix("\n")


def _text(value: Any) -> str:
    import json

    from outlay.report.plain import plain

    shown = plain(_value(value))
    if shown is None:
        return ""
    return json.dumps(shown, ensure_ascii=False) if isinstance(shown, dict | list | bool) else str(shown)


def _table(found: "Selected", page: "Page") -> str:
    from decimal import Decimal

    from outlay.render.as_table import Column, table
    from outlay.render.cells import name

    if not found.rows:
        return "no rows"
    columns = []
    for heading, values in zip(found.columns, zip(*found.rows, strict=True), strict=True):
        numeric = all(value is None or isinstance(value, int | float | Decimal) for value in values)
        cells = tuple(name(None if value is None else _text(value)) for value in values)
        columns.append(Column(name(heading), cells, text=not numeric))
    return table(columns, page)
