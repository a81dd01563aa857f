"""``outlay price``: recorded responses in, one a line; their prices out, one a line, in the same order."""

import gc
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from outlay.cli.options import data_options, state_of
from outlay.cli.words import files

if TYPE_CHECKING:
    from outlay.cli.price_batches import Batch

_ALONE = 2 << 20  # bytes that are priced before workers start: some thousand lines, a tenth of a second


@click.command
@click.argument("file", metavar="[FILE|-]", shell_complete=files, default="-")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes for large inputs; one more than processors if not said.",
)
@data_options
@click.pass_context
def price(ctx: click.Context, /, *, file: str, jobs: int | None) -> int:
    """Price recorded responses: JSON lines in, JSON lines out.

    A line is {"id", "provider", "api", "model", "at", "response"}, or "events" (a list) or "sse" (the raw
    text) in place of the response; model and at may be left out. A line that cannot be read is answered by
    {"id", "error"}, and the exit code is then 1.
    """
    from outlay.cli.inputs import EITHER, check_input

    check_input(file, EITHER)
    out, failed = sys.stdout.buffer, False
    with _uncollected() as settle:
        from outlay.cli.price_workers import Prices, priced
        from outlay.cli.session import settings_of

        settings = settings_of(state_of(ctx))
        prices = Prices.read(settings.prices, settings.price_updates)
        with _opened(file) as source:
            done_all = priced(_batches(source), prices, jobs or _workers(), alone=_ALONE, settle=settle)
            for done in done_all:
                failed = failed or done.failed
                out.write(done.answers)
                out.flush()
    return 1 if failed else 0


@contextmanager
def _uncollected() -> Iterator[Callable[[], None]]:
    """Leave the search for garbage out until all is settled that stays: tables and forms.

    It looked through them again and again while they were made, for a quarter of the start. What a program
    around us has frozen stays so.
    """
    before, ours = gc.isenabled(), not gc.get_freeze_count()
    gc.disable()

    def settle() -> None:
        if ours:
            gc.freeze()
        if before:
            gc.enable()

    try:
        yield settle
    finally:
        if ours:
            gc.unfreeze()
        if before:
            gc.enable()


def _workers() -> int:
    """Have one more than the processors that we may use: each waits while its answer is taken."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors + 1 if processors > 1 else 1


def _batches(source: BufferedIOBase) -> "Iterator[Batch]":
    """Cut the input: a file where it stands, anything else as it comes."""
    from outlay.cli.price_batches import batches, idleness, spans

    try:
        descriptor = source.fileno()
    except (OSError, AttributeError):
        return batches(source.read1, _never)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        return batches(source.read1, idleness(descriptor))
    if not hasattr(os, "pread"):
        return batches(source.read1, _never)
    return spans(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR), found.st_size)


def _never() -> bool:
    return False


@contextmanager
def _opened(file: str) -> Iterator[BufferedIOBase]:
    if file == "-":
        yield cast("BufferedIOBase", sys.stdin.buffer)  # which it is; typed as less
    else:
        with Path(file).open("rb") as source:
            yield source
