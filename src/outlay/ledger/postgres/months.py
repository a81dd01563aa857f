"""Partitions: one for the ids of each month, made when its first call comes."""

from datetime import UTC, datetime

from outlay.ledger.postgres.connection import Connection

_FIRST, _LAST = 2020, 2040  # in these years months have partitions of their own
_HAVE = """SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'records'::regclass"""


def month_of(record_id: str) -> tuple[int, int] | None:
    """Give the year and month of an id's own time; None where no month has a partition for it."""
    milliseconds = int(record_id[:8] + record_id[9:13], 16)
    if not _MILLISECONDS[0] <= milliseconds < _MILLISECONDS[1]:
        return None
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.year, at.month


def _start(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)


_MILLISECONDS = (_start(_FIRST, 1), _start(_LAST, 1))


def bounds(year: int, month: int) -> tuple[str, str]:
    """Give the least id of a month, and that of the next one."""
    later = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004  # months
    first, last = (f"{_start(*each):012x}" for each in ((year, month), later))
    return f"{first[:8]}-{first[8:]}-0000-0000-000000000000", f"{last[:8]}-{last[8:]}-0000-0000-000000000000"


def make_partitions(connection: Connection, months: set[tuple[int, int]]) -> None:
    """Make those partitions that are not there; whoever reads or writes meanwhile is not held up.

    A table is made apart and then attached, which takes a weaker lock than making it in place.
    """
    have = {name for (name,) in connection.all(_HAVE)}
    for year, month in sorted(months):
        name = f"records_{year:04}_{month:02}"
        if name in have:
            continue
        first, last = bounds(year, month)
        connection.run(
            f"CREATE TABLE {name} (LIKE records INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);"
            f" ALTER TABLE records ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{last}')"
        )
