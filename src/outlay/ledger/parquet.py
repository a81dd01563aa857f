"""Calls as Parquet files, a folder for each UTC day; DuckDB writes them, so no other package is needed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from outlay.core.errors import LedgerError
from outlay.core.query import CallQuery
from outlay.core.record import Entry
from outlay.journal import line_of
from outlay.ledger import sql
from outlay.ledger.answers import newest
from outlay.ledger.dialect import DUCKDB
from outlay.ledger.engine import Engine
from outlay.ledger.leftovers import held
from outlay.ledger.migrations import migrations
from outlay.ledger.native import duckdb, interruptible
from outlay.ledger.stored import COST_COLUMNS

_ENTRIES = 50_000  # in one pass: a day that goes over several has several files


def write_parquet(records: Iterable[Entry], folder: Path) -> int:
    """Write calls to ``folder/day=2026-11-01/*.parquet``, zstd; give how many. Money is DECIMAL(38, 18).

    The folder appears when all is written; one that holds something already is left alone.

    Raises:
        LedgerError: the folder holds something, or cannot be written.
    """
    with _new_folder(folder) as place:
        return _written(iter(records), place)


def copy_parquet(turn: Callable[[], AbstractContextManager[Engine]], query: CallQuery, folder: Path) -> int:
    """Write what a query asks for, newest first, straight out of the tables: a day at a time, a file each.

    The ledger is held for one day's calls, then others have their turn.

    Raises:
        LedgerError: the folder holds something, or cannot be written.
    """
    count, left = 0, query.limit
    with _new_folder(folder) as place:
        (place / "out").mkdir()
        with turn() as engine:
            asked = sql.days(query, newest(engine))
            days = engine.all(asked.text, asked.parameters)
        for (day,) in days:
            if left is not None and left <= 0:
                break
            with turn() as engine:
                done = _copy_day(engine, query, left, day, place / "out")
            count, left = count + done, None if left is None else left - done
    return count


def _on(query: CallQuery, day: date) -> CallQuery:
    start = datetime.combine(day, time(), UTC)
    since = start if query.since is None else max(start, query.since)
    if day == date.max:  # no day follows
        return replace(query, since=since)
    end = start + timedelta(days=1)
    return replace(query, since=since, until=end if query.until is None else min(end, query.until))


def _copy_day(engine: Engine, query: CallQuery, limit: int | None, day: date, out: Path) -> int:
    folder = out / f"day={day}"
    folder.mkdir()
    rows = sql.chosen(_on(query, day), limit, dialect=newest(engine))
    names = ", ".join(_column(name) for name in engine.columns("calls"))
    # The day once more: by it whole groups of rows are passed over unread.
    calls = f"""(SELECT * FROM calls WHERE "at" >= CAST(? AS DATE)
        AND "at" < CAST(? AS DATE) + INTERVAL 1 DAY AND rowid IN ({rows.text})) AS calls"""  # noqa: S608  # our own names
    target = str(folder / "calls.parquet").replace("'", "''")
    found = engine.all(
        f"""COPY (SELECT {names} FROM {_standing(engine, calls)} ORDER BY "at", id)
        TO '{target}' (FORMAT parquet, COMPRESSION zstd)""",  # noqa: S608  # likewise
        [day, day, *rows.parameters],
    )
    return int(found[0][0])


def _column(name: str) -> str:
    """Name a column; instants are told to be UTC, which the tables take for granted."""
    return 'CAST("at" AS TIMESTAMPTZ) AS "at"' if name == "at" else f'"{name}"'


def _standing(engine: Engine, calls: str) -> str:
    """Lay newer costs and scores over calls, where the ledger holds any."""
    if engine.all("SELECT 1 FROM revisions LIMIT 1"):
        calls = _REVISED.format(calls=calls)
    return DUCKDB.judged.format(calls=calls) if engine.all("SELECT 1 FROM scores LIMIT 1") else calls


_REVISED = f"""(SELECT calls.* REPLACE ({
    ", ".join(
        f'CASE WHEN newest.record_id IS NULL THEN calls."{name}" ELSE newest."{name}" END AS "{name}"'
        for name in COST_COLUMNS
    )
}) FROM {{calls}} LEFT JOIN (
    SELECT * FROM revisions
    QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY "at" DESC, rowid DESC) = 1
) AS newest ON newest.record_id = calls.id) AS calls"""  # noqa: S608  # our own names


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Give a place beside a folder, whose ``out`` becomes that folder when all went well."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LedgerError(f"{folder} is there already; name a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            held(folder.parent, f".{folder.name}.", "export.lock") as place,
            interruptible(),
        ):
            yield place
            _name(place / "out", folder)
    except OSError as error:
        raise LedgerError(f"{folder} cannot be written: {error.strerror or error}") from error
    except duckdb.Error as error:
        raise LedgerError(f"{folder} cannot be written: {str(error).partition(chr(10))[0]}") from error


def _name(finished: Path, folder: Path) -> None:
    """Give a finished folder its name: never inside of one that came meanwhile, nor over a file."""
    try:
        if folder.is_dir():
            folder.rmdir()
        finished.rename(folder)
    except OSError:
        if folder.exists():
            raise LedgerError(f"{folder} is there already; name a new folder") from None
        raise


def _written(records: "Iterable[Entry]", place: Path) -> int:
    engine = duckdb.connect(":memory:", config={"temp_directory": str(place / "spool")})
    engine.execute("SET TimeZone = 'UTC'")
    columns = _columns(engine)
    lines, out, count = place / "lines.jsonl", place / "out", 0
    out.mkdir()
    try:
        while some := list(islice(records, _ENTRIES)):
            lines.write_bytes(b"".join(map(line_of, some)))
            _copy(engine, columns, lines, out)
            count += len(some)
    finally:
        engine.close()
    return count


def _columns(engine: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Give the columns of the embedded ledger's calls with their types, read off its own numbered files."""
    for _, text in migrations("duckdb"):
        engine.execute(text)
    found = engine.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'calls' ORDER BY column_index"
    ).fetchall()
    return dict(found)


def _copy(engine: duckdb.DuckDBPyConnection, columns: dict[str, str], lines: Path, out: Path) -> None:
    types = {**columns, "at": "TIMESTAMPTZ"}
    spec = ", ".join(f"\"{name}\": '{kind}'" for name, kind in types.items())
    target = str(out).replace("'", "''")
    engine.execute(
        f"""COPY (SELECT {", ".join(f'"{name}"' for name in columns)}, CAST("at" AS DATE) AS day
            FROM read_json(?, format = 'newline_delimited', columns = {{{spec}}}) ORDER BY "at", id)
        TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), APPEND)""",  # noqa: S608  # our own names
        [[str(lines)]],
    )
