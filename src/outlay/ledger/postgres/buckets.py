"""Percentiles out of buckets: the server adds up the buckets of each group, and here they are looked up.

A window over every bucket of every group took the server most of the time of a standard report; to find four
places in a sorted list takes microseconds.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import exp, floor, log
from typing import Final

from outlay.ledger.measures import SHARES
from outlay.ledger.postgres.rollups import GROWTH

Labels = tuple[str | None, ...]
Shares = dict[Labels | None, Sequence[float]]
"""The percentiles of groups by their labels, those of SHARES; None names the whole."""

_LOG: Final = log(GROWTH)
_LISTED = "array_to_json(array_agg(bucket)) AS listed, array_to_json(array_agg(n)) AS counted"


def of_calls(chosen: str, keys: Sequence[str]) -> str:
    """Ask for the keys of each group, its buckets in any order, and how many of the calls lie in each.

    Counted in floats, which hold such numbers exactly and add up faster than numerics.
    """
    each = "".join(f"{key}, " for key in keys)
    group = f"GROUP BY {', '.join(keys)}" if keys else "HAVING count(*) > 0"
    return f"""SELECT {each}{_LISTED} FROM (
            SELECT {each}bucket, count(*) AS n FROM ({chosen}) AS chosen GROUP BY {each}bucket
        ) AS added {group}"""  # noqa: S608  # our own names


def of_rows(chosen: str, keys: Sequence[str]) -> str:
    """Ask the same of rows with many buckets each.

    A group gets a number before its rows are taken apart: to add up by a number takes half the time that
    adding up by instants and texts does.
    """
    if not keys:
        added = _added(f"SELECT 1 AS place, buckets, counts FROM ({chosen}) AS chosen")  # noqa: S608  # our own names
        return f"SELECT {_LISTED} FROM ({added}) AS added HAVING count(*) > 0"  # noqa: S608  # likewise
    each = ", ".join(keys)
    return f"""WITH numbered AS (
            SELECT {each}, dense_rank() OVER (ORDER BY {each}) AS place, buckets, counts
            FROM ({chosen}) AS chosen
        ), added AS (
            SELECT place, {_LISTED}
            FROM ({_added("SELECT * FROM numbered")}) AS added GROUP BY place
        )
        SELECT {each}, listed, counted
        FROM added JOIN (SELECT DISTINCT place, {each} FROM numbered) AS named USING (place)"""  # noqa: S608  # likewise


def _added(rows: str) -> str:
    return f"""SELECT place, bucket, sum(n::float8) AS n FROM (
            SELECT place, unnest(buckets) AS bucket, unnest(counts) AS n FROM ({rows}) AS packed
        ) AS apart GROUP BY place, bucket"""  # noqa: S608  # our own names


def shares(groups: Iterable[tuple[Labels, Sequence[int], Sequence[int]]]) -> Shares:
    """Give the percentiles of groups, each with its buckets and their counts, and those of all together."""
    found: Shares = {}
    whole: defaultdict[int, int] = defaultdict(int)
    for labels, buckets, counts in groups:
        counted = dict(zip(buckets, counts, strict=True))
        found[labels] = _places(counted)
        for bucket, count in counted.items():
            whole[bucket] += count
    if whole:
        found[None] = _places(whole)
    return found


def _places(counted: dict[int, int]) -> tuple[float, ...]:
    """Look up in which bucket each percentile lies, and how far into it."""
    ordered = sorted(counted)
    below = [0, *accumulate(map(counted.__getitem__, ordered))]
    found = []
    for share in SHARES:
        place = floor(share * (below[-1] - 1))
        at = bisect_right(below, place) - 1
        bucket = ordered[at]
        found.append(exp(_LOG * (bucket + (place - below[at] + 0.5) / counted[bucket])))
    return tuple(found)
