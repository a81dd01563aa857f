"""``outlay report``: totals and breakdowns, each row with its share of the total."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, format_options, period_options
from outlay.cli.words import dimensions, metrics, more_metrics

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.settings import Settings


@click.command
@click.option(
    "--by",
    metavar="D,D",
    shell_complete=dimensions,
    default="",
    help="Dimensions: day, model, user, tag:NAME, …",
)
@click.option("--order", metavar="M", shell_complete=metrics, help="A metric, largest first, or a dimension.")
@click.option("-n", "--limit", type=click.IntRange(min=0), help="At most so many rows.")
@click.option(
    "--share",
    metavar="M",
    shell_complete=metrics,
    default="cost",
    show_default=True,
    help="The metric of which each row's share is shown.",
)
@click.option(
    "--metric",
    "metrics",
    metavar="M",
    multiple=True,
    shell_complete=more_metrics,
    help="One more: p90_latency_ms, users, slow:5000, …",
)
@format_options
@period_options
@data_options
@click.pass_context
def report(ctx: click.Context, /, *, share: str, **given: Any) -> None:
    """Totals and breakdowns of what was recorded."""
    from outlay.cli.rolled import tell
    from outlay.cli.session import reader_of, settings_of, show_csv
    from outlay.cli.showing import one_form, print_found, tell_price_gaps
    from outlay.cli.unmatched import tell_missing_tags, tell_unmatched
    from outlay.render.as_csv import csv_text
    from outlay.render.reports import report_notes, report_view, with_counts
    from outlay.render.rolled import of_rolled
    from outlay.report.shares import check_shared, shares_of

    state = one_form(ctx)
    check_shared(share)  # a mistyped name, also where there are no rows to have shares
    settings = settings_of(state)
    if not (state.json or state.csv):  # a program that asks for a metric gets that one
        given["metrics"] = with_counts(given["metrics"])
    question = {**given, "tz": given["tz"] or settings.tz}
    with reader_of(settings) as reader:
        found = reader.report(**question)
        none = not found.total["calls"] and not found.rolled_unknown
        is_told = tell_unmatched(state, reader, question, none=none)
        tell_missing_tags(state, reader, question, found)
    if found.query.by:
        found = shares_of(found, share)
    if state.csv:
        show_csv(csv_text(found))
        tell(of_rolled(report_notes(found)))
        tell_price_gaps(found.price_gaps)
    else:
        print_found(state, found, report_view)
    if none and not (is_told or state.csv or state.json or state.markdown):
        click.echo(f"outlay: {_why_none(given, settings)}", err=True)


def _why_none(given: Mapping[str, Any], settings: "Settings") -> str:
    """Say of a report without calls what shows some, or where it looked."""
    from outlay.cli.unmatched import NOTHING_THEN
    from outlay.core.addresses import is_server, shown

    if given["since"] or given["until"]:
        return NOTHING_THEN
    named = settings.ledger or str(settings.home)
    if is_server(named) and settings.peek:  # a server that this home does not feed
        return f"nothing in {shown(named)}; outlay ship --ledger URL brings there what this home recorded"
    place = shown(named) if is_server(named) else named
    return f"nothing in {place}; outlay doctor says where calls are looked for"
