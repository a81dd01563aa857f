"""Exact percentiles of groups whose values lie in sorted parts: few parts are looked at, the others counted.

Of every part the number of values and its ends are known. So a value of a rank lies between the least and
the greatest value that it can have, and only parts that reach in there hold it; those below are counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from outlay.core.query import Query
from outlay.ledger.dialect import Dialect, Statement
from outlay.ledger.measures import SHARES
from outlay.ledger.sql import chosen_calls
from outlay.ledger.stored import Asked

Key = tuple[Any, ...]


def percentiles(
    tables: Asked, query: Query, dialect: Dialect, column: str, shares: Sequence[float] = SHARES
) -> dict[Key, list[float | None]]:
    """Give the percentiles of a column by the columns of each group, as the engine lists them.

    The parts are read from ``dialect.ordered``. A percentile is None if it is not of ``shares``.
    """
    chosen, keys = chosen_calls(query, None, replace(dialect, calls=dialect.ordered[column]), None)
    bounds = _bounds(chosen, keys, shares)
    tables.all(bounds.text, bounds.parameters)
    values = _values(chosen, keys, shares)
    found = tables.all(values.text, values.parameters)
    tables.all("DROP TABLE temp.stretches")
    width = len(keys)
    return {
        row[:width]: _listed(row[width], row[width + 1 :], shares) for row in found if row[width] is not None
    }


def _bounds(chosen: Statement, keys: Sequence[str], shares: Sequence[float]) -> Statement:
    """Keep for each group how many values it has, and for each share its bounds and how many lie below."""
    among = f"PARTITION BY {', '.join(keys)}" if keys else ""
    ends = "".join(
        f", min(least) FILTER (at_most > {_rank('floor', share)}) AS low{i},"
        f" min(greatest) FILTER (at_least > {_rank('ceil', share)}) AS high{i}"
        for i, share in enumerate(shares)
    )
    told = "".join(
        f", any_value(s.low{i}) AS low{i}, any_value(s.high{i}) AS high{i},"
        f" coalesce(sum(n) FILTER (c.greatest < s.low{i} AND NOT ({_near(shares)})), 0) AS below{i}"
        for i in range(len(shares))
    )
    return (
        Statement("CREATE OR REPLACE TEMP TABLE stretches AS WITH cells AS (SELECT * FROM (")
        + chosen
        + Statement(
            f""") AS chosen), placed AS (SELECT {_listing(keys)} least, greatest,
                sum(n) OVER ({among} ORDER BY greatest RANGE UNBOUNDED PRECEDING) AS at_least,
                sum(n) OVER ({among} ORDER BY least RANGE UNBOUNDED PRECEDING) AS at_most,
                sum(n) OVER ({among}) AS whole FROM cells),
            s AS (SELECT {_listing(keys)} any_value(whole) AS whole {ends} FROM placed {_group(keys)})
            SELECT {_listing(keys, "s.")} any_value(s.whole) AS whole {told}
            FROM cells AS c JOIN s ON {_same(keys)} {_group(keys, "s.")}"""  # noqa: S608  # our own names
        )
    )


def _values(chosen: Statement, keys: Sequence[str], shares: Sequence[float]) -> Statement:
    """Ask for each group how many values it has, and for each share the two between which it lies."""
    picked = "".join(
        f", sorted[CAST({_rank(to, share)} - below{i} AS BIGINT) + 1]"
        for i, share in enumerate(shares)
        for to in ("floor", "ceil")
    )
    below = "".join(f", any_value(s.below{i}) AS below{i}" for i in range(len(shares)))
    return (
        Statement(
            f"""SELECT {_listing(keys)} whole {picked} FROM (
            SELECT {_listing(keys, "s.")} any_value(s.whole) AS whole {below},
                list_sort(flatten(list(latencies))) AS sorted FROM ("""  # noqa: S608  # likewise
        )
        + chosen
        + Statement(
            f""") AS c JOIN temp.stretches AS s ON {_same(keys)}
            WHERE {_near(shares)} {_group(keys, "s.")}) AS kept"""
        )
    )


def _rank(to: str, share: float) -> str:
    return f"{to}(CAST(whole - 1 AS DOUBLE) * CAST({share} AS DOUBLE))"


def _near(shares: Sequence[float]) -> str:
    """Say that a part reaches into what lies between the bounds of some share."""
    return " OR ".join(f"(c.greatest >= s.low{i} AND c.least <= s.high{i})" for i in range(len(shares)))


def _listing(keys: Sequence[str], of: str = "") -> str:
    return "".join(f"{of}{name}, " for name in keys)


def _group(keys: Sequence[str], of: str = "") -> str:
    return f"GROUP BY {', '.join(f'{of}{name}' for name in keys)}" if keys else ""


def _same(keys: Sequence[str]) -> str:
    return " AND ".join(f"c.{name} IS NOT DISTINCT FROM s.{name}" for name in keys) or "TRUE"


def _listed(whole: int, ends: Sequence[float], shares: Sequence[float]) -> list[float | None]:
    told = dict(zip(shares, _between(whole, ends, shares), strict=True))
    return [told.get(share) for share in SHARES]


def _between(whole: int, ends: Sequence[float], shares: Sequence[float]) -> Iterator[float]:
    for low, high, share in zip(ends[::2], ends[1::2], shares, strict=True):
        part = (whole - 1) * share % 1.0
        yield low * (1.0 - part) + high * part if part else low
