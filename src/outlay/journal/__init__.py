"""Append-only segment files that take every record before any ledger does."""
