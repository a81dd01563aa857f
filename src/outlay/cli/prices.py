"""``outlay prices``: the price book, and prices of one's own."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.near import NearGroup
from outlay.cli.options import data_options, pairs, state_of
from outlay.cli.prices_diff import diff
from outlay.cli.prices_update import update
from outlay.core.errors import UnknownModelError, UsageError
from outlay.core.money import decimal_of

if TYPE_CHECKING:  # loaded when a command runs: --help needs neither
    from datetime import datetime

    from outlay.pricing import Book
    from outlay.settings import Settings

_PER = {"1M": 1_000_000, "1K": 1_000, "token": 1}


@click.group(cls=NearGroup)
@data_options
def prices() -> None:
    """The price book, and prices of your own."""


@prices.command("show")
@click.argument("model")
@click.option("--provider", metavar="P", help="Who serves it; without it, its maker.")
@click.option("--at", metavar="DATE", help="Only what holds then: now, 2026-11-01, 2026-11-01T12:00:00Z, …")
@data_options
@click.pass_context
def show_history(ctx: click.Context, /, *, model: str, provider: str | None, at: str | None) -> None:
    """The history of a model's price."""
    from outlay.cli.price_tables import history_json, history_text
    from outlay.cli.session import page_of_terminal, settings_of, show, show_json
    from outlay.pricing.history import at as holding_at
    from outlay.pricing.history import histories

    settings = settings_of(state_of(ctx))
    book = book_of(settings)
    moment = moment_of(at, settings)
    found = histories(book, model, provider)
    if moment is not None:
        found = tuple(holding_at(each, moment) for each in found)
    if not found:
        raise UnknownModelError(_unknown(book, model, provider))
    if state_of(ctx).json:
        show_json({"version": book.version, "at": moment, "models": [history_json(each) for each in found]})
    else:
        show("\n\n".join(history_text(each, page_of_terminal()) for each in found))


prices.add_command(diff)
prices.add_command(update)


def _rate(ctx: click.Context, param: click.Parameter, text: str | None) -> Decimal | None:
    return None if text is None else _decimal(text, ctx, param)


def _rates(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, Decimal]:
    return {unit: _decimal(text, ctx, param) for unit, text in pairs(texts, ctx, param)}


def _decimal(text: str, ctx: click.Context, param: click.Parameter) -> Decimal:
    try:
        rate = decimal_of(text, "a rate")
    except UsageError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    if rate < 0:
        raise click.BadParameter(f"a rate cannot be negative ({text})", ctx, param)
    return rate


def _terms(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    return dict(pairs(texts, ctx, param))


@prices.command("set")
@click.argument("model")
@click.option("--provider", metavar="P", required=True, help="Who serves it: openai, azure, your own, …")
@click.option("--input", metavar="R", callback=_rate, help="Money for uncached input.")
@click.option("--output", metavar="R", callback=_rate, help="Money for output, reasoning too.")
@click.option("--cache-read", metavar="R", callback=_rate, help="Money for input read from a cache.")
@click.option("--cache-write", metavar="R", callback=_rate, help="Money for input written to a cache.")
@click.option("--cache-write-1h", metavar="R", callback=_rate, help="The same for an hour.")
@click.option("--rate", metavar="UNIT=R", multiple=True, callback=_rates, help="Another unit: web_search=10.")
@click.option("--per", type=click.Choice(list(_PER)), help="What they are meant for.  [default: 1M]")
@click.option("--from", "start", metavar="DATE", help="From then on; without it since ever.")
@click.option("--when", metavar="K=V", multiple=True, callback=_terms, help="Only then: batch=true, geo=eu.")
@click.option("--currency", metavar="C", default="USD", show_default=True, help="ISO 4217.")
@click.option("--source", metavar="TEXT", help="Where the price is from: a contract, a link.")
@click.option("--force", is_flag=True, help="Take even a rate a hundred times the known one.")
@data_options
@click.pass_context
def set_price(ctx: click.Context, /, **given: Any) -> None:
    """Give a model a price of your own, which stands over all others.

    It is added to the file that the setting prices names, else to prices.toml beside the ledger; what stands
    there is not touched.
    """
    from datetime import UTC, datetime

    from outlay.cli.session import settings_of, show, show_json
    from outlay.pricing.pricefile import NewPrice, add_price, named

    units = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    rates = {unit: given[unit] for unit in units if given[unit] is not None} | given["rate"]
    if not rates:
        raise click.UsageError("give a rate: --input, --output, --cache-read, … or --rate UNIT=R", ctx)
    settings = settings_of(state_of(ctx))
    price = NewPrice(
        provider=given["provider"],
        model=given["model"],
        rates=rates,
        per=_PER.get(given["per"]),
        start=moment_of(given["start"], settings),
        when=given["when"],
        currency=given["currency"],
        source=given["source"],
    )
    add_price(settings.own_prices, price, now=datetime.now(UTC), force=given["force"])
    if state_of(ctx).json:
        show_json({"file": str(settings.own_prices), **price.to_dict()})
    else:
        show(f"{named(price)}\nwritten to {settings.own_prices}")


def book_of(settings: "Settings") -> "Book":
    """Give the book that calls are priced by."""
    from outlay import process

    return process.use(settings).book()


def moment_of(text: str | None, settings: "Settings") -> "datetime | None":
    """Read an instant as the options --since and --until do."""
    from datetime import UTC, datetime

    from outlay.core.period import moment
    from outlay.core.query import zone

    return moment(text, datetime.now(UTC), zone(settings.tz))


def _unknown(book: "Book", model: str, provider: str | None) -> str:
    from outlay.pricing import Unpriced

    card = book.resolve(provider, model)
    if isinstance(card, Unpriced):
        return card.reason
    return f"no listed price of {model} is known; calls are priced as {card.provider} {card.model}"
