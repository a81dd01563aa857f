"""SQL of one's own over the embedded ledger: exact answers, one SELECT, and nothing else in reach."""

from decimal import Decimal
from pathlib import Path

import pytest

from outlay.core.errors import LedgerError, QueryError
from outlay.core.record import Revision, Score
from outlay.ledger import DuckLedger
from outlay.ledger.view import COLUMNS, select
from outlay.testing import NOON, call


@pytest.fixture
def ledger(tmp_path: Path) -> DuckLedger:
    """Keep three calls: one judged, one priced again, one unpriced."""
    kept = DuckLedger(tmp_path)
    judged = call(user="a", cost="0.000000000000000001", units={"input": 3, "output": 2})
    again = call(user="a", cost="1")
    kept.add([judged, again, call(user="b", cost=None)])
    kept.add([Score(record_id=judged.id, at=NOON, quality_score=0.5)])
    kept.add([Revision(record_id=again.id, at=NOON, charge=call(cost="2").charge)])
    return kept


def test_the_newest_costs_add_up_to_the_digit(ledger: DuckLedger) -> None:
    found = ledger.select(
        'SELECT "user", count(*) AS calls, sum(cost) AS cost FROM calls GROUP BY 1 ORDER BY 1'
    )
    assert found.columns == ("user", "calls", "cost")
    assert found.rows == (("a", 2, Decimal("2.000000000000000001")), ("b", 1, None))


def test_every_column_is_there_with_the_newest_score(ledger: DuckLedger) -> None:
    found = ledger.select("SELECT * FROM calls WHERE quality_score IS NOT NULL")
    assert found.columns == (*COLUMNS, "total_tokens", "extrapolated")
    (row,) = found.rows
    kept = dict(zip(found.columns, row, strict=True))
    assert (kept["quality_score"], kept["total_tokens"]) == (0.5, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DELETE FROM calls", "write one SELECT"),
        ("SELECT 1; SELECT 2", "write one SELECT"),
        ("WITH gone AS (DELETE FROM ledger.main.calls RETURNING id) SELECT * FROM gone", "write one SELECT"),
        ("WITH gone AS (DELETE FROM calls RETURNING id) SELECT * FROM gone", "write one SELECT"),
        ("", "write one SELECT"),
        ("SELEC 1", "DuckDB says"),
        ("SELECT nothing_like_it FROM calls", "DuckDB says"),
        ("SELECT at FROM calls WHERE at at", 'at is a word of SQL: write "at"'),
        ("SELECT * FROM read_csv('/etc/passwd')", "DuckDB says"),
        ("SELECT * FROM ledger.main.nowhere", "DuckDB says"),
    ],
)
def test_anything_else_is_refused_in_one_line(ledger: DuckLedger, text: str, said: str) -> None:
    with pytest.raises(QueryError, match=said) as caught:
        ledger.select(text)
    assert "\n" not in str(caught.value)


def test_what_memory_does_not_hold_stays_in_the_ledgers_folder(ledger: DuckLedger) -> None:
    """And is not put where the caller stands, for others to read."""
    (where,) = ledger.select("SELECT current_setting('temp_directory')").rows
    assert Path(where[0]).parent == ledger.folder / "spool" / "duckdb"
    assert ledger.spool.is_dir()
    assert not Path(where[0]).exists()  # by now


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "ledger.duckdb"
    broken.write_bytes(b"not a database at all")
    with pytest.raises(LedgerError, match=r"ledger\.duckdb"):
        select(broken, "SELECT 1 FROM calls")


def test_a_statement_that_is_refused_has_no_sign_that_points_nowhere(ledger: DuckLedger) -> None:
    with pytest.raises(QueryError) as refused:
        ledger.select("SELECT 1 FROM calls WHERE")
    assert str(refused.value) == 'DuckDB says: Parser Error: syntax error at or near "WHERE"'
