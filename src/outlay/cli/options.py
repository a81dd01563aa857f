"""Options that several commands share, and how their texts become questions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from outlay.cli.words import filters, folders, zones

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(slots=True)
class State:
    """What stands before or after the subcommand alike; the later one wins."""

    ledger: str | None = None
    json: bool = False
    csv: bool = False
    markdown: bool = False


def state_of(ctx: click.Context) -> State:
    """Give the one state of this command line."""
    return ctx.ensure_object(State)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and param.name is not None:
        setattr(state_of(ctx), param.name, value)


limit_option = click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many."
)


def data_options(command: Command) -> Command:
    """Add --ledger and --json."""
    as_json = click.option(
        "--json", is_flag=True, expose_value=False, callback=_keep, help="Print one JSON document."
    )
    ledger = click.option(
        "--ledger",
        metavar="URL",
        shell_complete=folders,
        expose_value=False,
        callback=_keep,
        help="The ledger, a folder or a URL.",
    )
    return as_json(ledger(command))


def format_options(command: Command) -> Command:
    """Add --csv and --markdown."""
    as_csv = click.option("--csv", is_flag=True, expose_value=False, callback=_keep, help="Print CSV.")
    as_markdown = click.option(
        "--markdown", is_flag=True, expose_value=False, callback=_keep, help="Print Markdown."
    )
    return as_csv(as_markdown(command))


def where_options(command: Command) -> Command:
    """Add --where and --tz, for a command that knows its period."""
    return _where(_tz(command))


def period_options(command: Command) -> Command:
    """Add --since, --until, --where and --tz."""
    since = click.option("--since", metavar="W", help="From then on: 30d, 24h, today, month, 2026-11-01, …")
    until = click.option("--until", metavar="W", help="Up to then, itself left out.")
    return since(until(where_options(command)))


def pairs(texts: tuple[str, ...], ctx: click.Context, param: click.Parameter | None) -> list[tuple[str, str]]:
    """Read NAME=VALUE texts; a name holds no ``=``."""
    found = []
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise click.BadParameter(f"{text!r} is no NAME=VALUE", ctx, param)
        found.append((name.strip(), value))
    return found


def _filters(
    ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]
) -> dict[str, list[str | None]]:
    """Gather the values of each name: one of them must hold."""
    where: dict[str, list[str | None]] = {}
    for name, value in pairs(texts, ctx, param):
        where.setdefault(name, []).extend([value] if value else [None, ""])
    return where


_where = click.option(
    "--where",
    metavar="K=V",
    shell_complete=filters,
    multiple=True,
    callback=_filters,
    help="Only calls with it: user=u1, tag:team=search; nothing after = means missing.",
)
_tz = click.option("--tz", metavar="ZONE", shell_complete=zones, help="The time zone of days and bare dates.")
