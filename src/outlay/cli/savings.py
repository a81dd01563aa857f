"""``outlay savings``: the few changes that would have made the recorded calls cheaper."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, format_options, period_options, state_of
from outlay.cli.words import models

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.core.record import Record
    from outlay.pricing import Book
    from outlay.pricing.elsewhere import Alternative, Comparison
    from outlay.report.savings import Change, Compare, Kind

_SMALLER = (
    ("opus", "sonnet"),
    ("sonnet", "haiku"),
    ("-pro", "-flash"),
    ("flash", "flash-lite"),
    ("large", "small"),
)
_ENDINGS = ("-mini", "-nano")
_TARIFFS = ("batch", "flex")
_ASSUMED = frozenset({"assumed_rate", "assumed_tier", "tier_unknown", "guessed"})


@click.command
@click.option(
    "--model",
    metavar="M,M",
    multiple=True,
    shell_complete=models,
    help="Other models to compare with, beside the usual.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=5_000,
    show_default=True,
    help="The newest calls of each model.",
)
@format_options
@period_options
@data_options
@click.pass_context
def savings(ctx: click.Context, /, *, model: tuple[str, ...], **given: Any) -> None:
    """The few changes that would have made your calls cheaper.

    The newest calls of the five dearest models of the last 30 days, or since --since, are priced again: on
    smaller models of the same provider, on others that you use there, as a batch, as flex, with a cache.
    """
    from outlay.cli.rates import cache_rate_of
    from outlay.cli.session import book_of, settings_of
    from outlay.cli.showing import answer
    from outlay.cli.whatif import check_known, listed
    from outlay.pricing.elsewhere import alternatives
    from outlay.render.views import savings_view
    from outlay.report.asked import since_back
    from outlay.report.savings import savings_of

    settings = settings_of(state_of(ctx))
    book, rate = book_of(settings), cache_rate_of(settings)
    others = listed(model)
    if others:
        check_known(alternatives(others, (), None), book, None)
    answer(
        ctx,
        given,
        lambda reader, question: savings_of(
            reader,
            comparison(
                book,
                [*others, *(row["model"] for row in reader.rows("model", detail="sums").rows)],
            ),
            cache_rate=rate,
            **since_back("30d", question, reader.now()),
        ),
        savings_view,
    )


def comparison(book: "Book", models: Sequence[str | None]) -> "Compare":
    """Give the function that prices a model's calls on other models and tariffs."""
    from outlay.pricing.elsewhere import compare_calls

    def compare(provider: str | None, model: str | None, records: "Iterable[Record]") -> "Iterator[Change]":
        others = list(_others(book, provider, model, models))
        _, found = compare_calls(records, others, book)
        for each in found:
            yield from _changes(provider, model, each)

    return compare


def _others(
    book: "Book", provider: str | None, model: str | None, models: Sequence[str | None]
) -> "Iterator[Alternative]":
    from outlay.pricing import Unpriced
    from outlay.pricing.elsewhere import Alternative

    for tariff in _TARIFFS:
        yield Alternative(tier=tariff)
    ours = book.resolve(provider, model)
    for name in dict.fromkeys((*smaller(model or ""), *(each for each in models if each))):
        card = book.resolve(provider, name)
        if isinstance(card, Unpriced) or isinstance(ours, Unpriced) or card.model == ours.model:
            continue
        if card.provider == "mock" != ours.provider:  # the demonstration's, known everywhere and sold nowhere
            continue
        if not _ASSUMED & set(card.flags):
            yield Alternative(name, provider)


def smaller(model: str) -> Iterator[str]:
    """Guess the names of smaller models of the same family; the book knows which of them there are."""
    yield from (f"{model}{ending}" for ending in _ENDINGS)
    for larger, less in _SMALLER:
        if larger in model and less not in model:
            yield model.replace(larger, less)


def _changes(provider: str | None, model: str | None, found: "Comparison") -> "Iterator[Change]":
    from outlay.report.savings import Change

    if _ASSUMED & found.flags.keys():
        return
    asked = found.alternative
    kind: Kind = "model" if asked.model is not None else "batch" if asked.tier == "batch" else "tier"
    for currency, sums in found.sums.items():
        yield Change(
            kind=kind,
            provider=provider,
            model=model,
            to=asked.model or asked.tier or "",
            calls=sums.calls,
            cost=sums.cost,
            cost_there=sums.there,
            currency=currency,
            left_out=found.left_out.total(),
        )
