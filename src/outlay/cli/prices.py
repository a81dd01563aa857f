"""``outlay prices``: the price book, and prices of one's own."""

import click

from outlay.cli.near import NearGroup
from outlay.cli.options import data_options, state_of
from outlay.cli.prices_diff import diff
from outlay.cli.prices_set import set_price
from outlay.cli.prices_update import update
from outlay.cli.words import models, providers
from outlay.core.errors import UnknownModelError


@click.group(cls=NearGroup)
@data_options
def prices() -> None:
    """The price book, and prices of your own."""


@prices.command("show")
@click.argument("model", shell_complete=models)
@click.option(
    "--provider", metavar="P", shell_complete=providers, help="Who serves it; without it, its maker."
)
@click.option("--at", metavar="DATE", help="Only what holds then: now, 2026-11-01, 2026-11-01T12:00:00Z, …")
@data_options
@click.pass_context
def show_history(ctx: click.Context, /, *, model: str, provider: str | None, at: str | None) -> None:
    """The history of a model's price."""
    from outlay.cli.price_tables import history_json, history_text
    from outlay.cli.session import book_of, moment_of, page_of_terminal, settings_of, show, show_json
    from outlay.pricing.history import at as holding_at
    from outlay.pricing.history import histories, unlisted

    settings = settings_of(state_of(ctx))
    book = book_of(settings)
    moment = moment_of(at, settings)
    found = histories(book, model, provider)
    if moment is not None:
        found = tuple(holding_at(each, moment) for each in found)
    if not found:
        raise UnknownModelError(unlisted(book, model, provider))
    if state_of(ctx).json:
        show_json({"version": book.version, "at": moment, "models": [history_json(each) for each in found]})
    else:
        show("\n\n".join(history_text(each, page_of_terminal()) for each in found))


prices.add_command(diff)
prices.add_command(update)
prices.add_command(set_price)
