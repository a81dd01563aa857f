"""``outlay ship --dead``: what a server's ledger refused is shown, handed over again, or given up."""

import sys
from pathlib import Path

import click

from outlay.cli.options import state_of
from outlay.cli.session import page_of_terminal, tell
from outlay.ledger.ship import Letter, Offsets, discard, open_letters, retry, shipper_of
from outlay.render.as_table import Column, table
from outlay.render.cells import many, name


def dead_letters(ctx: click.Context, home: Path, url: str, action: str, *, yes: bool) -> int:
    """Do what is asked for with the dead letters of one target; 1 if some are refused still.

    Raises:
        click.UsageError: they were to be given up, and nobody can be asked.
        OutlayError: the ledger cannot be reached, or the letters not be read or written.
    """
    offsets = Offsets(home, url)
    if action == "list":
        letters = list(open_letters(offsets))
        rows = [each.to_json() for each in letters]
        tell(ctx, {"target": offsets.target, "dead": rows}, _text(letters))
        return 0
    return (
        _retry(ctx, home, url, offsets) if action == "retry" else _discard(ctx, home, url, offsets, yes=yes)
    )


def _retry(ctx: click.Context, home: Path, url: str, offsets: Offsets) -> int:
    shipper = shipper_of(home, url)
    try:
        done = retry(shipper, offsets)
    finally:
        shipper.close()
    document = {"target": offsets.target, "new_calls": done.new, "kept": done.kept, "dead": done.dead}
    tell(
        ctx,
        document,
        f"{many(done.kept, 'line')} kept, {many(done.new, 'new call')}; {done.dead:,} refused still",
    )
    return 1 if done.dead else 0


def _discard(ctx: click.Context, home: Path, url: str, offsets: Offsets, *, yes: bool) -> int:
    if not yes:
        if state_of(ctx).json or not sys.stdin.isatty():
            raise click.UsageError("say --yes to give them up without being asked", ctx)
        lines = many(sum(1 for _ in open_letters(offsets)), "line is", "lines are")
        if not click.confirm(f"{lines} then in no report of {offsets.target}. Go on?", err=True):
            click.echo("nothing was given up", err=True)
            return 1
    count = discard(shipper_of(home, url), offsets)
    tell(
        ctx,
        {"target": offsets.target, "discarded": count},
        many(count, "line was", "lines were") + " given up",
    )
    return 0


def _text(letters: list[Letter]) -> str:
    if not letters:
        return "no lines are set aside"
    columns = [
        Column("set aside", tuple(each.at[:19] for each in letters), text=True),
        Column("segment", tuple(name(each.segment) for each in letters), text=True),
        Column("offset", tuple(f"{each.offset:,}" for each in letters)),
        Column("call", tuple(name(each.id) for each in letters), text=True),
        Column("reason", tuple(name(each.reason) for each in letters), text=True),
    ]
    return table(columns, page_of_terminal())
