"""Keeping house in PostgreSQL: migrations with data, proof, pruned months, SQL of one's own, the command."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql
from tests.support.dying import settle_and_die
from tests.support.postgres import private

from outlay import process
from outlay.cli import main
from outlay.core.cost import Cost
from outlay.core.errors import LedgerBusyError, QueryError
from outlay.core.keeping import Disagreement, Migrated
from outlay.core.query import Query
from outlay.core.record import Loss, Revision, Score
from outlay.ledger import PostgresLedger
from outlay.ledger.migrations import migrations, watched
from outlay.ledger.postgres.holders import said
from outlay.testing import NOON, call

Tamper = Callable[[str], None]


@pytest.fixture
def tamper(server: str, ledger: PostgresLedger) -> Tamper:
    """Change the ledger's tables behind its back."""

    def run(text: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            path = sql.SQL("SET search_path = {}").format(sql.Identifier(ledger.schema))
            connection.execute(path)
            connection.execute(text.encode())

    return run


def filled(ledger: PostgresLedger) -> None:
    """Give it calls of three months, a failed, an unpriced and two revised ones, a score and a loss."""
    records = [call(NOON - timedelta(days=20 * n), latency_ms=100.0 * n, model=f"m{n % 2}") for n in range(5)]
    records.append(call(status="error", error_type="Timeout", cost=None))
    dearer = [
        Revision(record_id=each.id, at=NOON, charge=Cost(Decimal(3), "priced", currency="EUR"))
        for each in records[:2]
    ]
    score = Score(record_id=records[0].id, at=NOON, quality_score=0.5)
    ledger.add([*records, *dearer, score, Loss(at=NOON, count=2, why="disk full")])


def test_steps_are_numbered_without_gaps() -> None:
    steps = migrations("postgres")
    assert [number for number, _ in steps] == list(range(1, len(steps) + 1))


def _as_of(version: int, tamper: Tamper) -> None:
    """Take a ledger back to what an earlier outlay would have made of the same calls."""
    tamper("DROP TABLE hours, latencies, hour_latencies, settled")
    tamper("DELETE FROM outlay_schema WHERE version > 1")
    for number, text in migrations("postgres")[1:version]:
        tamper(text)
        tamper(f"INSERT INTO outlay_schema VALUES ({number})")  # noqa: S608  # our own number


def test_a_ledger_of_the_first_version_gets_rollups_of_what_it_holds(
    ledger: PostgresLedger, tamper: Tamper
) -> None:
    """Of the newest costs; it answers as before, and all agrees."""
    filled(ledger)
    before = ledger.rows(Query(by=("month", "currency")))
    newest = len(migrations("postgres"))
    _as_of(1, tamper)
    assert ledger.migrate() == Migrated(1, newest)
    assert ledger.migrate() == Migrated(newest, newest)
    assert ledger.verify() == ()
    large = PostgresLedger(f"{ledger.url}", exact=0)
    now = large.rows(Query(by=("month", "currency")))
    large.close()
    assert [(row["month"], row["currency"], row["calls"], row["cost"]) for row in now.rows] == [
        (row["month"], row["currency"], row["calls"], row["cost"]) for row in before.rows
    ]


_DYING = """
import os, signal, sys
from outlay.ledger import PostgresLedger
from outlay.ledger.migrations import watched

def die(progress):
    if progress.part > 0.4:
        os.kill(os.getpid(), signal.SIGKILL)

with watched(die):
    PostgresLedger(sys.argv[1]).migrate()
"""


def test_a_migration_tells_how_far_it_is_and_killed_it_changes_nothing(
    url: str, ledger: PostgresLedger, tamper: Tamper
) -> None:
    """It takes one partition after the other; the ledger has five of them."""
    filled(ledger)
    _as_of(2, tamper)
    done = subprocess.run([sys.executable, "-c", _DYING, url], check=False)
    assert done.returncode == -signal.SIGKILL
    told: list[float] = []
    with watched(lambda progress: told.append(progress.part)):
        assert ledger.migrate() == Migrated(2, len(migrations("postgres")))
    # the first of three steps says itself how far it is
    assert told == pytest.approx([0, *(part / 15 for part in range(1, 6)), 1 / 3, 2 / 3, 1])
    assert ledger.verify() == ()
    assert ledger.rows(Query()).total["calls"] == 6


def test_buckets_a_row_each_are_packed_by_the_migration_and_answer_as_before(
    url: str, ledger: PostgresLedger, tamper: Tamper
) -> None:
    """Three calls an hour, two of them alike; a later batch is added to the buckets that were packed."""
    some = [call(NOON + timedelta(minutes=20 * n), latency_ms=100.0 + n % 3 // 2) for n in range(60)]
    ledger.add(some[:30])
    _as_of(4, tamper)
    assert ledger.migrate() == Migrated(4, len(migrations("postgres")))
    assert ledger.verify() == ()
    ledger.add(some[30:])
    assert ledger.verify() == ()
    large = PostgresLedger(url, exact=0)
    found, exact = (each.rows(Query(by=("day", "hour"))).rows for each in (large, ledger))
    large.close()
    assert len(found) == len(exact) == 20
    for row, right in zip(found, exact, strict=True):
        assert row["p50_latency_ms"] == pytest.approx(right["p50_latency_ms"], rel=0.04)


def test_a_ledger_tells_how_it_stands(ledger: PostgresLedger) -> None:
    filled(ledger)
    info = ledger.info()
    assert (info.calls, info.revisions, info.conflicts, info.schema) == (6, 2, 0, len(migrations("postgres")))
    assert (info.first, info.last) == (NOON - timedelta(days=80), NOON)
    assert [(each.why, each.count) for each in info.lost] == [("disk full", 2)]
    assert info.size_bytes is not None
    assert info.size_bytes > 100_000


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "UPDATE hours SET calls = calls + 1, cost = cost + 1 WHERE hour = '2026-11-02 12:00'",
            Disagreement("2026-11-02", "hours that differ", "1 calls, 3", "2 calls, 4"),
        ),
        (
            "DELETE FROM latencies WHERE day = '2026-11-02'",
            Disagreement("2026-11-02", "buckets of latencies that differ", "1", "0"),
        ),
        (
            "UPDATE hours SET latency_ms = latency_ms + 1 WHERE hour = '2026-11-02 12:00'",
            Disagreement("2026-11-02", "hours that differ", "1 calls, 3", "1 calls, 3"),
        ),
        (
            "UPDATE hour_latencies SET calls = ARRAY[3] WHERE hour = '2026-11-02 12:00'",
            Disagreement("2026-11-02", "buckets of latencies that differ by hour", "1", "3"),
        ),
        (
            "DELETE FROM hour_latencies WHERE hour = '2026-11-02 12:00'",
            Disagreement("2026-11-02", "buckets of latencies that differ by hour", "1", "0"),
        ),
        (
            "INSERT INTO hour_latencies VALUES ('2026-10-30 03:00', '{7}', '{5}')",
            Disagreement("2026-10-30", "buckets of latencies that differ by hour", "0", "5"),
        ),
        (
            "INSERT INTO prunes VALUES ('2026-09-05')",
            Disagreement("calls", "calls of days that were pruned", "0", "1"),
        ),
        (
            "INSERT INTO pruned_days VALUES ('2026-08-01', 'USD', 3, 1.5)",
            Disagreement("2026-08-01 USD", "daily totals", "3 calls, 1.5", "0 calls, None"),
        ),
    ],
)
def test_a_ledger_that_contradicts_itself_is_found_out(
    ledger: PostgresLedger, tamper: Tamper, change: str, found: Disagreement
) -> None:
    filled(ledger)
    assert ledger.verify() == ()
    tamper(change)
    (disagreement,) = ledger.verify()
    assert (disagreement.where, disagreement.what) == (found.where, found.what)
    if found.what != "hours that differ":
        assert disagreement == found


