"""How many latencies lie up to some bounds, where they stand in sorted parts: few parts are looked into.

A part that no bound divides is counted whole; the values of the others are counted by the engine.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from math import inf
from typing import Any

from outlay.core.query import Query
from outlay.ledger.dialect import Dialect, Statement
from outlay.ledger.parts import Key
from outlay.ledger.sql import chosen_calls
from outlay.ledger.stored import Asked


def up_to(tables: Asked, query: Query, dialect: Dialect, bounds: Sequence[int]) -> dict[Key, list[int]]:
    """Give by the columns of each group how many latencies lie up to each bound, and how many there are.

    The bounds ascend, each once; the parts are read from ``dialect.ordered``.
    """
    chosen, keys = chosen_calls(query, None, replace(dialect, calls=dialect.ordered["latency_ms"]), None)
    divided = " OR ".join(f"(least <= {bound} AND greatest > {bound})" for bound in bounds)
    width = len(keys)
    found: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * (len(bounds) + 1))
    for row in _grouped(tables, chosen, keys, _whole(bounds), f"NOT ({divided})"):
        found[row[:width]] = [int(count or 0) for count in row[width:]]
    for row in _grouped(tables, chosen, keys, _single(bounds), divided):
        if row[width] is not None:
            counts = accumulate(row[width].get(bound, 0) for bound in (*bounds, inf))
            found[row[:width]] = [
                have + count for have, count in zip(found[row[:width]], counts, strict=True)
            ]
    return dict(found)


def _whole(bounds: Sequence[int]) -> str:
    return ", ".join((*(f"sum(n) FILTER (WHERE greatest <= {bound})" for bound in bounds), "sum(n)"))


def _single(bounds: Sequence[int]) -> str:
    listed = ", ".join(map(str, bounds))
    return f"histogram(value, CAST([{listed}] AS DOUBLE[]))"


def _grouped(
    tables: Asked, chosen: Statement, keys: Sequence[str], what: str, condition: str
) -> Iterator[tuple[Any, ...]]:
    """Ask something of the parts of each group for which a condition holds."""
    listing = "".join(f"{key}, " for key in keys)
    source = "*, unnest(latencies) AS value" if "value" in what else "*"
    statement = (
        Statement(f"SELECT {listing}{what} FROM (SELECT {source} FROM (")  # noqa: S608  # our own names
        + chosen
        + Statement(f") AS chosen WHERE {condition}) AS parts")
        + Statement(f"GROUP BY {', '.join(keys)}" if keys else "")
    )
    yield from tables.all(statement.text, statement.parameters)
