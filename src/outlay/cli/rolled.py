"""What a question about single calls says of those that are kept as daily totals alone."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import State

if TYPE_CHECKING:  # loaded when a command runs: --help needs none
    from outlay.core.query import Rows
    from outlay.report import LedgerReader

_ASKED = ("since", "until", "where", "tz")


def rolled_of(reader: "LedgerReader", question: Mapping[str, Any]) -> "Rows":
    """Count the calls that a question asks for, pruned ones beside the others; nothing else is reckoned."""
    return reader.rows(detail="counts", **_scope(question))


def nothing_rolled() -> "Rows":
    """Give the counts where nobody asked for calls as old as daily totals are."""
    from outlay.core.query import Rows

    return Rows((), {})


def tell_rolled(state: State, reader: "LedgerReader", question: Mapping[str, Any], found: "Rows") -> bool:
    """Say on standard error how many calls are not in what is given; give whether it was said.

    A program that asks for JSON is told there, by ``report.rolled.rolled_json``.
    """
    from outlay.render.cells import many
    from outlay.render.rolled import KEPT, unknown_notes

    notes = unknown_notes(found.rolled_unknown, reader.calls_query(**_scope(question)))
    if found.rolled:
        are = "is" if found.rolled == 1 else "are"
        notes = (f"{many(found.rolled, 'call')} {are} {KEPT} alone, and {are} not in it", *notes)
    if not state.json:
        tell(notes)
    return bool(notes)


def tell(notes: Iterable[str]) -> None:
    """Say on standard error what a form that has no room for it does not."""
    for note in notes:
        click.echo(f"outlay: {note}", err=True)


def _scope(question: Mapping[str, Any]) -> dict[str, Any]:
    return {name: question[name] for name in _ASKED if name in question}
