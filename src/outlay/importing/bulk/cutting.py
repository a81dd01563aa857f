"""A file cut into blocks of whole lines, each put down in the spool, where the engine reads it."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Any

from outlay.core.located import located
from outlay.importing.files import BOM

PREFIX, SUFFIX = "import.", ".lines"  # of a block's file
ROW_GROUP = 122_880  # rows that DuckDB packs together; a table of other portions is packed again later
_ROWS = 2 * ROW_GROUP  # in a block: what it works at on two cores, and writes without a log of it first
_BLOCK = 128 << 20  # bytes; the engine holds one or two
_CHUNK = 512 << 10  # what stays in a processor's cache while it is looked at
_STRANGE = (b"\x00", b"\x01", b"\x02")  # bytes that would make the engine see other lines
FILES = 3  # of blocks that are written, laid out and kept


@dataclass(frozen=True, slots=True)
class Cut:
    """Lines of a file that stand together in a file of their own, until it is the turn of that again."""

    count: int  # lines
    is_plain: bool  # whether the engine sees the lines that there are, but for the next
    has_returns: bool  # whether lines end with more than a line feed, or have such a byte in them
    _target: "Target"

    @property
    def path(self) -> Path:
        """Where the lines are."""
        return self._target.path

    def text(self) -> bytes:
        """Give all lines as they stand."""
        return self._target.read()

    def start(self) -> bytes:
        """Give the first line."""
        return self._target.read_line()


@dataclass(frozen=True, slots=True)
class Target:
    """A file that is held open, so that it can be read even when it was swept away."""

    file: Any
    _mine: Lock = field(default_factory=Lock)  # of its position: two threads may want to read it

    @property
    def path(self) -> Path:
        """Its name."""
        return Path(self.file.name)

    def read(self) -> bytes:
        """Give all that it holds."""
        with self._mine:
            self.file.seek(0)
            text: bytes = self.file.read()
            return text

    def read_line(self) -> bytes:
        """Give its first line."""
        with self._mine:
            self.file.seek(0)
            line: bytes = self.file.readline()
            return line


class Cutter:
    """Cuts a file into blocks of so many calls; ``rows`` says how many lines that will be."""

    def __init__(self, file: io.BufferedReader, targets: list[Target], rows: Callable[[int], int]) -> None:
        self._file = file
        self._targets = targets
        self._rows = rows
        self._rest = b""

    def cuts(self, *, marked: bool = False) -> Iterator[Cut]:
        """Give the blocks; ``marked``: a mark before the file's first line is no part of it."""
        self._rest = self._file.read(min(_CHUNK, _BLOCK))
        if marked:
            self._rest = self._rest.removeprefix(BOM)
        at = 0
        while (cut := self._cut(self._targets[at % FILES])) is not None:
            yield cut
            at += 1

    def _cut(self, target: Target) -> Cut | None:
        target.file.seek(0)
        size = lines = most = 0
        plain, returns, end = True, False, b""
        for chunk in self._chunks():
            more = chunk.count(b"\n")
            most = most or self._most(len(chunk), more)
            full = lines + more >= most or (more > 0 and size + len(chunk) >= _BLOCK)
            text = chunk[: _behind(chunk, min(more, most - lines))] if full else chunk
            with located(target.path.parent):
                target.file.write(text)
            plain = plain and (size > 0 or not text.startswith(BOM))  # the engine would pass over it
            size, end = size + len(text), text[-1:]
            lines += min(more, most - lines) if full else more
            plain = plain and not any(byte in text for byte in _STRANGE)
            returns = returns or b"\r" in text
            if full:
                self._rest = chunk[len(text) :]
                break
        with located(target.path.parent):
            target.file.truncate()
            target.file.flush()
        return Cut(lines + (end != b"\n"), plain, returns, target) if size else None

    def _chunks(self) -> Iterator[bytes]:
        rest, self._rest = self._rest, b""
        if rest:
            yield rest
        while chunk := self._file.read(min(_CHUNK, _BLOCK)):
            yield chunk

    def _most(self, size: int, lines: int) -> int:
        """Say how many lines a block may have that begins so: what fits of those that make row groups."""
        wanted = self._rows(_ROWS)
        room = _BLOCK * max(lines, 1) // size
        return wanted if wanted <= room or wanted // 2 > room else wanted // 2


def _behind(chunk: bytes, lines: int) -> int:
    """Find where so many lines have ended, by halves: counting is faster than finding each."""
    low, high = 0, len(chunk)
    while high - low > 1:
        middle = (low + high) // 2
        before = chunk.count(b"\n", low, middle)
        if before >= lines:
            high = middle
        else:
            low, lines = middle, lines - before
    return high


@contextmanager
def cutter(file: io.BufferedReader, folder: Path, rows: Callable[[int], int]) -> Iterator[Cutter]:
    """Cut a file into blocks that stand in a folder, and leave nothing there."""
    with ExitStack() as held:
        yield Cutter(file, [held.enter_context(_target(folder)) for _ in range(FILES)], rows)


@contextmanager
def _target(folder: Path) -> Iterator[Target]:
    """Have a file, which another import may sweep away while this one waits for what it reads."""
    file = NamedTemporaryFile("w+b", dir=folder, prefix=PREFIX, suffix=SUFFIX, delete=False)  # noqa: SIM115  # closed below
    try:
        yield Target(file)
    finally:
        file.close()
        Path(file.name).unlink(missing_ok=True)