def test_what_was_lost_is_told_also_for_days_that_were_pruned(ledger: PostgresLedger) -> None:
    ledger.add([call(NOON - timedelta(days=9))])
    ledger.prune(NOON)
    before = NOON - timedelta(days=9)
    ledger.add(
        [Loss(at=before, count=2, why="full"), Score(record_id=call(before).id, at=before, correct=True)]
    )
    assert [(each.why, each.count) for each in ledger.info().lost] == [("full", 2)]


def test_numbers_of_rows_that_are_shared_are_forgotten_when_they_are_many(
    ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outlay.ledger.postgres.shared._MOST", 1)
    for _ in range(2):
        for model in ("a", "b", "c"):
            ledger.add([call(model=model, provider=model)])
    rows = ledger.rows(Query(by=("model", "provider"))).rows
    assert [(row["model"], row["provider"], row["calls"]) for row in rows] == [
        (name, name, 2) for name in ("a", "b", "c")
    ]


def test_room_is_given_back_after_a_prune_once_nobody_reads_the_state_before_it() -> None:
    """On a server of its own: any transaction in the database that began before holds the old rows fast."""
    settings = ("-c", "fsync=off", "-c", "autovacuum=off")
    with private(settings=settings) as server, closing(PostgresLedger(server.url)) as ledger:
        ledger.add([call(NOON - timedelta(days=90, seconds=n), prompt="x" * 500) for n in range(2000)])
        ledger.add([call()])
        with psycopg.connect(server.url) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("SELECT pg_current_snapshot()")  # of no table of ours, which would be locked
            assert ledger.prune(NOON - timedelta(days=30)).calls == 2000
            held = ledger.compact()
        done = ledger.compact()
        sizes = [held.before, held.after, done.after]
        assert all(sizes)
        before, meanwhile, after = (each or 0 for each in sizes)
        assert after < before / 2 < meanwhile
        assert ledger.rows(Query()).total["calls"] == 2001
        assert ledger.verify() == ()


def test_a_compact_waits_for_others_no_longer_than_its_patience_and_says_who_they_are(
    server: str, url: str, ledger: PostgresLedger
) -> None:
    """A reader forgot its transaction: nobody waits behind the compact then; once it ends all is done."""
    ledger.add([call(prompt="x" * 500)])
    with (
        closing(PostgresLedger(url, patience=0.2)) as hasty,
        psycopg.connect(server, application_name="nightly job") as reader,
    ):
        reader.execute("SET TimeZone = 'Asia/Tokyo'")
        ((since,),) = reader.execute("SELECT now() AT TIME ZONE 'UTC'").fetchall()
        reader.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(ledger.schema, "hours")))
        with pytest.raises(LedgerBusyError) as busy:
            hasty.compact()
        pid, user = reader.info.backend_pid, reader.info.user
        assert str(busy.value) == (
            f'"{ledger.schema}"."hours" could not be had to oneself within 0.2 seconds: process {pid}'
            f" (nightly job of {user}) has it in a transaction since {since:%Y-%m-%d %H:%M:%S} UTC; end"
            f" that one, if need be by SELECT pg_terminate_backend({pid}), and compact again"
        )
        assert hasty.rows(Query()).total["calls"] == 1
        assert hasty.add([call()]) == 1
    assert ledger.compact().after


