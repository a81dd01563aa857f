"""``outlay price``: recorded responses in, one a line; their prices out, one a line, in the same order."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import click

from outlay.cli.options import data_options, state_of

_LARGE = 8 << 20  # bytes; below, starting workers takes longer than they save


@click.command
@click.argument("file", metavar="[FILE|-]", default="-")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes for large inputs; as many as processors if not said.",
)
@data_options
@click.pass_context
def price(ctx: click.Context, /, *, file: str, jobs: int | None) -> int:
    """Price recorded responses: JSON lines in, JSON lines out.

    A line is {"id", "provider", "api", "model", "at", "response"}, or "events" (a list) or "sse" (the raw
    text) in place of the response; model and at may be left out. A line that cannot be read is answered by
    {"id", "error"}, and the exit code is then 1.
    """
    from outlay.cli.price_batches import batches
    from outlay.cli.price_workers import priced
    from outlay.cli.session import settings_of

    settings = settings_of(state_of(ctx))
    prices, updates = settings.prices, settings.price_updates
    out, failed = sys.stdout.buffer, False
    with _opened(file) as source:
        size, is_idle = _nature(source)
        came = batches(source.read1, is_idle)
        alone = 0 if size > _LARGE else _LARGE
        for done in priced(came, prices, jobs or _processors(), alone=alone, updates=updates):
            failed = failed or done.failed
            out.write(done.answers)
            out.flush()
    return 1 if failed else 0


def _processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _nature(source: BufferedIOBase) -> tuple[int, Callable[[], bool]]:
    """Tell how many bytes come, as far as is known, and whether none are to be had at a moment."""
    from outlay.cli.price_batches import idleness

    try:
        descriptor = source.fileno()
    except (OSError, AttributeError):
        return 0, _never
    found = os.fstat(descriptor)
    return (found.st_size, _never) if stat.S_ISREG(found.st_mode) else (0, idleness(descriptor))


def _never() -> bool:
    return False


@contextmanager
def _opened(file: str) -> Iterator[BufferedIOBase]:
    if file == "-":
        yield cast("BufferedIOBase", sys.stdin.buffer)  # which it is; typed as less
    else:
        with Path(file).open("rb") as source:
            yield source
