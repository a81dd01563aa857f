"""Where records are kept, each once, and questions about them answered."""

from outlay.ledger.duck import DuckLedger
from outlay.ledger.memory import MemoryLedger
from outlay.ledger.postgres import PostgresLedger
from outlay.ledger.urls import open_ledger

__all__ = ["DuckLedger", "MemoryLedger", "PostgresLedger", "open_ledger"]