def test_a_compact_names_what_has_no_process_or_is_gone() -> None:
    assert said("hours", [], 30) == "hours could not be had to oneself within 30 seconds; compact again"
    assert "a prepared transaction has it" in said("hours", [(None, None, None, None)], 30)
    assert "process 7 (a program that gives no name) has it in a transaction of unknown age" in said(
        "hours", [(7, None, None, None)], 30
    )


def test_sql_of_ones_own_sees_the_newest_costs_and_scores_and_changes_nothing(ledger: PostgresLedger) -> None:
    filled(ledger)
    answer = ledger.select(
        "SELECT currency, count(*) AS n, sum(cost) AS cost, max(quality_score) AS best FROM calls"
        " WHERE status = 'success' AND tags IS NULL GROUP BY currency ORDER BY currency -- by currency\n;"
    )
    assert answer.columns == ("currency", "n", "cost", "best")
    assert answer.rows == (("EUR", 2, Decimal(6), 0.5), ("USD", 3, Decimal("0.3"), None))
    for text in (
        "DELETE FROM records",
        "SELECT 1; DROP TABLE records",
        "SELECT 1) AS answer; COMMIT; DELETE FROM outlay.records; BEGIN; SELECT * FROM (SELECT 1",
        "EXPLAIN SELECT 1",
        "/* first */ UPDATE calls SET cost = 0 -- and no more",
        "WITH gone AS (DELETE FROM records RETURNING id) SELECT * FROM gone",
        'WITH a AS (SELECT 1), b AS (WITH c AS (SELECT 2) UPDATE "records" SET cost = 0) SELECT * FROM a',
        "WITH new AS (INSERT/* here */INTO records DEFAULT VALUES RETURNING id) SELECT * FROM new",
    ):
        with pytest.raises(QueryError) as error:
            ledger.select(text)
        assert str(error.value) == "write one SELECT; nothing in the ledger can be changed by SQL"
    for text in (
        "SELECT no_such FROM calls",
        "SELECT no_such AS update FROM calls WHERE error = 'delete from records'",
        "SELECT ';' FROM calls GROUP BY no_such -- ; ;",
    ):
        with pytest.raises(QueryError, match="PostgreSQL says: ") as error:
            ledger.select(text)
        assert "\n" not in str(error.value)
    with pytest.raises(QueryError, match=r"there is no parameter \$1"):  # it had been NULL: no rows
        ledger.select("SELECT 1 FROM calls WHERE cost > $1")
    assert ledger.select("SELECT '$1' AS told").rows == (("$1",),)
    assert ledger.rows(Query()).total["calls"] == 6


