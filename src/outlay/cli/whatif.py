"""``outlay whatif``: what the recorded usage would have cost on other models or tariffs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from outlay.cli import words
from outlay.cli.options import data_options, period_options, state_of
from outlay.core.errors import UnknownModelError

if TYPE_CHECKING:  # loaded when the command runs: --help needs neither
    from outlay.pricing import Book
    from outlay.pricing.elsewhere import Alternative, Comparison
    from outlay.render.as_table import Page

TOKENIZERS = "token counts are taken as they are; another model's tokenizer counts the same text differently"
_NAMED = 5  # reasons that the text tells
ASSUMED: Final[Mapping[str, str]] = {
    "assumed_rate": "a unit has no rate there, another's was taken",
    "assumed_tier": "no price of that tariff is listed, an assumed one was taken",
    "extrapolated": "older than the first known price, which was taken",
    "guessed": "no price of that very date or edition is listed, another's was taken",
    "makers_price": "the seller lists no price of its own, the maker's was taken",
    "tier_unknown": "which step of the price holds is not known, the first was taken",
}
"""What the flags of a price mean, in words."""


@click.command
@click.option(
    "--model",
    metavar="M,M",
    shell_complete=words.models,
    multiple=True,
    help="Other models: gpt-4o-mini, anthropic/claude-…",
)
@click.option("--provider", metavar="P", shell_complete=words.providers,
              help="Who would serve them; without it, their makers.")  # fmt: skip
@click.option("--tier", metavar="T,T", multiple=True, help="Tariffs: batch, flex, priority, …; standard.")
@click.option("--at", metavar="DATE", help="At the prices of that day, or now; else of each call's time.")
@period_options
@data_options
@click.pass_context
def whatif(ctx: click.Context, /, **given: Any) -> None:
    """The same usage on other models or tariffs: what the calls cost, and what they would have.

    Calls whose cost is unknown on either side are left out of both sums, and counted with the reason.
    """
    from outlay.cli.rolled import rolled_of, tell_rolled
    from outlay.cli.session import (
        book_of,
        moment_of,
        page_of_terminal,
        reader_of,
        settings_of,
        show,
        show_json,
    )
    from outlay.pricing.elsewhere import TIERS, alternatives, compare_calls, unlisted
    from outlay.report.rolled import rolled_json

    models, tiers = listed(given["model"]), listed(given["tier"])
    if not models and not tiers:
        raise click.UsageError("name another --model, a --tier, or both", ctx)
    if given["provider"] and not models:
        raise click.UsageError("--provider says who would serve another --model; name one", ctx)
    settings = settings_of(state_of(ctx))
    book, at = book_of(settings), moment_of(given["at"], settings)
    asked = alternatives(models, tiers, given["provider"])
    check_known(asked, book, at)
    question = {name: given[name] for name in ("since", "until", "where")}
    question["tz"] = given["tz"] or settings.tz
    with reader_of(settings) as reader:
        calls, found = compare_calls(reader.each(**question), asked, book, at)
        rolled = rolled_of(reader, question)
    if wrong := unlisted(found):
        known = ", ".join(sorted(TIERS))
        raise click.UsageError(f"no tariff {wrong[0]!r:.60} is listed; there are {known}", ctx)
    if models:
        click.echo(f"outlay: {TOKENIZERS}", err=True)
    tell_rolled(state_of(ctx), reader, question, rolled)
    if state_of(ctx).json:
        note = {"note": TOKENIZERS} if models else {}
        told = [each.to_dict() for each in found]
        show_json({"calls": calls, "at": at, **note, "alternatives": told, **rolled_json(rolled)})
    else:
        show(_text(calls, found, page_of_terminal()))


def check_known(asked: "Sequence[Alternative]", book: "Book", at: datetime | None) -> None:
    """Say which of the models nobody knows.

    Raises:
        UnknownModelError: there are such.
    """
    from outlay.pricing.elsewhere import unknown

    if missing := unknown(asked, book, at):
        raise UnknownModelError("; ".join(dict.fromkeys(missing.values())))


def listed(texts: Sequence[str]) -> list[str]:
    """Read names that stand together, or one an option; each once."""
    return list(dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip()))


def _text(calls: int, found: "Sequence[Comparison]", page: "Page") -> str:
    from outlay.render.as_table import Column, table
    from outlay.render.cells import count, dollars, signed

    if not calls:
        return "no calls"
    lines = [(each, currency, each.sums[currency]) for each in found for currency in sorted(each.sums)]
    columns = [
        Column("as if", tuple(_name(each) for each, _, _ in lines), text=True),
        Column("calls", tuple(count(sums.calls) for _, _, sums in lines), spare=2),
        Column("cost", tuple(dollars(sums.cost, currency) for _, currency, sums in lines)),
        Column("cost there", tuple(dollars(sums.there, currency) for _, currency, sums in lines)),
        Column(
            "difference", tuple(signed(sums.difference, currency) for _, currency, sums in lines), spare=1
        ),
        Column("change", tuple(_share(sums.difference, sums.cost) for _, _, sums in lines), spare=3),
    ]
    shown = [table(columns, page)] if lines else []
    return "\n".join((*shown, *_notes(found)))


def _name(comparison: "Comparison") -> str:
    from outlay.render.cells import name

    asked = comparison.alternative
    model = "the same model" if asked.model is None else asked.model
    return name(" ".join(part for part in (asked.provider, model, asked.tier) if part))


def _share(difference: Decimal, cost: Decimal) -> str:
    return f"{float(difference / cost):+.1%}" if cost else "-"


def _notes(found: "Sequence[Comparison]") -> Iterator[str]:
    """Say what the sums rest on, and which calls are not in them: once what holds for every alternative."""
    from outlay.render.cells import many

    alike = _alike(found) if len(found) > 1 else Counter[str]()
    if alike:
        yield _left_out("each", alike)
    for each in found:
        if each.flags:
            said = (f"{ASSUMED[flag]} ({many(calls, 'call')})" for flag, calls in each.flags.most_common())
            yield f"{_name(each)}: {'; '.join(said)}"
        if own := each.left_out - alike:
            yield _left_out(_name(each), own, "more " if alike else "")


def _alike(found: "Sequence[Comparison]") -> Counter[str]:
    """Give the reasons, such as an own cost that is unknown, that leave as many calls out of each."""
    first, *others = (each.left_out for each in found)
    return Counter({why: calls for why, calls in first.items() if all(each[why] == calls for each in others)})


def _left_out(who: str, reasons: Counter[str], more: str = "") -> str:
    from outlay.render.cells import many, name

    said = "; ".join(f"{name(reason)} ({calls:,})" for reason, calls in reasons.most_common(_NAMED))
    are = many(reasons.total(), f"{more}call is", f"{more}calls are")
    return f"{who}: {are} in neither sum: {said}"
