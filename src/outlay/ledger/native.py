"""DuckDB's own library, under its usual name: ``from outlay.ledger.native import duckdb``.

The package ``duckdb`` puts relations, expressions and frames in Python around it, which no question of ours
uses and which take longer to load than most questions to answer. Every release since 1.4 has the library by
itself.
"""

import _duckdb as duckdb

__all__ = ["duckdb"]
