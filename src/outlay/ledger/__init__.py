"""Where records are kept and questions are answered: the embedded DuckDB file, memory, servers."""
