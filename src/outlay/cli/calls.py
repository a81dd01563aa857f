"""``outlay calls``, ``outlay top`` and ``outlay explain``: single calls."""

from typing import Any

import click

from outlay.cli.options import data_options, period_options, state_of
from outlay.core.errors import LedgerError
from outlay.core.query import Order


@click.command
@click.option(
    "-n", "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="At most so many."
)
@period_options
@data_options
@click.pass_context
def calls(ctx: click.Context, /, *, limit: int, **question: Any) -> None:
    """Single calls, newest first."""
    _print_calls(ctx, limit, "time", question)


@click.command
@click.option(
    "-n", "--limit", type=click.IntRange(min=0), default=10, show_default=True, help="At most so many."
)
@click.option(
    "--by", type=click.Choice(["cost", "latency"]), default="cost", show_default=True, help="What counts."
)
@period_options
@data_options
@click.pass_context
def top(ctx: click.Context, /, *, limit: int, by: Order, **question: Any) -> None:
    """The dearest or slowest calls."""
    _print_calls(ctx, limit, by, question)


@click.command
@click.argument("record_id", metavar="ID")
@click.option("--tz", metavar="ZONE", help="The time zone that times are shown in.")
@data_options
@click.pass_context
def explain(ctx: click.Context, *, record_id: str, tz: str | None) -> None:
    """How the cost of one call came about, line by line.

    ID is that of `outlay calls`, or its beginning if only one call has it.
    """
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_json
    from outlay.core.codec import cost_json, record_json
    from outlay.core.query import zone
    from outlay.render.explain import explain_text

    settings = settings_of(state_of(ctx))
    shown_in = zone(tz or settings.tz)
    with reader_of(settings) as reader:
        record, costs = reader.get(record_id), reader.revisions(record_id)
    if record is None:
        raise LedgerError(f"no single call has the id {record_id!r:.60}; `outlay calls` lists them")
    if state_of(ctx).json:
        earlier = [{"at": each.at, **cost_json(each.charge)} for each in costs]
        revised = {"costs": earlier} if len(costs) > 1 else {}
        show_json({**record_json(record), "flags": list(record.flags), **revised})
    else:
        show(explain_text(record, page_of_terminal(), shown_in, costs))


def _print_calls(ctx: click.Context, limit: int, order: Order, question: dict[str, Any]) -> None:
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_json
    from outlay.core.codec import record_json
    from outlay.core.query import zone
    from outlay.render.calls import calls_text

    settings = settings_of(state_of(ctx))
    tz = question.pop("tz") or settings.tz
    with reader_of(settings) as reader:
        found = reader.calls(limit, order, tz=tz, **question)
    if state_of(ctx).json:
        show_json({"calls": [record_json(record) for record in found]})
    else:
        show(calls_text(found, page_of_terminal(), zone(tz)))
