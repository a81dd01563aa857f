"""Late calls that are settled while the process dies: all of them once, or none."""

from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.dying import settle_and_die

from outlay.core.ids import uuid7
from outlay.core.query import Query
from outlay.journal import Journal
from outlay.ledger import DuckLedger
from outlay.ledger.late import row_of, settled_days
from outlay.testing import NOON, call

DAY = timedelta(days=1)
OLD = NOON - 9 * DAY


@pytest.mark.parametrize("way", ["count in", "discard"])
@pytest.mark.parametrize("statement", [1, 3, "last", "none"])
def test_a_settlement_that_is_killed_is_done_once_or_not_at_all(
    tmp_path: Path, statement: int | str, way: str
) -> None:
    """The journal tells of all of them, and is never told otherwise."""
    count_in = way == "count in"
    journal = Journal(tmp_path / "journal")
    journal.append(call(NOON - 8 * DAY))
    assert journal.flush(10)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.prune(NOON - 5 * DAY)
        for number in range(3):
            journal.append(call(OLD, user=f"u{number}", cost="0.5"))
        journal.close()
        assert ledger.info().late == 3
    done = settle_and_die(str(tmp_path), statement, count_in=count_in)
    assert done == (0 if statement == "none" else -9)
    with closing(DuckLedger(tmp_path)) as ledger:
        settled = statement == "none"
        assert ledger.info().late == (0 if settled else 3)
        assert ledger.rows(Query()).total["calls"] == (4 if settled and count_in else 1)
        assert ledger.verify() == ()
        assert ledger.settle_late(count_in=count_in).calls == (0 if settled else 3)
        assert ledger.rows(Query()).total["calls"] == (4 if count_in else 1)
        assert (ledger.info().late, ledger.verify()) == (0, ())


def test_more_late_calls_than_are_looked_at_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, with one total for each page's calls that are alike."""
    monkeypatch.setattr("outlay.ledger.retention.PORTION", 2)
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.prune(NOON)
        ledger.add([call(OLD, cost="0.5", tags={"a": "b", "c": "d"}) for _ in range(5)])
        done = ledger.settle_late(count_in=True)
        assert (done.calls, done.rollups, done.costs) == (5, 3, {"USD": Decimal("2.5")})
        assert [row["calls"] for row in ledger.rows(Query(by=("tag:c",))).rows] == [5]
        assert ledger.verify() == ()


def test_the_proof_finds_what_a_settlement_did_not_add(tmp_path: Path) -> None:
    """A call that is settled as counted, and in no total, while a journal tells of it."""
    journal = Journal(tmp_path / "journal")
    with closing(DuckLedger(tmp_path)) as ledger:
        ledger.prune(NOON)
        journal.append(call(OLD))
        journal.close()
        ledger.settle_late(count_in=False)
        assert ledger.verify() == ()
        with ledger._turn() as engine:
            engine.run("UPDATE settled SET counted = TRUE")
        (found,) = ledger.verify()
        assert (found.what, found.expected, found.found) == (
            "pruned calls that journals still tell of",
            "1 or more",
            "0",
        )


def test_an_id_that_tells_no_time_leaves_the_day_to_the_instant() -> None:
    random_id = "11111111-2222-4333-8444-555555555555"
    moved = call(NOON)
    days = settled_days([call(NOON, id=random_id), call(NOON, id=uuid7(OLD)), moved])
    assert sorted((row["at"].day, row["calls"]) for row in map(row_of, days)) == [(13, 1), (22, 2)]
