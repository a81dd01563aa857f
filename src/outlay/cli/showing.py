"""Asking for a report and printing it in the one form that the command line asks for."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from outlay.cli.options import State, state_of

if TYPE_CHECKING:  # loaded when a command runs: --help needs neither
    from outlay.render.sheets import View
    from outlay.report import LedgerReader
    from outlay.report.values import PriceGap


class Document(Protocol):
    """A report: whatever can be written as a JSON object."""

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object."""
        ...


Found = TypeVar("Found", bound=Document)


def answer(
    ctx: click.Context,
    given: dict[str, Any],
    ask: "Callable[[LedgerReader, dict[str, Any]], Found]",
    view: "Callable[[Found], View]",
) -> None:
    """Ask the ledger and print the answer as text, JSON, CSV or Markdown.

    ``given`` are the options of a question; its time zone is that of the settings where none is given.
    """
    from outlay.cli.session import reader_of, settings_of
    from outlay.cli.unmatched import tell_missing_tags, tell_unmatched

    state = one_form(ctx)
    settings = settings_of(state)
    question = {**given, "tz": given["tz"] or settings.tz}
    with reader_of(settings) as reader, reader.together():
        found = ask(reader, question)
        total = getattr(found, "total", None)
        none = total is not None and not total["calls"] and not getattr(found, "rolled_unknown", 0)
        tell_unmatched(state, reader, question, none=none)
        tell_missing_tags(state, reader, question, found)
    print_found(state, found, view)


def one_form(ctx: click.Context) -> State:
    """Give the state of the command line, if it asks for one form of output at most.

    Raises:
        click.UsageError: it asks for several.
    """
    state = state_of(ctx)
    asked = [name for name in ("csv", "json", "markdown") if getattr(state, name)]
    if len(asked) > 1:
        raise click.UsageError(f"take either --{asked[0]} or --{asked[1]}", ctx)
    return state


def print_found(state: State, found: Found, view: "Callable[[Found], View]") -> None:
    """Print a report in the form that is asked for."""
    from outlay.cli.session import page_of_terminal, show, show_csv, show_json

    if state.json:
        show_json(found.to_dict())
        return
    from outlay.cli.rolled import tell
    from outlay.render.rolled import of_rolled
    from outlay.render.sheets import view_csv, view_markdown, view_text

    laid_out = view(found)
    if state.csv:
        show_csv(view_csv(laid_out))
        tell(of_rolled(laid_out.notes))
        tell_price_gaps(getattr(found, "price_gaps", ()))
    else:
        show(view_markdown(laid_out) if state.markdown else view_text(laid_out, page_of_terminal()))


def tell_price_gaps(price_gaps: "Sequence[PriceGap]") -> None:
    """Say beside CSV of which calls the price is unknown or partial: no cell says it of partial costs."""
    from outlay.render.reports import price_gap_notes

    for note in price_gap_notes(price_gaps):
        click.echo(f"outlay: {note}", err=True)
