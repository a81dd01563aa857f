"""The ledger on a ClickHouse server, on a cluster of them, or on the same engine in process (chDB)."""

from outlay.ledger.clickhouse.ledger import ClickHouseLedger
from outlay.ledger.clickhouse.place import place_of

__all__ = ["ClickHouseLedger", "place_of"]
