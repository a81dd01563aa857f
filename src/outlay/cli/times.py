"""``outlay trend`` and ``outlay forecast``: what changes with time, and where the month is going."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, format_options, period_options, where_options

if TYPE_CHECKING:  # loaded when a command runs: --help needs neither
    from outlay.report import LedgerReader
    from outlay.report.trend import Trend

_SINCE = {"hour": "48h", "day": "30d", "week": "12w", "month": "365d"}


@click.command
@click.option(
    "--by", "unit", type=click.Choice(list(_SINCE)), default="day", show_default=True, help="What a row is."
)
@click.option("--pattern", is_flag=True, help="The hours of the day and the days of the week instead.")
@format_options
@period_options
@data_options
@click.pass_context
def trend(ctx: click.Context, /, *, unit: str, pattern: bool, **given: Any) -> None:
    """What changes from one hour, day, week or month to the next.

    Without --since the last 48 hours, 30 days, 12 weeks or 365 days before --until or now; a pattern is over
    all.
    """
    from outlay.cli.showing import answer
    from outlay.render.time_views import pattern_view, trend_view
    from outlay.report.asked import since_back
    from outlay.report.pattern import pattern_of
    from outlay.report.trend import trend_of

    if pattern:
        answer(ctx, given, lambda reader, question: pattern_of(reader, **question), pattern_view)
        return

    def ask(reader: "LedgerReader", question: dict[str, Any]) -> "Trend":
        return trend_of(reader, unit, **since_back(_SINCE[unit], question, reader.now()))

    answer(ctx, given, ask, trend_view)


def _amount(ctx: click.Context, param: click.Parameter, text: str) -> Decimal:
    from outlay.core.errors import UsageError
    from outlay.core.money import decimal_of

    try:
        amount = decimal_of(text)
    except UsageError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    if amount < 0:
        raise click.BadParameter(f"{text} is below 0", ctx, param)
    return amount


@click.command
@click.option(
    "--least", metavar="AMOUNT", callback=_amount, default="0", help="A day off by less does not stand out."
)
@format_options
@where_options
@data_options
@click.pass_context
def forecast(ctx: click.Context, /, **given: Any) -> None:
    """Where this month's cost is going, and the days that stand out."""
    from outlay.cli.showing import answer
    from outlay.render.time_views import forecast_view
    from outlay.report.forecast import forecast_of

    answer(ctx, given, lambda reader, question: forecast_of(reader, **question), forecast_view)


def show_overview(ctx: click.Context) -> None:
    """Print today, the last seven days and this month: what the bare command shows."""
    from outlay.cli.showing import answer
    from outlay.render.overview import overview_view
    from outlay.report.overview import overview_of

    answer(ctx, {"tz": None}, lambda reader, question: overview_of(reader, **question), overview_view)
