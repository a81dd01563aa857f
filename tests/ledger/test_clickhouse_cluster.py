"""What a cluster is sent, parsed by the engine, and the questions over tables that stand for shards.

No cluster runs here. The statements for one are parsed by ClickHouse's own parser and looked at; questions
run over Distributed tables whose one shard is this process, so that what those do not take is seen.
"""

from collections.abc import Iterator

import pytest
from tests.support.chdb import a_database, engine

from outlay.core.ports import Ledger
from outlay.ledger.clickhouse import ClickHouseLedger, place_of
from outlay.ledger.clickhouse.tables import VERSIONS, for_place, shards, spread, statements
from outlay.ledger.migrations import migrations
from outlay.testing.lines import LinesContract
from outlay.testing.measures import MeasuresContract
from outlay.testing.revisions import RevisionsContract
from outlay.testing.singles import CallsContract

EVERYWHERE = place_of("clickhouse://host/spend?cluster=ma'in")
FIRSTS = [each for _, text in migrations("clickhouse") for each in statements(text)]
SPREAD = [each for first in (VERSIONS, *FIRSTS) for each in for_place(first, EVERYWHERE)]


@pytest.mark.parametrize("statement", SPREAD, ids=lambda text: text.split("(")[0].split(" ON ")[0].strip())
def test_clickhouse_reads_each_statement_for_a_cluster(statement: str) -> None:
    tree = [line for (line,) in engine().all(f"EXPLAIN AST {statement}")]
    assert tree[0].startswith(("CreateQuery", "AlterQuery"))
    assert "ON CLUSTER 'ma\\'in'" in statement
    engines = [line for line in tree if "MergeTree" in line or "Distributed" in line]
    assert len(engines) == 1
    assert "Replicated" in engines[0] or "Distributed" in engines[0]


def test_each_table_of_a_cluster_is_one_of_shards_and_one_for_all() -> None:
    (local, whole) = spread(
        "CREATE TABLE IF NOT EXISTS calls (id UUID) ENGINE = ReplacingMergeTree(arrived)\nORDER BY id",
        "main",
        "spend",
    )
    assert local == (
        "CREATE TABLE IF NOT EXISTS calls_local ON CLUSTER 'main' (id UUID) "
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', "
        "'{replica}', arrived)\nORDER BY id"
    )
    assert whole == (
        "CREATE TABLE IF NOT EXISTS calls ON CLUSTER 'main' AS calls_local ENGINE = "
        "Distributed('main', 'spend', calls_local, sipHash64(id))"
    )


def test_one_id_always_lands_on_one_shard_with_all_that_is_said_about_it() -> None:
    keys = {
        text.split()[5]: text.rsplit("sipHash64", 1)[1].rstrip(")").lstrip("(")
        for text in SPREAD
        if "Distributed(" in text
    }
    assert {keys[name] for name in ("calls", "late", "conflicts", "pruned")} == {"id"}
    assert {keys[name] for name in ("scores", "revisions")} == {"record_id"}


def test_what_has_no_ids_stands_on_every_server() -> None:
    (same,) = spread(
        "CREATE TABLE IF NOT EXISTS prunes (since Int8) ENGINE = ReplacingMergeTree(arrived)\nORDER BY since",
        "c",
        "d",
    )
    assert "'/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', arrived" in same


def test_a_new_column_goes_to_the_shards_and_to_the_table_for_all() -> None:
    assert list(spread("ALTER TABLE calls ADD COLUMN IF NOT EXISTS x Int8", "c", "d")) == [
        "ALTER TABLE calls_local ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS x Int8",
        "ALTER TABLE calls ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS x Int8",
    ]
    assert list(spread("ALTER TABLE calls MODIFY TTL a + toIntervalDay(3)", "c", "d")) == [
        "ALTER TABLE calls_local ON CLUSTER 'c' MODIFY TTL a + toIntervalDay(3)"
    ]


def test_deletions_go_to_the_shards() -> None:
    statement = f"DELETE FROM {shards(EVERYWHERE, 'calls')} WHERE 1"  # noqa: S608  # our own names
    assert statement == "DELETE FROM calls_local ON CLUSTER 'ma\\'in' WHERE 1"
    assert engine().all(f"EXPLAIN AST {statement}")
    assert engine().all(f"EXPLAIN AST OPTIMIZE TABLE {shards(EVERYWHERE, 'calls')} FINAL")


class TestDistributedTables(MeasuresContract, LinesContract, CallsContract, RevisionsContract):
    """What of the contract joins and inserts, over tables for shards, the one of which is this process."""

    @pytest.fixture
    def ledger(self) -> Iterator[Ledger]:
        with a_database() as place:
            ledger = ClickHouseLedger(place)
            ledger.conflicts()  # makes the tables
            for table in ("calls", "scores", "revisions", "conflicts", "losses", "late"):
                engine().run(f"RENAME TABLE {place.database}.{table} TO {place.database}.{table}_local")
                shard = f"remote('127.0.0.1', '{place.database}', '{table}_local', rand())"
                engine().run(f"CREATE TABLE {place.database}.{table} AS {shard}")
            yield ledger
            ledger.close()
