"""Batches of lines for ``outlay price``: cut from what comes in, priced as a whole, written at once."""

import os
import select
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import NamedTuple

from outlay.cli.price_lines import price_line
from outlay.pricing import Book

SIZE = 1 << 19  # bytes of a batch: some 250 lines, a hundredth of a second
_LOOK = 1 << 13  # bytes in which a line's end is looked for; a line has some 2,000


class Span(NamedTuple):
    """A batch that stands in a file and was not read yet: whole lines from one byte up to another."""

    descriptor: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.stop - self.start


Batch = bytes | Span


class Priced(NamedTuple):
    """The answers to one batch of lines, each with its line end, and whether one of them is an error."""

    answers: bytes
    failed: bool


def price_batch(batch: bytes, book: Book | None = None) -> Priced:
    """Price the lines of a batch, the last of which needs no line end; one line out for each line in."""
    answers: list[bytes] = []
    failed = False
    for line in BytesIO(batch):  # cut as they are needed, in half the time that splitting them all takes
        answer, fine = price_line(line.removesuffix(b"\n"), book)
        answers.append(answer)
        failed = failed or not fine
    return Priced(b"\n".join((*answers, b"")), failed)


def bytes_of(batch: Batch) -> bytes:
    """Give the lines of a batch, reading them where that is still to be done."""
    if isinstance(batch, bytes):
        return batch
    found: list[bytes] = []
    start = batch.start
    while start < batch.stop and (chunk := os.pread(batch.descriptor, batch.stop - start, start)):
        found.append(chunk)
        start += len(chunk)
    return found[0] if len(found) == 1 else b"".join(found)


def spans(descriptor: int, start: int, stop: int) -> Iterator[Span]:
    """Cut a file at line ends from one byte up to another; only the places of the cuts are read."""
    while start < stop:
        end = start + SIZE
        while end < stop and (chunk := os.pread(descriptor, _LOOK, end)):
            found = chunk.find(b"\n")
            end += len(chunk) if found < 0 else found + 1
            if found >= 0:
                break
        end = min(end, stop)
        yield Span(descriptor, start, end)
        start = end


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
