"""The writer: turns a batch of entries into lines of the current segment, and keeps count of losses."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson

from outlay.core.codec import entry_json
from outlay.core.ports import Clock, Pending
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.journal.files import SegmentFile
from outlay.journal.losses import Losses
from outlay.journal.room import Room
from outlay.journal.telling import warn

Sync = Literal["never", "interval", "always"]
_MADE = (Record, Score, Revision, Loss)
_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


def line_of(entry: Entry | Pending) -> bytes:
    """Write an entry, or what will be one, as one line.

    Half a surrogate pair, as a cut stream leaves it, becomes a question mark.

    Raises:
        TypeError: it holds a value that JSON does not know.
        ValueError: it holds one that no JSON number can be.
    """
    data = entry_json(entry) if isinstance(entry, _MADE) else entry.json()
    try:
        return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        pass  # keys that are no text need an option that takes half as long again
    try:
        return orjson.dumps(data, option=_OPTIONS)
    except orjson.JSONEncodeError:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8", "replace") + b"\n"


class Writer:
    """Writes batches to segments of its own; used by one thread at a time."""

    def __init__(  # what a writer is made of
        self,
        folder: Path,
        losses: Losses,
        clock: Clock,
        segment_bytes: int,
        run: str | None = None,
        room: Room | None = None,
    ) -> None:
        self._room = room or Room(folder, None, clock.monotonic)
        self._stopped = False
        self._unsynced = False
        self._folder = folder
        self._run = run
        self._losses = losses
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._file: SegmentFile | None = None

    @property
    def dirty(self) -> bool:
        """Whether something was written that is not synced yet."""
        return self._file is not None and self._file.dirty

    def write(self, batch: Iterable[Entry | Pending]) -> bool:
        """Write a batch, after the losses that are still to be told; whether all of it is kept."""
        lines, all_good = self._lines(batch)
        now = self._clock.now()
        told = self._losses.untold(now)
        if not lines and not told:
            return all_good
        if not self._has_room(len(lines)):
            return all_good and not lines
        notes = [line_of(loss) for loss in told]
        kept, why = self._append([*notes, *lines], now)
        if kept == len(lines) and not told:  # as nearly always; others have run meanwhile, and little is warm
            return all_good
        self._losses.told(told[:kept])
        lost = len(lines) - max(0, kept - len(notes))
        if lost:
            self._losses.add(lost, why)
        self._losses.warn_once()
        return all_good and not lost

    def tell_losses(self) -> None:
        """Write, at the end, what no journal tells of yet: a line a reason, below the disk's floor too."""
        now = self._clock.now()
        if told := self._losses.untold(now):
            kept, _ = self._append([line_of(loss) for loss in told], now)
            self._losses.told(told[:kept])
            self.close()

    def _has_room(self, count: int) -> bool:
        """Whether the disk has room; else so many are counted as lost, so that others can still write."""
        full = self._room.lacking()
        if full is not None:
            self._losses.add(count, full)
            self._losses.warn_once()
        elif self._stopped:
            warn("there is room for the journal in %s again; calls are recorded", self._folder)
        self._stopped = full is not None
        return full is None

    def _lines(self, batch: Iterable[Entry | Pending]) -> tuple[list[bytes], bool]:
        lines = []
        all_good = True
        for entry in batch:
            try:
                lines.append(line_of(entry))
            except Exception as error:  # noqa: BLE001  # whatever a stranger's value does, the others go on
                self._losses.add(1, f"cannot be written as JSON: {error}"[:200])
                all_good = False
        return lines, all_good

    def _append(self, lines: list[bytes], now: datetime) -> tuple[int, str]:
        """Write lines, on failure once more to a new segment; give how many are kept, and what was wrong."""
        kept = 0
        why = ""
        for _ in range(2):
            text = b"".join(lines[kept:])
            before = 0
            try:
                file = self._current(now)
                before = file.size
                file.append(text)
            except OSError as error:
                why = f"{error.strerror or error}: {self._folder}"
                kept += text.count(b"\n", 0, self._file.size - before if self._file else 0)
                self.close()
            else:
                return len(lines), ""
        return kept, why

    def _current(self, now: datetime) -> SegmentFile:
        if self._file and (self._file.size >= self._segment_bytes or self._file.day != now.date()):
            self.close()
        if self._file is None:
            self._file = SegmentFile(self._folder, now, self._run)
        return self._file

    def sync(self) -> None:
        """Sync what was written; :meth:`all_synced` says whether that went well."""
        try:
            if self._file is not None:
                self._file.sync()
        except OSError as error:
            self._unsynced = True  # a system tells that once, and gives the same pages up
            warn("the journal in %s could not be synced to disk: %s", self._folder, error.strerror)

    def all_synced(self) -> bool:
        """Sync what was written; whether all since the last answer has reached the disk."""
        self.sync()
        failed, self._unsynced = self._unsynced, False
        return not failed

    def close(self) -> None:
        """Sync and close the current segment; the next batch opens another."""
        self.sync()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def abandon(self) -> None:
        """Forget the parent's segment in a forked child."""
        file, self._file = self._file, None
        if file is not None:
            file.abandon()
