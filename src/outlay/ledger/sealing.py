"""Seals of the embedded ledger: sums and sorted latencies of most calls, worked out before anybody asks.

They follow from the calls alone. A question takes them for the calls below the seal and looks at the few
others as they are (``sealed``); without a seal it looks at every call, and says the same.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from outlay.core.keeping import Disagreement
from outlay.ledger.engine import Engine
from outlay.ledger.native import duckdb
from outlay.ledger.seals import ADDED, DIMENSIONS, EXACT, latencies_of, sums_of

STEP: Final = 250_000
"""So many calls are sealed together, at least: fewer are looked at in a twentieth of a second."""

_MOST = 10_000_000  # a question seals no more: others wait for it, and the next one goes on
_AT_ONCE = 2_000_000  # latencies that are sorted together: more would need more memory than questions do
_ALIKE = 10  # calls that a row of sums must stand for, on average, to be worth its room
_DAY = timedelta(days=1)
_TABLES = ("seals", "sealed_sums", "sealed_latencies")


def seal(engine: Engine) -> None:
    """Seal what has come since the last time, if that is enough; no transaction is open.

    An engine that cannot, for want of room on the disk say, leaves all as it is: an answer needs no seal.
    """
    calls, upto, again = engine.all(
        "SELECT (SELECT count(*) FROM calls), coalesce(max(upto), 0), coalesce(max(again), 0) FROM seals"
    )[0]
    if calls < max(upto + STEP, again):
        return
    try:
        with engine.transaction():
            _seal(engine, upto, calls, min(calls, upto + _MOST))
    except _TooMany:
        _note(engine, upto, 2 * calls)
    except duckdb.Error:
        return


class _TooMany(Exception):  # noqa: N818  # no error: so the transaction is left
    """The calls are of too many kinds."""


def _seal(engine: Engine, upto: int, calls: int, end: int) -> None:
    """Seal the calls from one rowid up to another, of so many."""
    if calls != engine.all("SELECT max(rowid) + 1 FROM calls")[0][0]:
        # Some were deleted, and a later checkpoint may give rowids anew; outlay ledger compact mends it.
        _write(engine, upto, calls + STEP)
        return
    new = f"(SELECT * FROM calls WHERE rowid >= {upto} AND rowid < {end}) AS calls"  # noqa: S608  # our own names
    day = """date_trunc('day', min(calls."at"))"""
    engine.run(f"INSERT INTO sealed_sums BY NAME {sums_of(new, day)}")
    if engine.all("SELECT count(*) FROM sealed_sums")[0][0] * _ALIKE > end:
        raise _TooMany
    for first, last in _stretches(engine, new):
        within = f"""(SELECT * FROM {new} WHERE "at" >= '{first}' AND "at" < '{last}') AS calls"""  # noqa: S608  # likewise
        engine.run(f'INSERT INTO sealed_latencies BY NAME {latencies_of(within, day)} ORDER BY "at"')
    _write(engine, end, 0)


def _stretches(engine: Engine, calls: str) -> Iterator[tuple[datetime, datetime]]:
    """Cut these calls' time at midnights into stretches of no more calls than can be sorted at once."""
    days = engine.all(f"SELECT date_trunc('day', \"at\"), count(*) FROM {calls} GROUP BY 1 ORDER BY 1")  # noqa: S608  # likewise
    first, number = days[0][0], 0
    for day, count in days:
        if number and number + count > _AT_ONCE:
            yield first, day
            first, number = day, 0
        number += count
    yield first, days[-1][0] + _DAY


def _note(engine: Engine, upto: int, again: int) -> None:
    with engine.transaction():
        _write(engine, upto, again)


def _write(engine: Engine, upto: int, again: int) -> None:
    engine.run("DELETE FROM seals")
    engine.run("INSERT INTO seals VALUES (?, ?)", [upto, again])


def unseal(engine: Engine) -> None:
    """Empty the tables, in the caller's transaction, in which calls are deleted."""
    for table in _TABLES:
        engine.run(f"DELETE FROM {table}")  # noqa: S608  # our own names


def check(engine: Engine) -> Iterator[Disagreement]:
    """Compare the tables with their calls; sums of floats, which hang on their order, aside."""
    sealed = "(SELECT * FROM calls WHERE rowid < (SELECT coalesce(max(upto), 0) FROM seals)) AS calls"
    day = """date_trunc('day', min(calls."at"))"""
    kept = ", ".join(f"{ADDED.get(name, 'sum')}({name}) AS {name}" for name in EXACT)
    dimensions = ", ".join(DIMENSIONS)
    there = f'SELECT "at", {dimensions}, {kept} FROM sealed_sums GROUP BY "at", {dimensions}'  # noqa: S608  # likewise
    names = ", ".join(('"at"', *DIMENSIONS, *EXACT))
    yield from _compared(engine, "sums", f"SELECT {names} FROM ({sums_of(sealed, day)})", there)  # noqa: S608  # our own names
    values = "provider, model, count(*), sum(hash(latency_ms))"
    of_calls = f"""SELECT date_trunc('day', "at") AS d, {values} FROM {sealed}
        WHERE latency_ms IS NOT NULL GROUP BY d, provider, model"""  # noqa: S608  # likewise
    of_parts = f"""SELECT "at", {values}
        FROM (SELECT "at", provider, model, unnest(latencies) AS latency_ms FROM sealed_latencies)
        GROUP BY "at", provider, model"""  # noqa: S608  # likewise
    yield from _compared(engine, "latencies", of_calls, of_parts)


def _compared(engine: Engine, what: str, of_calls: str, there: str) -> Iterator[Disagreement]:
    """Count the rows that stand on one side alone."""
    for name, one, other in (("lacking", of_calls, there), ("of no calls", there, of_calls)):
        found = engine.all(f"SELECT count(*) FROM ({one} EXCEPT {other})")[0][0]  # noqa: S608  # likewise
        if found:
            yield Disagreement(f"sealed {what}", f"days and kinds {name}", "0", f"{found:,}")
