"""``outlay prices set``: a price of one's own, an hour of one's own hardware, or a rate of exchange."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, pairs, state_of
from outlay.cli.words import models, providers
from outlay.core.errors import UsageError
from outlay.core.money import decimal_of

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.pricing.exchange import Exchange
    from outlay.pricing.hourly import Hour
    from outlay.pricing.pricefile import NewPrice
    from outlay.settings import Settings

_PER = {"1M": 1_000_000, "1K": 1_000, "token": 1}
_UNITS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
_DIGITS = 18  # nothing gets through more tokens in an hour
_HOURLY = ("gpu_hour", "gpus", "tokens_per_hour")
_OF_A_MODEL = ("model", "provider", *_UNITS, "rate", *_HOURLY, "per", "when", "currency")


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


def _counts(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for unit, text in pairs(texts, ctx, param):
        digits = text.strip().replace("_", "")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS and int(digits)):
            raise click.BadParameter(f"{text[:_DIGITS]!r} is no whole number above 0", ctx, param)
        found[unit] = int(digits)
    return found


def _terms(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    return dict(pairs(texts, ctx, param))


def _worth(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> tuple[tuple[str, str], Decimal] | None:
    """Read CNY/USD=0.1409 as markets write it: what one of the first is worth in the second."""
    if text is None:
        return None
    [(pair, rate)] = pairs((text,), ctx, param)
    of, stroke, into = (part.strip().upper() for part in pair.partition("/"))
    if not stroke:
        raise click.BadParameter(f"{text!r} is no CNY/USD=0.1409", ctx, param)
    return (of, into), _decimal(rate, ctx, param)


@click.command("set")
@click.argument("model", required=False, shell_complete=models)
@click.option("--provider", metavar="P", shell_complete=providers,
              help="Who serves it: openai, azure, your own, …")  # fmt: skip
@click.option("--input", metavar="R", callback=_rate, help="Money for uncached input.")
@click.option("--output", metavar="R", callback=_rate, help="Money for output, reasoning too.")
@click.option("--cache-read", metavar="R", callback=_rate, help="Money for input read from a cache.")
@click.option("--cache-write", metavar="R", callback=_rate, help="Money for input written to a cache.")
@click.option("--cache-write-1h", metavar="R", callback=_rate, help="The same, where it lasts an hour.")
@click.option("--rate", metavar="UNIT=R", multiple=True, callback=_rates, help="Another unit: web_search=10.")
@click.option("--per", type=click.Choice(list(_PER)), help="How many tokens a price is for.  [default: 1M]")
@click.option("--gpu-hour", metavar="R", callback=_rate, help="Or: money for an hour of one card of yours.")
@click.option("--gpus", metavar="N", type=click.IntRange(min=1), help="So many cards.  [default: 1]")
@click.option("--tokens-per-hour", metavar="UNIT=N", multiple=True, callback=_counts,
              help="What all of them get through: output=6000000.")  # fmt: skip
@click.option("--exchange", metavar="CNY/USD=R", callback=_worth,
              help="Or, without MODEL: so many USD for one CNY.")  # fmt: skip
@click.option("--from", "start", metavar="DATE", help="From then on; without it since ever.")
@click.option("--to", "end", metavar="DATE", help="Up to then, itself left out.")
@click.option("--when", metavar="K=V", multiple=True, callback=_terms, help="Only then: batch=true, geo=eu.")
@click.option("--currency", metavar="C", help="ISO 4217.  [default: USD]")
@click.option("--source", metavar="TEXT", help="Where the price is from: a contract, a link.")
@click.option("--force", is_flag=True, help="Take even a rate a hundred times the known one.")
@data_options
@click.pass_context
def set_price(ctx: click.Context, /, **given: Any) -> None:
    """Give a model a price of your own, which stands over all others.

    It is added to the file that the setting prices names, else to prices.toml in the home folder, where the
    journals are; what stands there is not touched.
    """
    from outlay.cli.session import settings_of, tell

    settings = settings_of(state_of(ctx))
    done = _exchanged if given["exchange"] else _priced
    document, text = done(ctx, given, settings)
    file = str(settings.own_prices)
    tell(ctx, {"file": file, **document}, f"{text}\nwritten to {file}")


def _priced(ctx: click.Context, given: dict[str, Any], settings: "Settings") -> tuple[dict[str, Any], str]:
    from outlay.pricing.pricefile import add_price, named

    for name, wanted in (("model", "name a MODEL"), ("provider", "say who serves it: --provider")):
        if not given[name]:
            raise click.UsageError(f"{wanted}, or give an --exchange", ctx)
    price = _price(ctx, given, settings)
    add_price(settings.own_prices, price, now=datetime.now(UTC), force=given["force"])
    return price.to_dict(), named(price)


def _price(ctx: click.Context, given: dict[str, Any], settings: "Settings") -> "NewPrice":
    from outlay.pricing.pricefile import NewPrice

    rates = {unit: given[unit] for unit in _UNITS if given[unit] is not None} | given["rate"]
    hour = _hour(ctx, given)
    if not rates and hour is None:
        raise click.UsageError(
            "give a rate: --input, --output, --cache-read, … or --rate UNIT=R, or a --gpu-hour", ctx
        )
    if given["per"] and not rates:
        raise click.UsageError("--per is for rates, and a --gpu-hour has none", ctx)
    start, end = _span(ctx, given, settings)
    return NewPrice(
        provider=given["provider"],
        model=given["model"],
        rates=rates,
        hour=hour,
        per=_PER.get(given["per"]),
        start=start,
        end=end,
        when=given["when"],
        currency=given["currency"] or "USD",
        source=given["source"],
    )


def _hour(ctx: click.Context, given: dict[str, Any]) -> "Hour | None":
    from outlay.pricing.hourly import Hour

    money, tokens = given["gpu_hour"], given["tokens_per_hour"]
    if money is None and not tokens and given["gpus"] is None:
        return None
    if money is None or not tokens:
        raise click.UsageError("an hour needs --gpu-hour R and --tokens-per-hour UNIT=N", ctx)
    return Hour(money, tokens, given["gpus"] or 1)


def _exchanged(ctx: click.Context, given: dict[str, Any], settings: "Settings") -> tuple[dict[str, Any], str]:
    from outlay.core.money import text_of
    from outlay.pricing.pricefile import add_exchange, span_text

    if said := [name for name in _OF_A_MODEL if given[name] not in (None, {})]:
        name = "MODEL" if said[0] == "model" else f"--{said[0].replace('_', '-')}"
        raise click.UsageError(f"an --exchange is for the prices of every model: leave {name} out", ctx)
    exchange = _exchange(ctx, given, settings)
    add_exchange(settings.own_prices, exchange, force=given["force"])
    document = {
        "of": exchange.of,
        "into": exchange.into,
        "rate": text_of(exchange.rate),
        "from": exchange.start,
        "to": exchange.end,
        "source": exchange.source,
    }
    worth = f"1 {exchange.of} is {text_of(exchange.rate)} {exchange.into}"
    return document, f"{worth}{span_text(exchange.start, exchange.end)}"


def _exchange(ctx: click.Context, given: dict[str, Any], settings: "Settings") -> "Exchange":
    from outlay.pricing.exchange import Exchange

    (of, into), rate = given["exchange"]
    start, end = _span(ctx, given, settings)
    return Exchange(of, into, rate, start, end, given["source"])


def _span(
    ctx: click.Context, given: dict[str, Any], settings: "Settings"
) -> tuple[datetime | None, datetime | None]:
    from outlay.cli.session import moment_of

    start, end = moment_of(given["start"], settings), moment_of(given["end"], settings)
    if start is not None and end is not None and start >= end:
        raise click.UsageError("--to must be after --from", ctx)
    return start, end
