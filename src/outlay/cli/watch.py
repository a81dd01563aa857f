"""``outlay watch``: calls and spend as they happen, from the journals of all processes."""

import sys
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outlay.cli.options import data_options, state_of

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.core.record import Record
    from outlay.journal import Follower

_PAUSE = 0.5


def _a_number(ctx: click.Context, param: click.Parameter, seconds: float | None) -> float | None:
    if seconds is not None and isnan(seconds):  # which no range refuses, and which never is over
        raise click.BadParameter("nan is no number of seconds", ctx, param)
    return seconds


@click.command
@click.option(
    "--for",
    "seconds",
    metavar="S",
    type=click.FloatRange(min=0),
    callback=_a_number,
    help="End after so many seconds.",
)
@data_options
@click.pass_context
def watch(ctx: click.Context, /, *, seconds: float | None) -> None:
    """Calls and spend as they happen, from the journals.

    On a terminal a live view, which needs the extra watch; q or Ctrl-C ends it. In a pipe a line a call, with
    --json as JSON lines. Only what comes in from now on is shown; outlay report knows the rest.
    """
    from outlay.cli.session import check_typed, settings_of
    from outlay.core.query import zone
    from outlay.journal import Follower

    settings = settings_of(state_of(ctx))
    check_typed(settings)
    follower = Follower(settings.journal)
    if sys.stdout.isatty() and not state_of(ctx).json:
        from outlay.cli.watch_view import show_live

        show_live(follower, zone(settings.tz), _place(settings.journal), seconds)
        return
    for record in _calls(follower, seconds):
        click.echo(_line(record, as_json=state_of(ctx).json))
        sys.stdout.flush()


def _calls(follower: "Follower", seconds: float | None) -> "Iterator[Record]":
    import time

    from outlay.core.record import Record

    end = None if seconds is None else time.monotonic() + seconds
    while True:
        last_look = end is not None and time.monotonic() >= end
        yield from (entry for entry in follower.poll() if isinstance(entry, Record))
        if last_look:
            return
        time.sleep(_PAUSE)


def _line(record: "Record", *, as_json: bool) -> str:
    from outlay.journal import line_of
    from outlay.render.calls import tokens_of
    from outlay.render.cells import count, dollars, milliseconds, name

    if as_json:
        return line_of(record).decode().rstrip()
    status = "success" if record.success else name(record.error_type or "error")
    into, out = tokens_of(record)
    tokens = f"{count(into)} in, {count(out)} out"
    cost = dollars(record.cost, record.currency)
    return (
        f"{record.at:%Y-%m-%d %H:%M:%S}Z  {name(record.provider)} {name(record.model)}  {tokens}  "
        f"{milliseconds(record.latency_ms)}  {cost}  {status}"
    )


def _place(folder: Path) -> str:
    return str(folder.parent)
