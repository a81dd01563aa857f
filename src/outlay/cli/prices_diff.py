"""``outlay prices diff``: our book beside other lists, or two price books beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.inputs import check_input
from outlay.cli.options import data_options, state_of
from outlay.cli.words import files, providers
from outlay.core.errors import MissingExtraError

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.pricing import Book, PriceChange
    from outlay.pricing.agreement import Agreement, Disagreement, Tally
    from outlay.render.as_table import Page


@click.command("diff")
@click.argument("books", metavar="[OLD NEW]", shell_complete=files, nargs=-1)
@click.option("--provider", metavar="P", shell_complete=providers, help="Only this one.")
@click.option(
    "--litellm",
    metavar="FILE|URL",
    shell_complete=files,
    help="litellm's price map, or a wheel that holds it.",
)
@click.option("--at", metavar="DATE", help="The prices of then; without it of now.")
@click.option("-n", "--limit", type=click.IntRange(min=0), default=40, show_default=True,
              help="At most so many differences; --json gives all.")  # fmt: skip
@data_options
@click.pass_context
def diff(ctx: click.Context, /, *, books: tuple[str, ...], limit: int, **given: Any) -> None:
    """Where our prices and other lists differ, or OLD and NEW.

    Without OLD and NEW, the book is laid beside genai-prices, if that is installed, and beside litellm's map
    as --litellm names it. OLD and NEW are price files, or folders of tables: their standard rates are laid
    beside each other, below every size; those of tariffs, regions and sizes are not, nor factors.
    """
    from outlay.cli.session import book_of, moment_of, page_of_terminal, settings_of, tell
    from outlay.core.providers import provider_id

    settings = settings_of(state_of(ctx))
    at = moment_of(given["at"], settings) or datetime.now(UTC)
    provider = provider_id(given["provider"])
    if books:
        changes = _changes(ctx, books, at, provider)
        document: dict[str, Any] = {"at": at, "changes": [change_json(each) for each in changes]}
        text = changes_text(changes, limit, page_of_terminal()) if not state_of(ctx).json else ""
    else:
        book = book_of(settings)
        found = dict(_agreements(book, at, provider, given["litellm"]))
        lists = [{"list": name, **_agreement_json(each)} for name, each in found.items()]
        document = {"version": book.version, "at": at, "lists": lists}
        text = "\n\n".join(
            _agreement_text(name, each, limit, page_of_terminal()) for name, each in found.items()
        )
    tell(ctx, document, text)


def _agreements(
    book: "Book", at: datetime, provider: str | None, litellm: str | None
) -> "Iterator[tuple[str, Agreement]]":
    """Compare with every list that is at hand; at least one must be."""
    from outlay.pricing.agreement import compare_lists
    from outlay.pricing.sources import fetch, genai_listed, litellm_listed, litellm_map

    try:
        yield "genai-prices", compare_lists(book, genai_listed(at), at, provider)
    except MissingExtraError as error:
        if litellm is None:
            raise
        click.echo(f"outlay: {error}", err=True)
    if litellm is not None:
        check_input(litellm, "name litellm's price map, or its URL")
        listed = litellm_listed(litellm_map(fetch(litellm), litellm))
        yield "litellm", compare_lists(book, listed, at, provider)


def _agreement_json(found: "Agreement") -> dict[str, Any]:
    return {
        "total": _tally_json(found.total),
        "by_provider": {name: _tally_json(tally) for name, tally in found.by_provider().items()},
        "by_unit": {name: _tally_json(tally) for name, tally in found.by_unit().items()},
        "disagreements": [each.to_dict() for each in found.disagreements],
    }


def _tally_json(tally: "Tally") -> dict[str, int]:
    return {"compared": tally.compared, "agree": tally.agree, "only_theirs": tally.only_theirs}


def _agreement_text(name: str, found: "Agreement", limit: int, page: "Page") -> str:
    total = found.total
    agree = f"{total.agree:,} of {total.compared:,} rates agree to a tenth of a percent"
    parts = [
        f"{name}: {agree}, {total.only_theirs:,} are only there",
        _tallies("provider", found.by_provider(), page),
        _tallies("unit", found.by_unit(), page),
    ]
    if found.disagreements:
        parts.append(_disagreements(found.disagreements[:limit], page))
        parts += _more(len(found.disagreements) - limit)
    return "\n\n".join(parts)


def _tallies(heading: str, tallies: "Mapping[str, Tally]", page: "Page") -> str:
    from outlay.render.as_table import Column, table
    from outlay.render.cells import MISSING, count, name

    rows = list(tallies.items())
    shares = [f"{each.agree / each.compared:.1%}" if each.compared else MISSING for _, each in rows]
    return table(
        [
            Column(heading, tuple(name(each) for each, _ in rows), text=True),
            Column("agree", tuple(count(each.agree) for _, each in rows)),
            Column("compared", tuple(count(each.compared) for _, each in rows)),
            Column("share", tuple(shares)),
            Column("only there", tuple(count(each.only_theirs) for _, each in rows), spare=1),
        ],
        page,
    )


def _disagreements(found: "Sequence[Disagreement]", page: "Page") -> str:
    from outlay.core.money import rate_text
    from outlay.render.as_table import Column, table
    from outlay.render.cells import name

    units = [" ".join((each.unit, *(value for _, value in each.terms))) for each in found]
    return table(
        [
            Column("provider", tuple(name(each.provider) for each in found), text=True),
            Column("model", tuple(name(each.model) for each in found), text=True),
            Column("unit", tuple(name(unit) for unit in units), text=True),
            Column("ours", tuple(rate_text(each.ours) for each in found)),
            Column("theirs", tuple(rate_text(each.theirs) for each in found)),
            Column("per", tuple(f"{each.per:,}" for each in found), spare=4),
            Column("ours in", tuple(each.currency for each in found), text=True, spare=5),
            Column("retired", tuple(each.deprecated or "" for each in found), text=True, spare=2),
            Column("ours is from", tuple(name(each.source) for each in found), text=True, spare=3),
            Column("ruling", tuple(name(each.ruling) for each in found), text=True, spare=1),
        ],
        page,
    )


def _changes(
    ctx: click.Context, books: tuple[str, ...], at: datetime, provider: str | None
) -> "list[PriceChange]":
    from outlay.pricing.compare import price_changes

    if len(books) != len(("old", "new")):
        raise click.UsageError("name two price files or folders, OLD and NEW, or none", ctx)
    old, new = (_book(name) for name in books)
    return list(price_changes((old, at), (new, at), None if provider is None else [provider]))


def _book(name: str) -> "Book":
    from outlay.pricing import Book

    path = Path(name)
    check_input(
        str(path / "overlay.toml") if path.is_dir() else name, "name a price file, or a folder of tables"
    )
    return Book.at(path) if path.is_dir() else Book.of(path)


def change_json(change: "PriceChange") -> dict[str, Any]:
    """Give a change with its sides as Decimals."""
    names = ("provider", "model", "unit", "before", "after", "per", "currency", "currency_before")
    return {name: getattr(change, name) for name in names}


def changes_text(changes: "Sequence[PriceChange]", limit: int, page: "Page") -> str:
    """Show the first changes, and how many more there are."""
    from outlay.core.money import rate_text
    from outlay.render.as_table import Column, table
    from outlay.render.cells import MISSING, name

    if not changes:
        return "no standard price differs"
    shown = changes[:limit]
    columns = [
        Column("provider", tuple(name(each.provider) for each in shown), text=True),
        Column("model", tuple(name(each.model) for each in shown), text=True),
        Column("unit", tuple(name(each.unit) for each in shown), text=True),
        *(
            Column(side, tuple(MISSING if rate is None else rate_text(rate) for rate in rates))
            for side, rates in (("old", [e.before for e in shown]), ("new", [e.after for e in shown]))
        ),
        Column("per", tuple(f"{each.per:,}" for each in shown), spare=1),
        Column("currency", tuple(_currency(each) for each in shown), text=True, spare=1),
    ]
    return "\n".join((table(columns, page), *_more(len(changes) - limit)))


def _currency(change: "PriceChange") -> str:
    was, now = change.currency_before, change.currency
    return now if was == now else f"{was} to {now}"


def _more(left: int) -> list[str]:
    return [f"{left:,} more differences; --limit or --json shows them"] if left > 0 else []
