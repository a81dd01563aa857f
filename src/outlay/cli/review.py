"""``outlay review``: the week's letter, in Markdown or HTML; sent by the alert channels if asked."""

import os
from pathlib import Path
from typing import Any

import click

from outlay.cli.options import data_options, state_of, where_options
from outlay.cli.words import files


@click.command
@click.option(
    "--week", metavar="W", default="last", show_default=True, help="this, last, or one such as 2026-W47."
)
@click.option(
    "--html", metavar="FILE", shell_complete=files, help="Write the letter as a page instead of printing it."
)
@click.option("--send", is_flag=True, help="Send it over the channels that alerts go to.")
@where_options
@data_options
@click.pass_context
def review(
    ctx: click.Context, /, *, week: str, html: str | None, send: bool, tz: str | None, where: dict[str, Any]
) -> int:
    """The week's letter: what it cost, what changed, what to do.

    A week is beside the one before: cost by day, what changed by model and why, what is expensive, what is
    slow, what fails, and what would have saved money. Printed as Markdown.
    """
    from outlay.cli.savings import comparison
    from outlay.cli.session import book_of, reader_of, replace_file, settings_of, show, show_json
    from outlay.core.query import zone
    from outlay.render.letter import letter_html, letter_markdown
    from outlay.report.review import review_of

    settings = settings_of(state_of(ctx))
    shown_in = tz or settings.tz
    book = book_of(settings)
    with reader_of(settings) as reader:
        models = [row["model"] for row in reader.rows("model", since="30d", detail="sums").rows]
        found = review_of(reader, week, tz=shown_in, where=where, compare=comparison(book, models))
    letter = letter_markdown(found, zone(shown_in))
    failed = _send(settings.alerts, letter) if send else 0
    if html is not None:
        replace_file(Path(html), letter_html(found, zone(shown_in)).encode("utf-8", "replace"))
        click.echo(f"Review saved to {html}", err=state_of(ctx).json)
    if found.complete and not found.trend.total["calls"]:
        click.echo("outlay: --week this tells of the week that goes on", err=True)
    if state_of(ctx).json:
        show_json(found.to_dict())
    elif html is None:
        show(letter)
    return failed


def _send(alerts: Any, letter: str) -> int:
    """Send the letter over every channel; 1 if one did not take it."""
    from outlay.alerts.send import channels_of, reason_of
    from outlay.core.errors import SettingsError

    channels = channels_of(alerts, os.environ)
    if not channels:
        raise SettingsError(
            "no channel is set up; OUTLAY_ALERT_SLACK, OUTLAY_ALERT_EMAIL or [alerts] in outlay.toml name one"
        )
    failed = 0
    for name, channel in channels.items():
        try:
            channel(letter)
        except Exception as error:  # noqa: BLE001 - a channel may fail in any way; the others still go out
            click.echo(f"outlay: {name} did not take the review: {reason_of(error)}", err=True)
            failed = 1
    return failed
