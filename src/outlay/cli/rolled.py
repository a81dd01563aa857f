"""What a question about single calls says on standard error of those that are kept as daily totals alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import State

if TYPE_CHECKING:  # loaded when a command runs: --help needs none
    from outlay.report import LedgerReader

_ASKED = ("since", "until", "where", "tz")


def rolled_of(reader: "LedgerReader", question: Mapping[str, Any]) -> int:
    """Count the calls that a question asks for and that were pruned; nothing else is reckoned for it."""
    asked = {name: question[name] for name in _ASKED if name in question}
    return reader.rows(detail="counts", **asked).rolled


def tell_rolled(state: State, rolled: int) -> bool:
    """Say that so many calls are not in what is given, if there are any; give whether it was said.

    A program that asks for JSON is told nothing.
    """
    from outlay.render.cells import many

    if state.json or not rolled:
        return False
    are = "is" if rolled == 1 else "are"
    kept = f"{many(rolled, 'call')} {are} kept as daily totals alone, and {are} not in it"
    click.echo(f"outlay: {kept}", err=True)
    return True
