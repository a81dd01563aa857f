"""``outlay price``: recorded responses in, one a line; their prices out, one a line, in the same order."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import click

from outlay.cli.options import data_options, state_of


@click.command
@click.argument("file", metavar="[FILE|-]", default="-")
@data_options
@click.pass_context
def price(ctx: click.Context, /, *, file: str) -> int:
    """Price recorded responses: JSON lines in, JSON lines out.

    A line is {"id", "provider", "api", "model", "at", "response"}, or "events" (a list) or "sse" (the raw
    text) in place of the response; model and at may be left out. A line that cannot be read is answered by
    {"id", "error"}, and the exit code is then 1.
    """
    from outlay.cli.price_lines import batches, price_line
    from outlay.cli.session import settings_of
    from outlay.pricing import Book

    prices = settings_of(state_of(ctx)).prices
    book = None if prices is None else Book.of(prices)
    out, failed = sys.stdout.buffer, False
    with _opened(file) as source:
        for lines in batches(source.read1):
            answers = []
            for line in lines:
                answer, fine = price_line(line, book)
                failed = failed or not fine
                answers.append(answer)
            out.write(b"\n".join((*answers, b"")))
            out.flush()
    return 1 if failed else 0


@contextmanager
def _opened(file: str) -> Iterator[BufferedIOBase]:
    if file == "-":
        yield cast("BufferedIOBase", sys.stdin.buffer)  # which it is; typed as less
    else:
        with Path(file).open("rb") as source:
            yield source
