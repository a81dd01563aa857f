"""``outlay calls`` and ``outlay explain``: single calls."""

from typing import Any

import click

from outlay.cli.options import data_options, format_options, limit_option, period_options, state_of
from outlay.cli.words import ids, zones
from outlay.core.errors import LedgerError
from outlay.core.query import Order


@click.command
@limit_option
@format_options
@period_options
@data_options
@click.pass_context
def calls(ctx: click.Context, /, *, limit: int, **question: Any) -> None:
    """Single calls, newest first."""
    print_calls(ctx, limit, "time", question)


@click.command
@click.argument("record_id", metavar="ID", shell_complete=ids)
@click.option("--tz", metavar="ZONE", shell_complete=zones, help="The time zone that times are shown in.")
@data_options
@click.pass_context
def explain(ctx: click.Context, *, record_id: str, tz: str | None) -> None:
    """How the cost of one call came about, line by line.

    ID is that of `outlay calls`, or its beginning if only one call has it.
    """
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_json
    from outlay.core.codec import cost_json, record_json
    from outlay.core.query import zone
    from outlay.render.explain import ALIKE, explain_text, not_one

    settings = settings_of(state_of(ctx))
    shown_in = zone(tz or settings.tz)
    with reader_of(settings) as reader:
        record, costs = reader.get(record_id), reader.revisions(record_id)
        alike = () if record is not None else reader.ids(record_id, ALIKE)
    if record is None:
        raise LedgerError(not_one(record_id, alike))
    if state_of(ctx).json:
        earlier = [{"at": each.at, **cost_json(each.charge)} for each in costs]
        revised = {"costs": earlier} if len(costs) > 1 else {}
        show_json({**record_json(record), "flags": list(record.flags), **revised})
    else:
        show(explain_text(record, page_of_terminal(), shown_in, costs))


def print_calls(ctx: click.Context, limit: int, order: Order, question: dict[str, Any]) -> None:
    """Ask for single calls in an order and print them in the form that is asked for."""
    from outlay.cli.rolled import nothing_rolled, rolled_of, tell_rolled
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_csv, show_json
    from outlay.cli.showing import one_form
    from outlay.cli.unmatched import tell_unmatched
    from outlay.core.codec import record_json
    from outlay.core.query import zone
    from outlay.render.calls import calls_view
    from outlay.render.sheets import view_csv, view_markdown, view_text
    from outlay.report.rolled import rolled_json

    state = one_form(ctx)
    settings = settings_of(state)
    tz = question.pop("tz") or settings.tz
    with reader_of(settings) as reader:
        found = reader.calls(limit, order, tz=tz, **question)
        asked = {**question, "tz": tz}
        older = order == "time" and len(found) == limit  # then daily totals, the oldest, are not asked for
        rolled = nothing_rolled() if older else rolled_of(reader, asked)
        if not tell_rolled(state, reader, asked, rolled):
            tell_unmatched(state, reader, asked, none=not found)
    if state.json:
        show_json({"calls": [record_json(record) for record in found], **rolled_json(rolled)})
        return
    view = calls_view(found, zone(tz))
    if state.csv:
        show_csv(view_csv(view))
    else:
        show(view_markdown(view) if state.markdown else view_text(view, page_of_terminal()))
