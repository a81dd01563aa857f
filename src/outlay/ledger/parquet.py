"""Calls as Parquet files, a folder for each UTC day; DuckDB writes them, so no other package is needed."""

import shutil
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import duckdb

from outlay.core.errors import LedgerError
from outlay.core.record import Entry
from outlay.journal import line_of
from outlay.ledger.migrations import migrations

_ENTRIES = 50_000  # in one pass: a day that goes over several has several files


def write_parquet(records: Iterable[Entry], folder: Path) -> int:
    """Write calls to ``folder/day=2026-11-01/*.parquet``, zstd; give how many. Money is DECIMAL(38, 18).

    The folder appears when all is written; one that holds something already is left alone.

    Raises:
        LedgerError: the folder holds something, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LedgerError(f"{folder} is there already; name a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
            count = _written(iter(records), Path(name))
            if folder.exists():
                folder.rmdir()
            shutil.move(Path(name) / "out", folder)
            return count
    except OSError as error:
        raise LedgerError(f"{folder} cannot be written: {error.strerror or error}") from error
    except duckdb.Error as error:
        raise LedgerError(f"{folder} cannot be written: {str(error).partition(chr(10))[0]}") from error


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
