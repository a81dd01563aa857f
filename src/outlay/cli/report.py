"""``outlay report``: totals and breakdowns."""

import click

from outlay.cli.options import data_options, period_options, state_of


@click.command
@click.option("--by", metavar="D,D", default="", help="Dimensions: day, model, user, tag:NAME, …")
@click.option("--order", metavar="M", help="A metric, largest first, or a dimension.")
@click.option("-n", "--limit", type=click.IntRange(min=0), help="At most so many rows.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@period_options
@data_options
@click.pass_context
def report(  # noqa: PLR0913 - one parameter an option
    ctx: click.Context,
    *,
    by: str,
    order: str | None,
    limit: int | None,
    as_csv: bool,
    since: str | None,
    until: str | None,
    where: dict[str, list[str | None]],
    tz: str | None,
) -> None:
    """Totals and breakdowns of what was recorded."""
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_json
    from outlay.render.as_csv import csv_text
    from outlay.render.reports import report_text

    state = state_of(ctx)
    if as_csv and state.json:
        raise click.UsageError("take either --csv or --json", ctx)
    settings = settings_of(state)
    with reader_of(settings) as reader:
        found = reader.report(
            by, since=since, until=until, where=where, tz=tz or settings.tz, limit=limit, order=order
        )
    if state.json:
        show_json(found.to_dict())
    else:
        show(csv_text(found) if as_csv else report_text(found, page_of_terminal()))
