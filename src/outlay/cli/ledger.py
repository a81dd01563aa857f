"""``outlay ledger``: keeping house where calls are kept."""

import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import click

from outlay.cli.near import NearGroup
from outlay.cli.options import data_options, state_of
from outlay.core.errors import JournalError, NotSupportedError

if TYPE_CHECKING:  # loaded when a command runs: --help needs none of them
    from collections.abc import Iterator

    from outlay.cli.noted import Every, Kind
    from outlay.core.keeping import Disagreement, LedgerInfo, Pruned
    from outlay.core.ports import Keeping, Ledger

_TOLD = ("id", "at", "provider", "model", "user", "cost", "currency", "cost_status")  # of a late call


@click.group(cls=NearGroup)
@data_options
def ledger() -> None:
    """Keep house where calls are kept."""


@ledger.command
@data_options
@click.pass_context
def info(ctx: click.Context) -> None:
    """Where the ledger is, how large, and what it holds."""
    from outlay.cli.session import tell
    from outlay.cli.waits import info_of

    with _keeping(ctx) as kept:
        absent = _absent(ctx)
        found = absent or info_of(ctx, kept)
    tell(ctx, found.to_dict(), _nothing(absent) if absent else "\n".join(_lines(found)))


@ledger.command
@data_options
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Bring the ledger's tables to the newest form.

    Ledgers do so by themselves when they are used; a server's tables may be owned by somebody else.
    """
    from outlay.cli.session import tell

    with _keeping(ctx) as kept:
        absent, done = _absent(ctx), kept.migrate()
    if absent:
        tell(ctx, {"before": 0, "after": 0}, _nothing(absent))
        return
    changed = f"from schema {done.before} to " if done.before != done.after else "already at schema "
    tell(ctx, {"before": done.before, "after": done.after}, f"{changed}{done.after}")


@ledger.command
@data_options
@click.pass_context
def compact(ctx: click.Context) -> None:
    """Give the room back that deleted rows still take."""
    from outlay.cli.session import tell

    with _keeping(ctx) as kept:
        absent, done = _absent(ctx), kept.compact()
    if absent:
        tell(ctx, {"before_bytes": 0, "after_bytes": 0}, _nothing(absent))
        return
    document = {"before_bytes": done.before, "after_bytes": done.after}
    tell(ctx, document, f"{_bytes(done.before)} before, {_bytes(done.after)} now")


@ledger.command
@click.option("--older-than", metavar="SPAN", help="Calls older than that: 400d, 52w.")
@click.option("--before", metavar="DATE", help="Calls before that day (UTC): 2026-01-01.")
@click.option("--dry-run", is_flag=True, help="Say what would be pruned, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_options
@click.pass_context
def prune(ctx: click.Context, *, older_than: str | None, before: str | None, dry_run: bool, yes: bool) -> int:
    """Turn old calls into daily totals.

    Reports over that time still add up, by UTC day, provider, model, operation, user, query_type, agent,
    action, workspace, status, error_type, currency, cost_status and tags. What is gone: single calls, their
    texts, judgements and revisions, percentiles, hours and sessions. A call of that time that comes later is
    set aside and counted as late, since it may be in the totals already. Journals' segments that were written
    before that day and are wholly taken in are removed.
    """
    from outlay.cli.session import show, show_json
    from outlay.render.cells import many

    moment = _horizon(ctx, older_than, before)
    with _keeping(ctx) as kept:
        done = kept.prune(moment, dry_run=True)
        if not dry_run:
            if not yes and not _agreed(ctx, done):
                click.echo("nothing was pruned", err=True)
                return 1
            with _notes_kept(ctx, kept):
                done = kept.prune(moment)
    if state_of(ctx).json:
        show_json({"before": done.before, "calls": done.calls, "rollups": done.rollups,
                   "costs": dict(done.costs), "dry_run": done.dry_run})  # fmt: skip
    else:
        verb = "would be" if done.dry_run else "are" if done.calls != 1 else "is"
        show(f"{_said(done)} {verb} kept as {many(done.rollups, 'daily total')}")
    return 0


@ledger.command
@click.option("-n", "count", type=click.IntRange(1), default=20, show_default=True, help="How many to show.")
@click.option("--count-in", is_flag=True, help="Add all of them to the totals of their days.")
@click.option("--discard", is_flag=True, help="Give all of them up.")
@click.option("--dry-run", is_flag=True, help="Say what either would do, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_options
@click.pass_context
def late(  # what is shown, what is done, and how: five facts
    ctx: click.Context, *, count: int, count_in: bool, discard: bool, dry_run: bool, yes: bool
) -> int:
    """Calls that came when their day had been pruned, newest first.

    They are kept apart, in no total, since nobody can tell whether the daily totals hold them already. Who
    knows that they do not, as after a host was away for long, counts them in; who knows that they do, as when
    an old backup was read again, discards them. Either is done to all of them, once for ever: told again,
    such a call is nothing new.
    """
    from outlay.cli.late import late_text, settle
    from outlay.cli.session import page_of_terminal, show, show_json

    if (count_in and discard) or ((dry_run or yes) and not (count_in or discard)):
        raise click.UsageError("say what to do with them: either --count-in or --discard", ctx)
    with _keeping(ctx) as kept:
        if count_in or discard:
            return settle(ctx, kept, count_in=count_in, dry_run=dry_run, yes=yes)
        found, every = kept.late_calls(min(count, sys.maxsize)), kept.info().late
    if state_of(ctx).json:
        rows = [{name: getattr(each, name) for name in _TOLD} for each in found]
        show_json({"late": every, "calls": rows})
    else:
        show(late_text(found, every, page_of_terminal()))
    return 0


@ledger.command
@data_options
@click.pass_context
def verify(ctx: click.Context) -> int:
    """Prove that journal, ledger and daily totals agree, or say where they do not."""
    from outlay.cli.session import show, show_json
    from outlay.cli.waits import info_of, waits, waits_text
    from outlay.render.cells import many

    with _keeping(ctx) as kept:
        found = (*kept.verify(), *_shipped(ctx, kept))
        told, behind = _absent(ctx) or info_of(ctx, kept), waits(ctx)
    agree = not found and (behind is None or not behind.bytes)
    if state_of(ctx).json:
        rows = [
            {"where": each.where, "what": each.what, "expected": each.expected, "found": each.found}
            for each in found
        ]
        pending = {} if behind is None else {"pending": behind.entries}
        show_json({"agree": agree, **pending, "disagreements": rows, "ledger": told.to_dict()})
    else:
        lines = [f"{each.where}: {each.what}: {each.expected} expected, {each.found} found" for each in found]
        if behind is not None and behind.bytes:
            lines.append(waits_text(behind))
        all_well = f"all agree: {many(told.calls, 'call')}, {told.pruned_calls:,} more in daily totals"
        show("\n".join(lines or [all_well]))
    return 0 if agree else 1


def _shipped(ctx: click.Context, kept: "Keeping") -> "tuple[Disagreement, ...]":
    """Compare a server's ledger with the journals of this home, as far as they have been shipped."""
    from outlay.cli.session import settings_of
    from outlay.core.addresses import is_server

    settings = settings_of(state_of(ctx))
    if settings.ledger is None or not is_server(settings.ledger):
        return ()
    from outlay.ledger.ship import Offsets, verify_shipped

    return tuple(verify_shipped(settings.journal, Offsets(settings.home, settings.ledger), kept))


