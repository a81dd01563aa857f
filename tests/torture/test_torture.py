"""A handful of each kind of fault; ``make torture`` does many."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from tests.support.postgres import private, shared
from tests.torture import clickhouse, disks, journals, kills, network, sums
from tests.torture.tally import Tally

from outlay.core.ports import Ledger
from outlay.ledger.postgres import PostgresLedger

CHANCE = random.Random(20261122)  # noqa: S311  # only moments


@pytest.fixture
def url() -> Iterator[str]:
    """Name an empty ledger on a server that others use too."""
    schema = f"t_{uuid4().hex[:12]}"
    with shared() as server:
        yield f"{server}{'&' if '?' in server else '?'}schema={schema}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def clean(*tallies: Tally) -> None:
    """Nothing is lost and nothing doubled, and something was there to be lost."""
    for each in tallies:
        assert each.is_clean, each
        assert each.kept >= each.confirmed > 0, each


def test_random_records_sum_exactly_in_every_ledger(url: str) -> None:
    def postgresql() -> AbstractContextManager[Ledger]:
        return closing(PostgresLedger(url))

    with ExitStack() as stack:
        kinds = {**sums.LEDGERS, "PostgreSQL": postgresql}
        ledgers = {name: stack.enter_context(empty()) for name, empty in kinds.items()}
        assert sums.differing(500, CHANCE, ledgers) == []
        ledgers["memory"].add(list(sums.records(1, CHANCE)))  # one more, and the sums are seen to differ
        assert sums.sums_of(ledgers["memory"]) != sums.sums_of(ledgers["DuckDB"])


def test_killed_writers_and_readers(tmp_path: Path) -> None:
    clean(kills.writers_and_readers(tmp_path, 3, CHANCE))


def test_killed_writers_and_shippers(tmp_path: Path, url: str) -> None:
    clean(kills.writers_and_shippers(tmp_path, url, 3, CHANCE))


def test_killed_migrations(tmp_path: Path) -> None:
    clean(kills.migrations(tmp_path, 3, CHANCE))


def test_a_server_restarted_under_load(tmp_path: Path) -> None:
    with private() as server:
        clean(kills.restarts(tmp_path, server, 2, CHANCE))


def test_a_network_in_every_mood(tmp_path: Path, url: str) -> None:
    clean(network.broken(tmp_path, url, 4, CHANCE))


@pytest.fixture(scope="module")
def engine() -> Iterator[clickhouse.Served]:
    """Have ClickHouse's engine served from a process that can be killed."""
    with clickhouse.served() as server:
        yield server


@pytest.fixture
def server(engine: clickhouse.Served) -> clickhouse.Served:
    """Have an empty database there."""
    engine.database = f"t_{uuid4().hex[:12]}"
    return engine


def test_killed_writers_and_shippers_of_clickhouse(tmp_path: Path, server: clickhouse.Served) -> None:
    clean(kills.writers_and_shippers(tmp_path, server.url, 2, CHANCE))


def test_a_clickhouse_restarted_under_load(tmp_path: Path, server: clickhouse.Served) -> None:
    clean(kills.restarts(tmp_path, server, 1, CHANCE))


def test_a_network_in_every_mood_before_clickhouse(tmp_path: Path, server: clickhouse.Served) -> None:
    clean(network.broken(tmp_path, server.url, 4, CHANCE))


def test_the_same_calls_from_two_homes_at_once(tmp_path: Path, server: clickhouse.Served) -> None:
    clean(clickhouse.delivered_at_once(tmp_path, server, 4, CHANCE))


@pytest.mark.parametrize("floor", ["0", "1MB"])
def test_a_full_disk(tmp_path: Path, floor: str) -> None:
    done = disks.full(tmp_path / "home", floor)
    clean(done)
    assert done.told > 0


def test_a_read_only_folder(tmp_path: Path) -> None:
    done = disks.read_only(tmp_path / "home")
    clean(done)
    assert done.told == 50


@pytest.mark.parametrize(
    "fault",
    [
        journals.delivered_twice,
        journals.torn,
        journals.clock_back,
        journals.two_hosts,
        journals.pruned_again,
        lambda home, rounds, _: journals.forked(home, rounds),
    ],
    ids=["twice", "torn", "clock", "hosts", "pruned", "forked"],
)
def test_journals(tmp_path: Path, fault: Callable[[Path, int, random.Random], list[Tally]]) -> None:
    clean(*fault(tmp_path, 4, CHANCE))
