"""Batches of lines for ``outlay price``: cut from what comes in, priced as a whole, written at once."""

import select
from collections.abc import Callable, Iterator
from typing import NamedTuple

from outlay.cli.price_lines import price_line
from outlay.pricing import Book

SIZE = 1 << 19  # bytes of a batch: some 250 lines, a hundredth of a second


class Priced(NamedTuple):
    """The answers to one batch of lines, each with its line end, and whether one of them is an error."""

    answers: bytes
    failed: bool


def price_batch(batch: bytes, book: Book | None = None) -> Priced:
    """Price the lines of a batch, the last of which needs no line end; one line out for each line in."""
    lines = batch.removesuffix(b"\n").split(b"\n")
    found = [price_line(line, book) for line in lines]
    answers = [answer for answer, _ in found]
    return Priced(b"\n".join((*answers, b"")), not all(fine for _, fine in found))


def batches(read_some: Callable[[int], bytes], is_idle: Callable[[], bool]) -> Iterator[bytes]:
    """Cut what comes in at line ends; after all that came is handed on, an empty batch says so.

    A live pipe is thereby answered line by line, and a fast one in batches of ``SIZE`` bytes or more.
    """
    held: list[bytes] = []
    size, ended = 0, False
    while chunk := read_some(SIZE):
        held.append(chunk)
        size += len(chunk)
        ended = ended or b"\n" in chunk
        idle = is_idle()
        if ended and (idle or size >= SIZE):
            head, _, tail = b"".join(held).rpartition(b"\n")
            yield head + b"\n"
            held, size, ended = [tail] if tail else [], len(tail), False
        if idle:
            yield b""
    if held:
        yield b"".join(held)


def idleness(descriptor: int) -> Callable[[], bool]:
    """Make a question whether nothing more is to be had from a pipe or terminal at this moment."""

    def is_idle() -> bool:
        try:
            return not select.select([descriptor], [], [], 0)[0]
        except (OSError, ValueError):  # Windows asks sockets alone: then every piece is answered at once
            return True

    return is_idle
