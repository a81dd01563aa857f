"""``outlay top``: what costs most or takes longest: calls, or groups of them."""

from collections.abc import Mapping
from typing import Any

import click

from outlay.cli.options import data_options, format_options, period_options
from outlay.cli.words import ranked

_ORDERS: Mapping[str, str] = {
    "cost": "cost",
    "latency": "avg_latency_ms",
    "calls": "calls",
    "tokens": "total_tokens",
    "errors": "errors",
}
_OF_CALLS = ("cost", "latency")


@click.command
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=10, show_default=True, help="At most so many."
)
@click.option(
    "--by", type=click.Choice(list(_ORDERS)), default="cost", show_default=True, help="What counts."
)
@click.option(
    "--of",
    metavar="WHAT",
    shell_complete=ranked,
    default="calls",
    show_default=True,
    help="calls, users, sessions, features, models, or a dimension.",
)
@format_options
@period_options
@data_options
@click.pass_context
def top(ctx: click.Context, /, *, by: str, of: str, **given: Any) -> None:
    """The dearest or slowest calls, users, sessions, features.

    Features are the tag feature, or query types where no call has that tag.
    """
    from outlay.cli.calls import print_calls
    from outlay.cli.showing import answer
    from outlay.render.reports import report_view
    from outlay.report.top import top_of

    if of == "calls":
        if by not in _OF_CALLS:
            raise click.UsageError(f"single calls are ranked by {' or '.join(_OF_CALLS)}, not by {by}", ctx)
        limit = given.pop("limit")
        print_calls(ctx, limit, "cost" if by == "cost" else "latency", given)
        return
    answer(
        ctx, given, lambda reader, question: top_of(reader, of, order=_ORDERS[by], **question), report_view
    )
