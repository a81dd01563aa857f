"""Proof that a server's ledger has what this home says it has shipped."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from outlay.core.ids import time_of
from outlay.core.keeping import Disagreement
from outlay.core.ports import Keeping
from outlay.core.record import Record
from outlay.journal import Fault, Segment, read_objects, read_segment, segments
from outlay.ledger.ship.offsets import Offsets

_AT_ONCE = 5_000
_TIMED = 7  # the version of UUIDs that begin with their time


def verify_shipped(journals: Path, offsets: Offsets, ledger: Keeping) -> Iterator[Disagreement]:
    """Look each call up that was shipped, of all segments that are still there.

    Calls of pruned days are in totals, and lines that were set aside in the file of dead letters.
    """
    taken = offsets.read().taken
    horizon = ledger.info().pruned_before
    dead = _dead(offsets)
    for segment in segments(journals):
        end = taken.get(segment.name, 0)
        if end > segment.size:
            yield Disagreement(segment.name, "bytes shipped", f"{segment.size:,} at most", f"{end:,}")
        ids = _shipped(segment, end, horizon, dead)
        found = sum(len(ledger.known(ids[at : at + _AT_ONCE])) for at in range(0, len(ids), _AT_ONCE))
        if found != len(ids):
            yield Disagreement(segment.name, "calls that were shipped", f"{len(ids):,}", f"{found:,}")


def _dead(offsets: Offsets) -> frozenset[tuple[str, int]]:
    letters = read_objects(offsets.dead_letters)
    return frozenset((each["segment"], each["offset"]) for each in letters if each is not None)


def _shipped(
    segment: Segment, end: int, horizon: datetime | None, dead: frozenset[tuple[str, int]]
) -> list[str]:
    """Give the ids of the calls up to that offset that must be in the ledger, each once."""
    ids: dict[str, None] = {}
    start = 0
    for after, entry in read_segment(segment.path):
        if after > end:
            break
        gone = isinstance(entry, Fault) or (segment.name, start) in dead
        if not gone and isinstance(entry, Record) and not _is_old(entry, horizon):
            ids[entry.id.lower()] = None
        start = after
    return list(ids)


def _is_old(record: Record, horizon: datetime | None) -> bool:
    if horizon is None:
        return False
    timed = UUID(record.id).version == _TIMED
    return record.at < horizon or (timed and time_of(record.id) < horizon)
