"""Records in one JSON file: appended to in place, shared by processes, mended after a crash.

The file is a JSON array with a record on each line, and a whole document after every append. An append writes
over the closing bracket, so that its cost does not grow with the file.
"""

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from outlay.atomic import write_file
from outlay.core.codec import record_from_json, record_json
from outlay.core.errors import JournalError, OutlayError
from outlay.core.record import Record
from outlay.journal.lines import json_line
from outlay.ledger.locks import alone
from outlay.trackers.document import ForeignContentError, opening, rows_of, text_of

log = logging.getLogger("outlay")
_TAIL = 512
Signature = tuple[int, int, int]


class JsonFile:
    """The records of one file; safe to share between threads, and the file between processes."""

    def __init__(self, path: Path, foreign: Callable[[Mapping[str, Any]], Record]) -> None:
        # One lock for all names of a file; it stays the same file when the program changes its folder.
        self.path = Path(os.path.realpath(path))
        self._foreign = foreign  # reads an object that a person wrote
        self._guard = threading.Lock()
        self._records: list[Record] = []
        self._seen: Signature | None = None  # of the file when _records were all of it
        self._lock = f"{self.path}.lock"
        if self.path.exists():
            self.records()
        else:
            _make_folder(self.path.parent)

    def append(self, record: Record) -> None:
        """Write one record to the end of the file.

        Raises:
            JournalError: the file cannot be written, or holds something that is not ours.
            LedgerBusyError: another process did not let go of it.
        """
        line = json_line(record_json(record))
        with self._held():
            before = _signature(self.path)
            if not self._write(line):
                self._mend()
                before = None
                if not self._write(line):
                    raise JournalError(f"{self.path} cannot be mended; move it away")
            if before == self._seen:
                self._records.append(record)
                self._seen = _signature(self.path)

    def records(self) -> list[Record]:
        """Give all records of the file, those of other processes included.

        Raises:
            JournalError: the file cannot be read, or holds something that is not ours.
            LedgerBusyError: another process did not let go of it.
        """
        with self._held():
            now = _signature(self.path)
            if now is None or now != self._seen:
                self._records = [] if now is None else self._load()
                self._seen = _signature(self.path)
            return list(self._records)

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self._guard:
            try:
                with alone(self._lock):
                    yield
            except OSError as error:
                if isinstance(error, OutlayError):
                    raise
                raise JournalError(f"{self.path} cannot be used: {error.strerror or error}") from error

    def _write(self, line: bytes) -> bool:
        """Append a line; False if the end of the file is not that of an array."""
        with open(self.path, opener=_open_or_create, mode="r+b", buffering=0) as file:
            place = _end_of(file)
            if place is None:
                return False
            text = place[1] + line + b"\n]\n"
            file.seek(place[0])
            if file.write(text) != len(text):
                raise JournalError(f"{self.path}: the disk took only a part of the record; is it full?")
            file.truncate()
        return True

    def _load(self) -> list[Record]:
        data = self.path.read_bytes()
        try:
            rows, whole = rows_of(data)
        except ForeignContentError:
            raise JournalError(
                f"{self.path} holds something that is no list of calls, and is left alone; name another file"
            ) from None
        if not whole:
            self._rescue(rows)
        read = [self._read(row) for row in rows]
        found = [record for record in read if record is not None]
        if rows and not found:
            raise JournalError(f"{self.path} holds no calls, and is left alone; name another file")
        if len(found) < len(rows):
            log.warning("outlay: %s: %d entries cannot be read", self.path, len(rows) - len(found))
        return found

    def _mend(self) -> None:
        """Bring a file whose end is damaged back into shape; what was there is kept beside it."""
        self._load()
        with self.path.open("rb") as file:
            damaged = _end_of(file) is None
        if damaged:  # an array, but with an end that no append can find
            self._rescue(rows_of(self.path.read_bytes())[0])

    def _rescue(self, rows: list[dict[str, Any]]) -> None:
        backup = self.path.with_name(f"{self.path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}.bak")
        shutil.copy2(self.path, backup)
        write_file(self.path, text_of(rows))
        log.warning(
            "outlay: %s was damaged; its %d readable calls were kept, and the file as it was stands in %s",
            self.path,
            len(rows),
            backup.name,
        )

    def _read(self, row: Mapping[str, Any]) -> Record | None:
        try:
            return record_from_json(row) if "schema" in row else self._foreign(row)
        except (OutlayError, TypeError) as error:
            log.debug("outlay: %s: an entry cannot be read: %s", self.path, error)
            return None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{folder} cannot be made: {error.strerror or error}") from error


def _open_or_create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)


def _end_of(file: IO[bytes]) -> tuple[int, bytes] | None:
    start = max(0, file.seek(0, os.SEEK_END) - _TAIL)
    file.seek(start)
    return opening(file.read(), start)


def _signature(path: Path) -> Signature | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
