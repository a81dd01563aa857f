"""The lines of a block: as the engine reads them, or one by one."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from outlay.core.errors import ImportFileError
from outlay.importing.bulk.cutting import Cut
from outlay.importing.bulk.layouts import CLOSED
from outlay.importing.equal import digest_of, key_of
from outlay.importing.files import Fault, Heading, Line, row_of

_BLANK = b"\x02"  # stands for an empty line, which the engine would not count
Places = Iterable[tuple[int, str | bytes]]  # lines, and where they stand in a block


class Lines:
    """The lines of a block, the number of the first, and their text as the engine can read it."""

    def __init__(self, cut: Cut, first: int, heading: Heading | None = None) -> None:
        self._cut = cut
        self._heading = heading
        self.first = first
        self.count = cut.count
        self.is_usual = cut.is_plain and (not cut.has_returns or b"\r" not in self._text())

    def texts(self) -> Iterator[Path | bytes]:
        """Give file or text for the engine; where it is asked again, with something on each empty line."""
        if self.is_usual:
            text = self._text() if self._cut.has_returns else None
            yield self._cut.path if text is None else text
            text = self._text() if text is None else text
            if b"\n\n" in text or text.startswith(b"\n"):
                yield b"\n".join(line or _BLANK for line in _each(text))

    def _text(self) -> bytes:
        text = self._cut.text()
        return text.replace(b"\r\n", b"\n") if self._cut.has_returns else text

    def start(self) -> bytes:
        """Give the first line."""
        return self._cut.start().rstrip(b"\r\n")

    def all(self) -> Sequence[tuple[int, bytes]]:
        """Give all lines."""
        return list(enumerate(_each(self._text())))

    def at(self, places: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Give the lines at some places."""
        lines = _each(self._text())
        return ((place, lines[place]) for place in places)

    def is_closed(self) -> bool:
        """Whether every row of a table ends on the line on which it began."""
        text = self._text()
        if b'"' not in text or self._heading is None:
            return True
        closed = re.compile(CLOSED.replace("{d}", self._heading.delimiter).encode())
        return all(closed.fullmatch(line) for line in _each(text) if b'"' in line)

    def rows(self, places: Places) -> Iterator[Line | Fault]:
        """Read lines one by one.

        Raises:
            ImportFileError: a table that is no text in UTF-8.
        """
        for place, text in places:
            line = _plain(text)
            if self._heading is not None:
                yield from self._cells(place, line)
            elif line.strip():
                yield row_of(self.first + place, line)

    def keys(self, places: Places) -> Iterator[tuple[int, int]]:
        """Give the key by which a row's content is known; what is no row has one too."""
        for place, text in places:
            line = _plain(text)
            if self._heading is None:
                yield place, key_of(digest_of(line.strip()))
            else:
                yield from (
                    (place, key_of(digest_of(row.identity())))
                    for row in self._cells(place, line)
                    if isinstance(row, Line)
                )

    def _cells(self, place: int, line: bytes) -> Iterator[Line | Fault]:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise ImportFileError("it is no text in UTF-8") from None
        if self._heading is not None and text:
            yield self._heading.read(self.first + place, text)


def _each(text: bytes) -> list[bytes]:
    return text.removesuffix(b"\n").split(b"\n")


def _plain(text: str | bytes) -> bytes:
    """Give a line as it stands in the file, whether the engine or we have read it."""
    line = text.encode() if isinstance(text, str) else text
    return b"" if line == _BLANK and isinstance(text, str) else line


def heading_of(line: bytes) -> Heading | None:
    """Read a plain heading; None for one that only the table's own reader can judge."""
    bare = line.removesuffix(b"\n").removesuffix(b"\r")
    if not bare or b"\r" in bare or bare.count(b'"') % 2:
        return None
    try:
        return Heading.of(bare.decode("utf-8-sig"))
    except (UnicodeDecodeError, csv.Error):
        return None


class Joined(io.RawIOBase):
    """Pieces of a file that were cut already or are yet to be, as one file again."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = io.BytesIO()

    @classmethod
    def of(cls, *pieces: Iterable[bytes]) -> io.BufferedReader:
        """Join pieces, to be read as a file."""
        return io.BufferedReader(cls(chain(*pieces)))

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, or as much of it as the next piece does."""
        found = self._piece.read(len(buffer))
        while not found:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = io.BytesIO(piece)
            found = self._piece.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)