def test_sql_of_ones_own_ends_no_transaction_and_deletes_nothing(url: str, ledger: PostgresLedger) -> None:
    """Several statements went to the server as they stood: one that committed left what reads alone."""
    filled(ledger)
    records = sql.Identifier(ledger.schema, "records").as_string()
    text = f"SELECT 1) AS a; COMMIT; DELETE FROM {records}; BEGIN; SELECT * FROM (SELECT 1"  # noqa: S608  # meant
    with pytest.raises(QueryError):
        ledger.select(text)
    with closing(PostgresLedger(url)) as other:
        assert other.rows(Query()).total["calls"] == 6
        assert other.verify() == ()


def test_the_command_asks_a_ledger_by_its_url(
    url: str, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(ledger)
    found = []
    for arguments in (("report", "--by", "model"), ("ledger", "info"), ("ledger", "verify")):
        assert main(("--ledger", url, *arguments, "--json")) == 0
        found.append(json.loads(capsys.readouterr().out))
    process.use(None)
    report, info, _ = found
    assert {row["model"]: row["calls"] for row in report["rows"]} == {"gpt-4o": 1, "m0": 3, "m1": 2}
    assert info["recorded"] == 6


@pytest.mark.parametrize("statement", [1, "last", "none"])
def test_late_calls_are_counted_in_once_or_not_at_all_when_the_process_is_killed(
    url: str, statement: int | str
) -> None:
    with closing(PostgresLedger(url)) as ledger:
        ledger.prune(NOON)
        ledger.add([call(NOON - timedelta(days=2), user=f"u{n}", cost="0.5") for n in range(3)])
    done = settle_and_die(url, statement, count_in=True)
    assert done == (0 if statement == "none" else -9)
    with closing(PostgresLedger(url)) as ledger:
        settled = statement == "none"
        assert (ledger.info().late, ledger.rows(Query()).total["calls"]) == ((0, 3) if settled else (3, 0))
        assert ledger.verify() == ()
        assert ledger.settle_late(count_in=True).calls == (0 if settled else 3)
        assert (ledger.info().late, ledger.rows(Query()).total["cost"]) == (0, Decimal("1.5"))
        assert ledger.verify() == ()
