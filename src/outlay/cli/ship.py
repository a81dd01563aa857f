"""``outlay ship``: what journals hold to a server's ledger, once or as long as it runs."""

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, state_of

if TYPE_CHECKING:  # loaded when the command runs: --help needs none of them
    from types import FrameType

    from outlay.ledger.ship import Shipped, Shipper
    from outlay.settings import Settings

_PATIENCE = 60.0  # seconds that --once waits for another process that ships the same
_GARBAGE = 200_000  # objects: more than a parcel has


@click.command
@click.option("--once", is_flag=True, help="Ship what is pending now, and end; the default.")
@click.option("--follow", is_flag=True, help="Go on until the process is told to end.")
@click.option("--dead", type=click.Choice(["list", "retry", "discard"]),
              help="Lines that were set aside: show, hand over again, or give up.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Give them up without being asked.")
@click.option("--forget", is_flag=True, help="Give up a server that calls went to once; journals stay.")
@data_options
@click.pass_context
def ship(ctx: click.Context, *, once: bool, follow: bool, dead: str | None, yes: bool, forget: bool) -> int:
    """Ship what journals hold to the ledger of a server.

    A program ships what it records by itself, from a thread. Where it shall not (`ship = false` in
    outlay.toml), or has ended before all was shipped, this command does. Any number may run at a time; they
    take turns. What a ledger refuses is set aside beside the journals and told by `outlay doctor`; once the
    reason is gone, `--dead retry` hands it over again, each call once.

    Calls that are recorded after a home has moved to another ledger wait for the old one too, since some
    program may ship there still; `--forget` says that none does.
    """
    from outlay.cli.migrating import show_migrations
    from outlay.cli.session import settings_of, tell
    from outlay.core.addresses import is_server

    if [once, follow, dead is not None, forget].count(True) > 1:
        raise click.UsageError("take one of --once, --follow, --dead and --forget", ctx)
    settings = settings_of(state_of(ctx))
    if settings.ledger is None or not is_server(settings.ledger):
        raise click.UsageError(
            "no server: name its ledger by --ledger URL, OUTLAY_LEDGER or outlay.toml", ctx
        )
    if forget:
        from outlay.cli.forgetting import forget_server

        return forget_server(ctx, settings.home, settings.ledger)
    show_migrations()
    if dead is not None:
        from outlay.cli.letters import dead_letters

        return dead_letters(ctx, settings.home, settings.ledger, dead, yes=yes)
    with _few_collections():
        document = _follow(settings, settings.ledger) if follow else _once(settings, settings.ledger)
    tell(ctx, document, _text(document))
    return 1 if document["error"] or document["pending_bytes"] else 0


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage seldom: entries have no cycles, and to look through a parcel took a third of all."""
    before = gc.get_threshold()
    gc.set_threshold(_GARBAGE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _once(settings: "Settings", url: str) -> dict[str, Any]:
    from outlay.ledger.ship import Offsets, Shipped, remove_shipped, shipper_of

    start = time.monotonic()
    shipper = shipper_of(settings.home, url)
    goal = shipper.waiting()
    done = Shipped()
    with _progress(shipper.left(goal)) as told:
        while True:
            done += shipper.run(told=told)
            if not done.busy or not shipper.left(goal) or time.monotonic() - start > _PATIENCE:
                break
            time.sleep(0.1)
    shipper.close()
    if done.error is None and not done.busy:
        remove_shipped(settings.home, Offsets(settings.home, url), settings.journal_keep)
    busy = "another process has been shipping all the time" if done.busy and shipper.left(goal) else None
    return _document(done, shipper, done.error or busy, time.monotonic() - start)


def _follow(settings: "Settings", url: str) -> dict[str, Any]:
    """Ship until a signal ends it, and then what is left, in bounded time."""
    from outlay.ledger.ship import Offsets, Shipped, courier_of, shipper_of

    start = time.monotonic()
    offsets = Offsets(settings.home, url)
    before = offsets.read()
    ended = threading.Event()

    def end(_number: int, _frame: "FrameType | None") -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    courier = courier_of(settings.home, url, keep=settings.journal_keep)
    courier.start()
    ended.wait()
    courier.close()
    after = offsets.read()
    done = Shipped(after.shipped - before.shipped, 0, after.dead - before.dead)
    shipper = shipper_of(settings.home, url)
    return _document(done, shipper, after.last_error, time.monotonic() - start)


def _document(done: "Shipped", shipper: "Shipper", error: str | None, seconds: float) -> dict[str, Any]:
    return {
        "target": shipper.target,
        "shipped": done.entries,
        "new_calls": done.new,
        "dead": done.dead,
        "pending_bytes": shipper.pending(),
        "error": error,
        "seconds": round(seconds, 3),
    }


def _text(document: dict[str, Any]) -> str:
    from outlay.render.cells import many

    shipped = many(document["shipped"], "entry", "entries")
    lines = [f"{shipped} to {document['target']} in {document['seconds']:.1f} s"]
    if not any(document[name] for name in ("shipped", "dead", "pending_bytes", "error")):
        lines = [f"nothing waits for {document['target']}; it was not asked"]
    if document["dead"]:
        lines.append(f"{many(document['dead'], 'line')} set aside; outlay ship --dead list says why")
    if document["pending_bytes"]:
        lines.append(f"{document['pending_bytes']:,} bytes are still pending")
    if document["error"]:
        lines.append(document["error"])
    return "\n".join(lines)


@contextmanager
def _progress(total: int) -> Iterator["Callable[[Shipped], None]"]:
    """Show a bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("shipping", total=total)
        yield lambda done: bar.update(task, completed=done.size)
