"""Calls that came when their day had been pruned: as text; counted in or given up."""

import sys
from collections.abc import Sequence

import click

from outlay.cli.options import state_of
from outlay.cli.session import show, show_json
from outlay.core.instants import text_of
from outlay.core.keeping import Settled
from outlay.core.money import text_of as money_text
from outlay.core.ports import Keeping
from outlay.core.record import Record
from outlay.render.as_table import Column, Page, table
from outlay.render.cells import many, name


def late_text(found: Sequence[Record], every: int, page: Page) -> str:
    """Lay them out, and say how many there are in all."""
    if not found:
        return "no call came too late"
    columns = [
        Column("at", tuple(text_of(each.at)[:19] for each in found), text=True),
        Column("call", tuple(each.id for each in found), text=True),
        Column("provider", tuple(name(each.provider) for each in found), text=True),
        Column("model", tuple(name(each.model) for each in found), text=True),
        Column("user", tuple(name(each.user) for each in found), text=True),
        Column("cost", tuple(_cost(each) for each in found)),
    ]
    return f"{table(columns, page)}\n{every:,} in all, in no total; --count-in or --discard settles them"


def _cost(record: Record) -> str:
    return "unknown" if record.cost is None else f"{money_text(record.cost)} {name(record.currency)}"


def settle(ctx: click.Context, kept: Keeping, *, count_in: bool, dry_run: bool, yes: bool) -> int:
    """Count late calls in or give them up, when that is agreed to; 1 if it is not.

    Raises:
        click.UsageError: nobody can be asked.
        LedgerError: the ledger cannot be read or written.
    """
    done = kept.settle_late(count_in=count_in, dry_run=True)
    if done.calls and not dry_run:
        if not yes and not _agreed(ctx, done):
            click.echo("nothing was changed", err=True)
            return 1
        done = kept.settle_late(count_in=count_in)
    if state_of(ctx).json:
        costs = dict(done.costs)
        show_json({"action": "count-in" if count_in else "discard", "calls": done.calls,
                   "rollups": done.rollups, "costs": costs, "dry_run": dry_run})  # fmt: skip
    else:
        show(_told(done, dry_run=dry_run))
    return 0


def _agreed(ctx: click.Context, plan: Settled) -> bool:
    if state_of(ctx).json or not sys.stdin.isatty():
        raise click.UsageError(
            "say --yes to do so without being asked, or --dry-run to see what it does", ctx
        )
    return click.confirm(f"{_told(plan, dry_run=True)}; this cannot be undone. Go on?", err=True)


def _told(done: Settled, *, dry_run: bool) -> str:
    if not done.calls:
        return "no call came too late"
    sums = sorted(done.costs.items())
    costs = ", ".join(f"{money_text(amount)} {name(currency)}" for currency, amount in sums)
    what = f"{many(done.calls, 'late call')}{f' ({costs})' if costs else ''}"
    verb = "would be" if dry_run else "are" if done.calls != 1 else "is"
    return f"{what} {verb} {'in the totals of their days' if done.counted else 'given up, in no total'}"
