"""``outlay dashboard``: where the money goes, as a picture or a page."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, period_options, state_of

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.report import LedgerReader
    from outlay.report.picture import Picture


@click.command
@click.option("--png", metavar="FILE", help="Write the 2x2 picture, 1200 by 800; needs the extra png.")
@click.option(
    "--html", metavar="FILE", help="Write one page with filters, which works offline; needs the extra html."
)
@click.option(
    "--feature", metavar="D", help="The dimension that is a feature on the page: query_type, tag:NAME."
)
@period_options
@data_options
@click.pass_context
def dashboard(
    ctx: click.Context,
    /,
    *,
    png: str | None,
    html: str | None,
    feature: str | None,
    tz: str | None,
    **question: Any,
) -> None:
    """Where the money goes, as a picture or a page.

    The picture has daily cost, cost by model, latency distribution and success rate; the page also users,
    features, tokens, agents and the dearest calls, with filters. --json prints the picture's figures.
    """
    from outlay.cli.session import reader_of, settings_of, show_json
    from outlay.report.picture import picture_of

    if png is None and html is None and not state_of(ctx).json:
        raise click.UsageError("say what to make: --png FILE, --html FILE, or --json for the figures", ctx)
    settings = settings_of(state_of(ctx))
    question["tz"] = tz or settings.tz
    with reader_of(settings) as reader:
        picture = picture_of(reader, **question)
        saved = list(_saved(reader, picture, png, html, feature, question))
    if state_of(ctx).json:
        show_json(picture.to_dict())
    else:
        for path in saved:
            click.echo(f"Dashboard saved to {path}")


def _saved(
    reader: "LedgerReader",
    picture: "Picture",
    png: str | None,
    html: str | None,
    feature: str | None,
    question: dict[str, Any],
) -> Iterator[str]:
    if png is not None:
        from outlay.render.png import png_bytes

        _replace(Path(png), png_bytes(picture))
        yield png
    if html is not None:
        from outlay.render.html import html_text
        from outlay.report.page import page_of

        page = page_of(reader, feature=feature, **question)
        _replace(Path(html), html_text(page).encode("utf-8", "replace"))
        yield html


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; the picture of yesterday is replaced by that of today."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
