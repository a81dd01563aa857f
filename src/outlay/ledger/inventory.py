"""What a ledger tells of itself: how much is kept, what was lost and why, what is faulty, what came late."""

from datetime import UTC

from outlay.core.keeping import FaultyLine, LedgerInfo, Lost
from outlay.core.record import Record
from outlay.ledger.answers import Tables
from outlay.ledger.rolled import horizon_of
from outlay.ledger.stored import record_of


def info(tables: Tables, ledger: str) -> LedgerInfo:
    """Tell how much is kept, what was lost and why, and which lines of journals are faulty."""
    calls, first, last = tables.all('SELECT count(*), min("at"), max("at") FROM calls')[0]
    lost = tables.all('SELECT why, sum("count") FROM losses GROUP BY why ORDER BY min("at")')
    faulty = tables.all("SELECT segment, segment_offset, reason FROM faults ORDER BY 1, 2 LIMIT 100")
    return LedgerInfo(
        ledger=ledger,
        schema=tables.all('SELECT max("version") FROM outlay_schema')[0][0],
        calls=calls,
        first=None if first is None else first.replace(tzinfo=UTC),
        last=None if last is None else last.replace(tzinfo=UTC),
        revisions=_count(tables, "revisions"),
        conflicts=_count(tables, "conflicts"),
        lost=tuple(Lost(why, int(count)) for why, count in lost),
        faults=_count(tables, "faults"),
        faulty=tuple(FaultyLine(*each) for each in faulty),
        pruned_before=horizon_of(tables),
        pruned_calls=int(tables.all("SELECT coalesce(sum(calls), 0) FROM rollups")[0][0]),
        late=_count(tables, "late"),
    )


def _count(tables: Tables, table: str) -> int:
    return int(tables.all(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608  # our own names


def late_calls(tables: Tables, limit: int) -> tuple[Record, ...]:
    """Give the newest of the calls that were set aside since their day had been pruned."""
    names = tuple(tables.columns("late"))
    listed = ", ".join(f'"{name}"' for name in names)
    found = tables.all(f'SELECT {listed} FROM late ORDER BY "at" DESC, id DESC LIMIT ?', [limit])  # noqa: S608  # our own names
    return tuple(record_of(names, row) for row in found)
