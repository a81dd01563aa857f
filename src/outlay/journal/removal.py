"""Removing segments that every ledger has: the only place where a journal is ever taken away."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from outlay.atomic import sync_folder
from outlay.journal.locks import is_live
from outlay.journal.segments import segments
from outlay.journal.telling import warn


def remove_taken(folder: Path, taken: Mapping[str, int], before: datetime) -> list[str]:
    """Remove segments that are wholly taken in and were last written before an instant; give their names.

    What was taken in must be on disk by now. A segment whose writer lives stays; one that cannot be removed
    stays too, and is said in the log.
    """
    removed = []
    for path in _old(folder, taken, before):
        try:
            path.unlink()
        except OSError as error:
            warn("the journal %s is taken in but cannot be removed: %s", path, error.strerror)
        else:
            removed.append(path.name)
    if removed:
        sync_folder(folder)
    return removed


def _old(folder: Path, taken: Mapping[str, int], before: datetime) -> Iterator[Path]:
    for segment in segments(folder):
        if taken.get(segment.name, 0) < segment.size or is_live(segment.path):
            continue
        try:
            found = segment.path.stat()  # asked again: its writer is dead now, so this is final
        except FileNotFoundError:  # another process, which ships to another ledger, was sooner
            continue
        if found.st_size == taken.get(segment.name, 0) and found.st_mtime < before.timestamp():
            yield segment.path
