"""The documented view ``calls`` for SQL of one's own over the embedded ledger; nothing is written."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outlay.core.errors import LedgerError, QueryError
from outlay.core.query import Selected
from outlay.ledger.dialect import DUCKDB, REVISED, Dialect
from outlay.ledger.native import duckdb, heard
from outlay.ledger.spill import own_folder

COLUMNS = (
    *(
        "id",
        "at",
        "provider",
        "model",
        "model_requested",
        "operation",
        "api",
        "status",
        "error_type",
        "error",
    ),
    *("latency_ms", "time_to_first_token_ms", "streamed", "retries"),
    *("user", "session", "query_type", "agent", "action", "workspace", "tags"),
    *("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
    *("cost", "currency", "cost_status", "prompt_length", "response_id", "trace_id", "span_id", "extra"),
    *("quality_score", "user_rating", "correct"),
)
"""What the view holds of each call; ``docs/sql.md`` says what each means."""
_WORKED_OUT = (
    "input_tokens + output_tokens AS total_tokens, "
    "coalesce({flags} LIKE '%\"extrapolated\"%', false) AS extrapolated"
)
_OVER_CALLS = """WITH calls AS (
    SELECT {columns}, {worked_out} FROM {source}
) SELECT * FROM (
{text}
) AS answer"""
ONE_SELECT = "write one SELECT; nothing in the ledger can be changed by SQL"
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)  # and comments
_QUESTIONS = frozenset(("select", "with", "from", "values", "table"))
_CHANGES = re.compile(  # also inside of a WITH, where engines say otherwise why they refuse it
    r"\b(?:insert\s+into|delete\s+from|merge\s+into|update\b.*?\bset)\b", re.IGNORECASE | re.DOTALL
)
_TABLE = re.compile(r"FROM (calls|revisions|scores)\b")
_BARE_AT = re.compile(r'(?<!")\bat\b(?!")', re.IGNORECASE)


def over_calls(text: str, dialect: Dialect) -> str:
    """Lay the view under a SELECT, for a server that keeps no view of its own."""
    columns = ", ".join(f'calls."{name}"' for name in COLUMNS)
    source = dialect.judged.format(calls=dialect.revised)
    worked_out = _WORKED_OUT.format(flags=dialect.flags)
    return _OVER_CALLS.format(columns=columns, worked_out=worked_out, source=source, text=text)


@contextmanager
def refused_plainly(text: str) -> Iterator[None]:
    """Say what may be written, where a server's words about our question around it tell of a syntax alone.

    Nothing is refused by it: only what a server has refused is looked at.

    Raises:
        QueryError: the server's, or that the text is not one SELECT.
    """
    try:
        yield
    except QueryError:
        if not _asks_once(text):
            raise QueryError(ONE_SELECT) from None
        raise


def unquoted(text: str) -> str:
    """Give a statement without its texts, quoted names and comments."""
    return _QUOTED.sub(" ", text)


def _asks_once(text: str) -> bool:
    bare = unquoted(text).strip("; \t\r\n")
    first = re.match(r"[(\s]*(\w+)", bare)
    asks = first is not None and first[1].lower() in _QUESTIONS and ";" not in bare
    return asks and not _CHANGES.search(bare)


def select(file: Path, text: str) -> Selected:
    """Run one SELECT over the view; the caller holds the ledger's lock.

    The file is opened for reading alone, and the statement reaches no other file and no network.

    Raises:
        QueryError: it is not one SELECT, or DuckDB cannot run it.
        LedgerError: the ledger cannot be opened.
    """
    # by itself DuckDB takes the folder where the caller stands
    spill, remove_spill = own_folder(file.parent / "spool")
    engine = duckdb.connect(
        ":memory:", config={"autoload_known_extensions": "false", "temp_directory": str(spill)}
    )
    try:
        _check(engine, text)
        _open(engine, file)
        return heard(engine, lambda: _asked(engine, text))
    finally:
        engine.close()
        remove_spill()


def _asked(engine: duckdb.DuckDBPyConnection, text: str) -> Selected:
    try:
        answer = engine.execute(text)
        names = tuple(str(column[0]) for column in answer.description or ())
        return Selected(names, tuple(answer.fetchall()))
    except duckdb.Error as error:
        raise _refused(error, text) from None


def _check(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    try:
        statements = engine.extract_statements(text)
    except duckdb.Error as error:
        raise _refused(error, text) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError(ONE_SELECT)


def _refused(error: duckdb.Error, text: str) -> QueryError:
    if _CHANGES.search(unquoted(text)):
        return QueryError(ONE_SELECT)
    hint = '; at is a word of SQL: write "at"' if _BARE_AT.search(text) else ""
    said = str(error).partition("\n\nLINE ")[0]  # what follows points at a place below a line
    return QueryError(f"DuckDB says: {' '.join(said.split())[:300]}{hint}")


def _open(engine: duckdb.DuckDBPyConnection, file: Path) -> None:
    location = str(file).replace("'", "''")
    try:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"ATTACH '{location}' AS ledger (READ_ONLY)")
        engine.execute("USE ledger")
        engine.execute(f"CREATE VIEW memory.main.calls AS {_view()}")
        engine.execute("USE memory")
        engine.execute("SET enable_external_access = false")
        engine.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        raise LedgerError(f"{file}: {str(error).partition(chr(10))[0]}") from error


def _view() -> str:
    """Give the view's SELECT: the newest cost, the newest value of each score."""
    source = DUCKDB.judged.format(calls=REVISED.calls)
    source = _TABLE.sub(r"FROM ledger.main.\1 AS \1", source)
    told = ", ".join(f'calls."{name}"' for name in COLUMNS)
    return f"SELECT {told}, {_WORKED_OUT.format(flags=DUCKDB.flags)} FROM {source}"  # noqa: S608  # our own names
