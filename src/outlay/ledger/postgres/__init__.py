"""The ledger in PostgreSQL."""

from outlay.ledger.postgres.ledger import PostgresLedger

__all__ = ["PostgresLedger"]
