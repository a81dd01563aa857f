"""Reading journals: which segments a folder has, and the entries of one from an offset on."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from outlay.core.codec import entry_from_json
from outlay.core.errors import JournalError, OutlayError
from outlay.core.record import Entry
from outlay.journal.locks import is_live

SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a journal folder, with its size in bytes when the folder was listed."""

    path: Path
    size: int

    @property
    def name(self) -> str:
        """The file's name, by which ledgers remember how far they have read."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is no entry: where it begins, its number from where reading began, and what is wrong."""

    offset: int
    row: int
    reason: str


def mark_of(run: str | None) -> str:
    """Give the end of a segment's name that tells which ``outlay run`` its process belongs to."""
    return f"-run-{run}" if run else ""


def segments(folder: Path, run: str | None = None) -> list[Segment]:
    """List a folder's segments, or those of one run, oldest first; a folder that is not there has none.

    Raises:
        JournalError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as listed:
            names = [
                item.path for item in listed if item.name.endswith(mark_of(run) + SUFFIX) and item.is_file()
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(f"cannot read the journals in {folder}: {error.strerror}") from error
    return [Segment(path, size) for path in map(Path, sorted(names)) if (size := size_of(path)) is not None]


def size_of(path: Path) -> int | None:
    """Give a file's size; None if it has been taken away meanwhile, as an empty segment by its writer."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def pending_bytes(folder: Path, offsets: Mapping[str, int]) -> int:
    """Count the bytes that journals hold beyond the offsets up to which each was taken."""
    return sum(max(0, segment.size - offsets.get(segment.name, 0)) for segment in segments(folder))


def read_segment(path: Path, offset: int = 0) -> Iterator[tuple[int, Entry | Fault]]:
    """Give each entry, or what is wrong with its line, with the offset after it.

    A last line without its newline is left for later while its writer lives. When the writer is dead, it is
    an entry if it is whole, and a fault otherwise.

    Raises:
        JournalError: the file cannot be read.
    """
    live = is_live(path)  # asked before reading: a dead writer's file is final
    try:
        with path.open("rb") as file:
            file.seek(offset)
            for row, line in enumerate(file, 1):
                if live and not line.endswith(b"\n"):
                    return
                after = offset + len(line)
                if line.strip():
                    yield after, read_line(line, offset, row)
                offset = after
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error


def read_line(line: bytes, offset: int, row: int) -> Entry | Fault:
    """Read one line, or say what is wrong with it."""
    try:
        data = orjson.loads(line)
        if isinstance(data, dict):
            return entry_from_json(data)
    except orjson.JSONDecodeError as error:
        torn = "" if line.endswith(b"\n") else "torn at the end of the file: "
        return Fault(offset, row, f"{torn}{error}")
    except OutlayError as error:
        return Fault(offset, row, str(error))
    return Fault(offset, row, "not a JSON object")
