"""A folder with a ledger of an old schema, as an older outlay left it, and what such a file holds."""

from decimal import Decimal
from pathlib import Path

import duckdb

from outlay.core.ids import uuid7
from outlay.ledger.migrations import migrations
from outlay.testing import NOON

STEPS = migrations("duckdb")
_COLUMNS = """id, "at", provider, operation, status, input_tokens, cached_tokens, cache_write_tokens,
    output_tokens, reasoning_tokens, currency, cost_status, cost, prompt, extra"""


def of_before(folder: Path, have: int = 3, calls: int = 3000) -> None:
    """Make a ledger of an old schema in which every third call has texts."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / "ledger.duckdb")) as old:
        old.execute("CREATE TABLE outlay_schema (version INTEGER NOT NULL)")
        for version, text in STEPS[:have]:
            old.execute(text)
            old.execute("INSERT INTO outlay_schema VALUES (?)", [version])
        first = str(uuid7(NOON))[:24]
        old.execute(
            f"""INSERT INTO calls ({_COLUMNS})
            SELECT CAST('{first}' || lpad(to_hex(n), 12, '0') AS UUID), TIMESTAMP '2026-11-22 12:00:00',
                'openai', 'chat', 'success', n, 0, 0, 1, 0, 'USD', 'priced', 0.5,
                CASE WHEN n % 3 = 0 THEN 'say ' || n END,
                CASE WHEN n % 3 = 0 THEN CAST('{{"n":' || n || '}}' AS JSON) END
            FROM range({calls}) AS numbers(n)"""  # noqa: S608  # an id and a number
        )


def held(folder: Path) -> tuple[int, int, Decimal, int, int]:
    """Give the schema and what calls hold, without asking outlay."""
    with duckdb.connect(str(folder / "ledger.duckdb"), read_only=True) as file:
        version, *sums = file.execute(
            """SELECT (SELECT max(version) FROM outlay_schema), count(*), sum(cost), sum(input_tokens),
            count(*) FILTER
                (prompt = 'say ' || input_tokens AND extra ->> 'n' = CAST(input_tokens AS VARCHAR))
            FROM calls"""
        ).fetchall()[0]
    return version, *sums