@contextmanager
def _notes_kept(ctx: click.Context, kept: "Keeping") -> "Iterator[None]":
    """Forget of what was noted as much as a prune takes, or what comes in its place would be hidden."""
    from outlay.cli.doctor import incurable
    from outlay.cli.noted import Notes, counted, key_of, pruned
    from outlay.cli.session import settings_of
    from outlay.report import LedgerReader

    notes, reader = Notes(settings_of(state_of(ctx)).home), LedgerReader(cast("Ledger", kept))

    def count() -> "tuple[str, dict[Kind, int]]":
        info = reader.info()
        return key_of(info["ledger"]), counted(incurable(reader, info, datetime.now(UTC)))

    every: Every = {}
    with suppress(JournalError):  # a spoilt file is a finding of its own
        every = notes.read()
    if not every:
        yield
        return
    key, before = count()
    yield
    left = pruned(every.get(key, ()), before, count()[1])
    with suppress(OSError):  # a home that cannot be written is one, too
        notes.write({**every, key: left})


@contextmanager
def _keeping(ctx: click.Context) -> "Iterator[Keeping]":
    from outlay.cli.session import reader_of, settings_of
    from outlay.core.ports import Keeping

    with reader_of(settings_of(state_of(ctx))) as reader:
        if not isinstance(reader.ledger, Keeping):
            raise NotSupportedError("a ledger of this kind keeps no house yet")
        yield reader.ledger


def _absent(ctx: click.Context) -> "LedgerInfo | None":
    """Say where a ledger will be whose folder is not there yet; what is asked is an empty one elsewhere."""
    from outlay.cli.session import no_folder, settings_of
    from outlay.core.keeping import LedgerInfo

    settings = settings_of(state_of(ctx))
    if settings.ledger is None or not no_folder(settings):
        return None
    return LedgerInfo(ledger=settings.ledger, calls=0, first=None, last=None)


def _nothing(absent: "LedgerInfo") -> str:
    return f"there is nothing in {absent.ledger} yet; the first call makes the ledger"


def _horizon(ctx: click.Context, older_than: str | None, before: str | None) -> datetime:
    from outlay.core.instants import midnight
    from outlay.core.period import moment
    from outlay.core.query import zone

    if (older_than is None) == (before is None):
        raise click.UsageError("say which calls: either --older-than 400d or --before 2026-01-01", ctx)
    now = datetime.now(UTC)
    found = moment(older_than or before, now, zone("UTC"))
    if found is None or midnight(found) >= now:
        raise click.UsageError(f"{older_than or before!r} is not in the past", ctx)
    return midnight(found)


def _agreed(ctx: click.Context, plan: "Pruned") -> bool:
    if state_of(ctx).json or not sys.stdin.isatty():
        raise click.UsageError(
            "say --yes to prune without being asked, or --dry-run to see what it does", ctx
        )
    from outlay.render.cells import many

    return click.confirm(
        f"{_said(plan)} become {many(plan.rollups, 'daily total')}; this cannot be undone. Go on?", err=True
    )


def _said(done: "Pruned") -> str:
    from outlay.core.money import text_of
    from outlay.render.cells import many, name

    sums = sorted(done.costs.items())
    costs = ", ".join(f"{text_of(amount)} {name(currency)}" for currency, amount in sums)
    return f"{many(done.calls, 'call')} before {done.before:%Y-%m-%d}{f' ({costs})' if costs else ''}"


def _lines(found: "LedgerInfo") -> "Iterator[str]":
    facts = found.to_dict()
    facts["lost"] = sum(each.count for each in found.lost)
    del facts["faults"]
    facts["pruned_before"] = facts["pruned_before"] or "never"
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        if name.endswith("_bytes"):
            yield f"{name.removesuffix('_bytes'):<{width}}{_bytes(value)}"
        else:
            yield f"{name:<{width}}{_shown(value)}"


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _bytes(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,} bytes"
