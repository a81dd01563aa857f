"""One open segment: complete lines only, appended to a file that nobody else writes."""

import os
import socket
from datetime import datetime
from pathlib import Path

from outlay.atomic import PRIVATE, private_folder, sync_folder
from outlay.journal import locks
from outlay.journal.segments import SUFFIX, mark_of

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)


class SegmentFile:
    """An open segment of this process.

    Raises:
        OSError: the folder cannot be made or the file cannot be opened.
    """

    def __init__(self, folder: Path, now: datetime, run: str | None = None) -> None:
        private_folder(folder)
        self.day = now.date()
        self.path = folder / _name(now, run)
        self.size = 0
        self.dirty = False
        self._listed = False
        self._descriptor = os.open(self.path, _FLAGS, PRIVATE)  # records may hold what users asked
        locks.hold(self._descriptor)

    def append(self, lines: bytes) -> None:
        """Write whole lines; when that fails in the middle of one, take its beginning back.

        Raises:
            OSError: the disk is full or failing; ``size`` then tells how much of ``lines`` was kept.
        """
        start = self.size
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._descriptor, memoryview(lines)[written:])
        except OSError:
            written = lines.rfind(b"\n", 0, written) + 1
            os.ftruncate(self._descriptor, start + written)
            raise
        finally:
            self.size = start + written
            self.dirty = self.dirty or written > 0

    def sync(self) -> None:
        """Return when what was written has reached the disk.

        Raises:
            OSError: the disk failed.
        """
        if not self.dirty:
            return
        os.fsync(self._descriptor)
        if not self._listed:
            sync_folder(self.path.parent)
            self._listed = True
        self.dirty = False

    def close(self) -> None:
        """Let go of the file, and of the mark that it is being written; an empty file is taken away."""
        if not self.size:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Let go of a parent's file in a forked child; the parent's own copy and mark stay."""
        os.close(self._descriptor)


def _name(now: datetime, run: str | None) -> str:
    host = "".join(c if c.isalnum() else "-" for c in socket.gethostname()[:40]) or "host"
    # Not by strftime, which imports a module: that fails while the interpreter is torn down.
    moment = now.isoformat(timespec="seconds")[:19].replace("-", "").replace(":", "")
    return f"{moment}-{host}-{os.getpid()}-{os.urandom(4).hex()}{mark_of(run)}{SUFFIX}"
