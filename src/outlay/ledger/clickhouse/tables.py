"""The tables of a ClickHouse ledger: made and brought up to date, on one server or on a whole cluster."""

import re
from collections.abc import Iterator
from typing import Final

from outlay.core.keeping import Migrated
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.place import Place
from outlay.ledger.migrations import Migrating, migrations, pending

ENGINE = "clickhouse"
_LOCAL = "_local"  # ends the name of a table that holds one shard's rows
_SHARDED_BY: Final = {  # so that all copies of a row, and all that is said about a call, are on one shard
    "calls": "id",
    "scores": "record_id",
    "revisions": "record_id",
    "conflicts": "id",
    "losses": "said",
    "rollups": "at",
    "pruned": "id",
    "pruned_days": "day",
    "late": "id",
    "settled": "id",
}  # what is left out stands on every server
_TABLE = re.compile(r"^(CREATE TABLE IF NOT EXISTS|ALTER TABLE) (\w+)")
_REPLACING = re.compile(r"ENGINE = Replacing(?=MergeTree\()MergeTree\(")
VERSIONS = """CREATE TABLE IF NOT EXISTS outlay_schema (
    version UInt32, at DateTime DEFAULT now()
) ENGINE = ReplacingMergeTree(at) ORDER BY version"""


def statements(text: str) -> list[str]:
    """Give the statements of a numbered file, without its comments."""
    bare = re.sub(r"--[^\n]*", "", text)
    return [each.strip() for each in bare.split(";") if each.strip()]


def spread(statement: str, cluster: str, database: str) -> Iterator[str]:
    """Give a statement for one server as those that do the same on a cluster.

    Each table becomes one of a shard's rows, replicated, and one that stands for all shards and sends a row
    to the shard that its id belongs to. Tables without ids are the same on all
    servers.
    """
    found = _TABLE.match(statement)
    if found is None:
        raise ValueError(f"no table in {statement!r:.60}")
    verb, table = found.groups()
    rest = statement[found.end() :]
    everywhere = f"ON CLUSTER {quoted(cluster)}"
    if table not in _SHARDED_BY:
        yield f"{verb} {table} {everywhere}{_replicated(rest, 'all', '{shard}-{replica}')}"
        return
    yield f"{verb} {table}{_LOCAL} {everywhere}{_replicated(rest, '{shard}', '{replica}')}"
    if verb.startswith("CREATE"):
        place = f"{quoted(cluster)}, {quoted(database)}, {table}{_LOCAL}, sipHash64({_SHARDED_BY[table]})"
        yield f"{verb} {table} {everywhere} AS {table}{_LOCAL} ENGINE = Distributed({place})"
    elif "COLUMN" in rest:
        yield f"{verb} {table} {everywhere}{rest}"


def _replicated(rest: str, shard: str, replica: str) -> str:
    path = f"/clickhouse/tables/{shard}/{{database}}/{{table}}"
    with_path = f"ENGINE = ReplicatedReplacingMergeTree({quoted(path)}, {quoted(replica)}, "
    return re.sub(r"\s*(SETTINGS|,) non_replicated_\w+ = \d+", "", _REPLACING.sub(with_path, rest))


def quoted(text: str) -> str:
    """Write a text as a literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def for_place(statement: str, place: Place) -> Iterator[str]:
    """Give a statement as this place wants it."""
    if place.cluster is None:
        yield statement
    else:
        yield from spread(statement, place.cluster, place.database)


def shards(place: Place, table: str) -> str:
    """Name a table for a statement that changes what is stored, on all servers that store it."""
    return table if place.cluster is None else f"{table}{_LOCAL} ON CLUSTER {quoted(place.cluster)}"


def version_of(client: Client) -> int:
    """Give the number of the newest migration that the tables have had; 0 where there are none."""
    there = client.all(
        "SELECT 1 FROM system.tables WHERE database = ? AND name = 'outlay_schema'", [client.place.database]
    )
    found = client.all("SELECT max(version) FROM outlay_schema")[0][0] if there else 0
    return int(found or 0)


def migrate(client: Client) -> Migrated:
    """Bring the tables to the newest form; one statement after the other, each of which may be repeated.

    Raises:
        LedgerSchemaError: a newer outlay wrote them.
        LedgerError: the user may not, or the server cannot.
    """
    have = version_of(client)
    steps = pending(ENGINE, have, client.place)
    if steps:
        _run(client, VERSIONS)
    going = Migrating(steps, have, client.place)
    for version, text in going:
        parts = statements(text)
        for number, statement in enumerate(parts):
            going.tell(number / len(parts))
            _run(client, statement)
        client.insert("outlay_schema", [b'{"version":%d}' % version], f"schema {version}")
    if steps:
        keep_for(client)
    return Migrated(have, migrations(ENGINE)[-1][0])


def keep_for(client: Client) -> None:
    """Have calls forgotten after as many days as the URL says, if it says so; whole months at a time."""
    days = client.place.ttl_days
    if days is not None and _ttl_of(client) != days:
        _run(client, f'ALTER TABLE calls MODIFY TTL toDateTime("at") + toIntervalDay({days})')


def _run(client: Client, statement: str) -> None:
    for each in for_place(statement, client.place):
        client.run(each)


def _ttl_of(client: Client) -> int | None:
    name = "calls" if client.place.cluster is None else f"calls{_LOCAL}"
    ((made,),) = client.all(
        "SELECT create_table_query FROM system.tables WHERE database = ? AND name = ?",
        [client.place.database, name],
    )
    found = re.search(r"TTL toDateTime\(at\) \+ toIntervalDay\((\d+)\)", made)
    return None if found is None else int(found[1])
