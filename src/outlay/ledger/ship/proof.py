"""Proof that a server's ledger has what this home says it has shipped."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from outlay.core.keeping import Disagreement
from outlay.core.ports import Keeping
from outlay.core.record import Record
from outlay.journal import Fault, Segment, read_objects, read_segment, segments
from outlay.ledger.late import is_of_old
from outlay.ledger.ship.offsets import Offsets

_AT_ONCE = 5_000


def verify_shipped(journals: Path, offsets: Offsets, ledger: Keeping) -> Iterator[Disagreement]:
    """Look each call up that was shipped, of all segments that are still there.

    Calls of pruned days are in totals, and lines that were set aside in the file of dead letters.
    """
    taken = offsets.read().taken
    horizon = ledger.info().pruned_before
    dead = _dead(offsets)
    anywhere: set[str] | None = None  # told as calls of pruned days, in whatever segment
    for segment in segments(journals):
        end = taken.get(segment.name, 0)
        if end > segment.size:
            yield Disagreement(segment.name, "bytes shipped", f"{segment.size:,} at most", f"{end:,}")
        ids, old = _shipped(segment, end, horizon, dead)
        ids = [name for name in ids if name not in old]
        found = _found(ledger, ids)
        if found != len(ids) and horizon is not None:
            if anywhere is None:
                every = segments(journals)
                anywhere = set().union(
                    *(_shipped(each, taken.get(each.name, 0), horizon, dead)[1] for each in every)
                )
            ids = [name for name in ids if name not in anywhere]
            found = _found(ledger, ids)
        if found != len(ids):
            yield Disagreement(segment.name, "calls that were shipped", f"{len(ids):,}", f"{found:,}")


def _found(ledger: Keeping, ids: list[str]) -> int:
    return sum(len(ledger.known(ids[at : at + _AT_ONCE])) for at in range(0, len(ids), _AT_ONCE))


def _dead(offsets: Offsets) -> frozenset[tuple[str, int]]:
    letters = read_objects(offsets.dead_letters)
    return frozenset((each["segment"], each["offset"]) for each in letters if each is not None)


def _shipped(
    segment: Segment, end: int, horizon: datetime | None, dead: frozenset[tuple[str, int]]
) -> tuple[list[str], set[str]]:
    """Give the ids of the calls up to that offset, each once, and of those that are told as of a pruned day.

    Such a call need not be there, whatever else is told of its instant, here or in another segment.
    """
    ids: dict[str, None] = {}
    old: set[str] = set()
    start = 0
    for after, entry in read_segment(segment.path):
        if after > end:
            break
        gone = isinstance(entry, Fault) or (segment.name, start) in dead
        if not gone and isinstance(entry, Record):
            name = entry.id.lower()
            ids[name] = None
            if _is_old(entry, horizon):
                old.add(name)
        start = after
    return list(ids), old


def _is_old(record: Record, horizon: datetime | None) -> bool:
    if horizon is None:
        return False
    return record.at < horizon or is_of_old(record.id, horizon)
