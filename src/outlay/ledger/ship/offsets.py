"""How far each server has been given a home's journals: one small file a target, replaced as a whole."""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from outlay.atomic import private_folder, write_file
from outlay.core.addresses import shown
from outlay.core.errors import JournalError
from outlay.core.instants import instant, text_of

_FOLDER = "ship"
_log = logging.getLogger("outlay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a target has been given so far."""

    target: str  # its URL, without user and password
    taken: Mapping[str, int] = field(default_factory=dict, hash=False)  # segments, up to which byte
    shipped: int = 0  # entries that were handed over, known ones included
    dead: int = 0  # lines that were set aside
    last_success: datetime | None = None  # aware UTC
    last_error: str | None = None  # None when the last attempt went well
    last_error_at: datetime | None = None

    @property
    def took_nothing(self) -> bool:
        """Whether it has never taken a line: its address may be wrong."""
        return self.last_success is None and not self.taken

    def to_json(self) -> dict[str, Any]:
        """Give it as the object that stands in the file."""
        return {
            "target": self.target,
            "shipped": self.shipped,
            "dead": self.dead,
            "last_success": None if self.last_success is None else text_of(self.last_success),
            "last_error": self.last_error,
            "last_error_at": None if self.last_error_at is None else text_of(self.last_error_at),
            "taken": dict(self.taken),
        }


def _progress(data: Mapping[str, Any]) -> Progress:
    moments = {
        name: None if data[name] is None else instant(data[name])
        for name in ("last_success", "last_error_at")
    }
    return Progress(
        target=data["target"],
        taken={str(name): int(offset) for name, offset in data["taken"].items()},
        shipped=data["shipped"],
        dead=data["dead"],
        last_error=data["last_error"],
        **moments,
    )


class Offsets:
    """The file of one target beside the journals; whoever holds the target's turn may write it."""

    def __init__(self, home: Path, url: str) -> None:
        self.target = shown(url)
        word = re.sub(r"[^A-Za-z0-9]+", "-", self.target).strip("-")[:60]
        name = f"{word}-{hashlib.sha256(self.target.encode()).hexdigest()[:8]}"
        self.file = home / _FOLDER / f"{name}.json"
        self.lock = self.file.with_suffix(".lock")
        self.dead_letters = self.file.with_suffix(".dead.jsonl")

    def read(self) -> Progress:
        """Give what stands in the file; one that cannot be read is put aside, and all is shipped again."""
        try:
            return _progress(orjson.loads(self.file.read_bytes()))
        except FileNotFoundError:
            return Progress(target=self.target)
        except (ValueError, KeyError, TypeError, AttributeError):
            spoilt = self.file.with_suffix(".spoilt")
            _log.warning("%s cannot be read; it is now %s, and all is shipped again", self.file, spoilt.name)
            self.file.replace(spoilt)
            return Progress(target=self.target)
        except OSError as error:
            raise JournalError(f"{self.file} cannot be read: {error.strerror or error}") from error

    def write(self, progress: Progress) -> None:
        """Put this in the file's place, whole and on disk, or leave the file as it is.

        Raises:
            JournalError: the disk is full or failing.
        """
        try:
            private_folder(self.file.parent)
            write_file(self.file, orjson.dumps(progress.to_json()))
        except OSError as error:
            raise JournalError(f"{self.file} cannot be written: {error.strerror or error}") from error

    def forget(self, segments: list[str]) -> None:
        """Drop segments that are no more."""
        if segments:
            found = self.read()
            kept = {name: offset for name, offset in found.taken.items() if name not in set(segments)}
            self.write(replace(found, taken=kept))

    def drop(self) -> None:
        """Forget the target; whoever ships to it later begins with the first line that is left.

        Raises:
            OSError: the file cannot be removed.
        """
        self.file.unlink(missing_ok=True)


def targets(home: Path) -> list[Progress]:
    """Give what stands in the files of all targets that this home has shipped to."""
    return [each for _, each in _all(home) if each is not None]


def unreadable(home: Path) -> list[Path]:
    """Give the files of targets that cannot be read."""
    return [file for file, each in _all(home) if each is None]


def _all(home: Path) -> Iterator[tuple[Path, Progress | None]]:
    """Give each target's file and what stands in it; None where that cannot be read."""
    for file in sorted((home / _FOLDER).glob("*.json")):
        try:
            yield file, _progress(orjson.loads(file.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            yield file, None


def taken_by_all(home: Path, own: Mapping[str, int]) -> dict[str, int]:
    """Give up to where each segment has been taken by this ledger and by all that were ever shipped to.

    A target whose file cannot be read has taken nothing, as far as is known: no journal is removed.
    """
    others = [{} if each is None else each.taken for _, each in _all(home)]
    return {name: min(offset, *(each.get(name, 0) for each in others)) if others else offset
            for name, offset in own.items()}  # fmt: skip
