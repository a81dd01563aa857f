"""Following journals: what is written from now on, by any process, as it comes."""

from pathlib import Path

from outlay.core.record import Entry
from outlay.journal.segments import Fault, read_segment, segments


class Follower:
    """Gives the entries that were written since the last look, oldest first within a journal."""

    def __init__(self, folder: Path, *, from_start: bool = False) -> None:
        self._folder = folder
        self._read = {} if from_start else {each.name: each.size for each in segments(folder)}

    def poll(self) -> list[Entry]:
        """Give what is new; lines that are no entries are left to the ledger, which reports them.

        Raises:
            JournalError: a journal cannot be read.
        """
        found: list[Entry] = []
        for segment in segments(self._folder):
            start = self._read.get(segment.name, 0)
            if segment.size > start:
                found += self._news(segment.path, start)
        return found

    def _news(self, path: Path, start: int) -> list[Entry]:
        found: list[Entry] = []
        for after, entry in read_segment(path, start):
            self._read[path.name] = after
            if not isinstance(entry, Fault):
                found.append(entry)
        return found
