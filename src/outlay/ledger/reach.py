"""How far a seal goes: over how many calls, and over how much of what was told of them later.

The first so many rows of a table are those that LIMIT gives and OFFSET leaves out: DuckDB reads one table in
the order of its rowids, as ``preserve_insertion_order`` promises, which ``engine`` sets. Sorting ten million
rowids for it would take 0.2 s of each question.
"""

from dataclasses import dataclass
from datetime import datetime

from outlay.ledger.stored import Asked


@dataclass(frozen=True, slots=True)
class Seal:
    """How far the tables go, as the table ``seals`` says it."""

    upto: int = 0
    again: int = 0
    revisions: int = 0
    scores: int = 0
    lines: int = 0
    lined: int = 0
    lines_since: datetime | None = None  # midnight, naive UTC
    lines_again: int = 0


def the_seal(tables: Asked) -> Seal:
    """Say how far the tables go."""
    found = tables.all(
        "SELECT upto, again, revisions, scores, lines, lined, lines_since, lines_again FROM seals"
    )
    return Seal(*found[0]) if found else Seal()


def edge(tables: Asked, calls: int) -> int:
    """Give the rowid below which the first so many calls lie: another number once some were deleted."""
    have, end = tables.all("SELECT count(*), coalesce(max(rowid) + 1, 0) FROM calls")[0]
    if have == end or not calls:
        return calls
    if calls >= have:
        return int(end)
    return int(tables.all("SELECT rowid FROM calls LIMIT 1 OFFSET ?", [calls])[0][0])


def came_later(tables: Asked) -> tuple[int, int]:
    """Count the costs that were reckoned again, and the judgements that came after their calls."""
    ((revisions, scores),) = tables.all(
        "SELECT (SELECT count(*) FROM revisions), (SELECT count(*) FROM scores)"
    )
    return int(revisions), int(scores)


def days_from(since: datetime | None) -> str:
    """Write the condition of calls from that midnight on, naive UTC; of all calls where there is none."""
    return "TRUE" if since is None else f"\"at\" >= TIMESTAMP '{since}'"
