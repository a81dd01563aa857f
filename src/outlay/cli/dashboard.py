"""``outlay dashboard``: where the money goes, as a picture."""

import os
from pathlib import Path
from typing import Any

import click

from outlay.cli.options import data_options, period_options, state_of


@click.command
@click.option("--png", metavar="FILE", help="Write the 2x2 picture, 1200 by 800; needs the extra png.")
@period_options
@data_options
@click.pass_context
def dashboard(ctx: click.Context, /, *, png: str | None, tz: str | None, **question: Any) -> None:
    """Where the money goes, as a picture.

    Daily cost, cost by model, latency distribution and success rate. --json prints the figures instead.
    """
    from outlay.cli.session import reader_of, settings_of, show_json
    from outlay.report.picture import picture_of

    if png is None and not state_of(ctx).json:
        raise click.UsageError("say what to make: --png FILE, or --json for the figures", ctx)
    settings = settings_of(state_of(ctx))
    with reader_of(settings) as reader:
        picture = picture_of(reader, tz=tz or settings.tz, **question)
    if png is not None:
        from outlay.render.png import png_bytes

        _replace(Path(png), png_bytes(picture))
    if state_of(ctx).json:
        show_json(picture.to_dict())
    else:
        click.echo(f"Dashboard saved to {png}")


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; the picture of yesterday is replaced by that of today."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
