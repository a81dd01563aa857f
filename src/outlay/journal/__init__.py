"""Append-only segment files that take every record before any ledger does."""

from outlay.journal.endings import watch_own_signals
from outlay.journal.follow import Follower
from outlay.journal.journal import Journal
from outlay.journal.lifecycle import watch_exit, watch_forks
from outlay.journal.lines import append_line, read_objects
from outlay.journal.locks import is_live
from outlay.journal.removal import remove_taken
from outlay.journal.room import floor_of
from outlay.journal.segments import Fault, Segment, pending_bytes, read_line, read_segment, segments, size_of
from outlay.journal.waiting import Waiting, waiting
from outlay.journal.writer import Sync, line_of

__all__ = [
    "Fault",
    "Follower",
    "Journal",
    "Segment",
    "Sync",
    "Waiting",
    "append_line",
    "floor_of",
    "is_live",
    "line_of",
    "pending_bytes",
    "read_line",
    "read_objects",
    "read_segment",
    "remove_taken",
    "segments",
    "size_of",
    "waiting",
    "watch_exit",
    "watch_forks",
    "watch_own_signals",
]
