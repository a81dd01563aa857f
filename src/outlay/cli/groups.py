"""``outlay latency``, ``errors``, ``cache``, ``quality``, ``economics`` and ``users``: groups of calls."""

from typing import Any

import click

from outlay.cli.options import data_options, format_options, limit_option, period_options
from outlay.cli.words import dimensions, metrics

_BY = "Dimensions: model, user, tag:NAME, …"
_ORDER = "A metric, largest first, or a dimension."


@click.command
@click.option("--by", metavar="D,D", shell_complete=dimensions, default="model", show_default=True, help=_BY)
@click.option(
    "--slow",
    metavar="MS",
    type=int,
    default=10_000,
    show_default=True,
    help="A call that takes longer is slow.",
)
@click.option(
    "-n",
    "--slowest",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="How many of the slowest to show.",
)
@click.option("--order", metavar="M", shell_complete=metrics, default="calls", show_default=True, help=_ORDER)
@format_options
@period_options
@data_options
@click.pass_context
def latency(ctx: click.Context, /, *, slow: int, **given: Any) -> None:
    """How long calls take, how soon they begin to answer, and the slow ones."""
    from outlay.cli.showing import answer
    from outlay.core.query import zone
    from outlay.render.views import latency_view
    from outlay.report.latency import latency_of

    answer(
        ctx,
        given,
        lambda reader, question: latency_of(reader, slow_ms=slow, **question),
        lambda found: latency_view(found, zone(found.query.tz)),
    )


@click.command
@format_options
@period_options
@data_options
@click.pass_context
def errors(ctx: click.Context, /, **given: Any) -> None:
    """Which calls fail, on which models, and the money they cost."""
    from outlay.cli.showing import answer
    from outlay.render.views import errors_view
    from outlay.report.errors import errors_of

    answer(ctx, given, lambda reader, question: errors_of(reader, **question), errors_view)


@click.command
@click.option(
    "--by", metavar="D,D", shell_complete=dimensions, default="provider,model", show_default=True, help=_BY
)
@click.option("--order", metavar="M", shell_complete=metrics, default="cost", show_default=True, help=_ORDER)
@format_options
@period_options
@data_options
@click.pass_context
def cache(ctx: click.Context, /, **given: Any) -> None:
    """How often input comes from a cache, what that saved and could."""
    from outlay.cli.options import state_of
    from outlay.cli.rates import cache_rate_of
    from outlay.cli.session import settings_of
    from outlay.cli.showing import answer
    from outlay.render.views import caching_view
    from outlay.report.caching import caching_of

    rate = cache_rate_of(settings_of(state_of(ctx)))
    answer(ctx, given, lambda reader, question: caching_of(reader, cache_rate=rate, **question), caching_view)


@click.command
@click.option("--by", metavar="D,D", shell_complete=dimensions, default="model", show_default=True, help=_BY)
@click.option("--order", metavar="M", shell_complete=metrics, default="calls", show_default=True, help=_ORDER)
@format_options
@period_options
@data_options
@click.pass_context
def quality(ctx: click.Context, /, **given: Any) -> None:
    """How good the answers are said to be, beside what they cost."""
    from outlay.cli.showing import answer
    from outlay.render.views import quality_view
    from outlay.report.quality import quality_of

    answer(ctx, given, lambda reader, question: quality_of(reader, **question), quality_view)


@click.command
@click.option("--by", metavar="D,D", shell_complete=dimensions, default="", help=_BY)
@click.option("--order", metavar="M", shell_complete=metrics, default="cost", show_default=True, help=_ORDER)
@format_options
@period_options
@data_options
@click.pass_context
def economics(ctx: click.Context, /, **given: Any) -> None:
    """What a call, a user, a session, a success and a right answer cost."""
    from outlay.cli.showing import answer
    from outlay.render.views import economics_view
    from outlay.report.economics import economics_of

    answer(ctx, given, lambda reader, question: economics_of(reader, **question), economics_view)


@click.command
@click.option("--order", metavar="M", shell_complete=metrics, default="cost", show_default=True, help=_ORDER)
@limit_option
@format_options
@period_options
@data_options
@click.pass_context
def users(ctx: click.Context, /, **given: Any) -> None:
    """What each user costs."""
    from outlay.cli.showing import answer
    from outlay.render.reports import report_view
    from outlay.report.top import top_of

    answer(
        ctx,
        given,
        lambda reader, question: top_of(reader, "users", metrics=("sessions",), **question),
        report_view,
    )
