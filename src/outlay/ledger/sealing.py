"""Seals of the embedded ledger: sums and sorted latencies of most calls, worked out before anybody asks.

They follow from the calls alone, and from what came later about them. A question takes them for the calls
under the seal and looks at the few others as they are (``sealed``); without a seal it looks at every call,
and says the same.
"""

from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import datetime
from typing import Final

from outlay.ledger.dialect import DUCKDB
from outlay.ledger.engine import Engine
from outlay.ledger.native import duckdb
from outlay.ledger.reach import Seal, came_later, edge, the_seal
from outlay.ledger.seals import SORTED, sorted_of, sums_of
from outlay.ledger.stored import Asked

STEP: Final = 250_000
"""So many calls are sealed together, at least: fewer are looked at in a twentieth of a second."""

ALIKE: Final = 10
"""Calls that a row of sums must stand for, on average, to be worth its room."""

DAY: Final = """date_trunc('day', min(calls."at"))"""
_MOST = 10_000_000  # a question seals no more: others wait for it, and the next one goes on
_AT_ONCE = 2_000_000  # latencies that are sorted together: more would need more memory than questions do


def write_seal(engine: Engine, seal: Seal) -> None:
    """Note how far the tables go, in the caller's transaction."""
    engine.run("DELETE FROM seals")
    engine.run("INSERT INTO seals VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(seal))


def as_they_stand(tables: Asked) -> str:
    """Write where all calls are read from with the newest costs and judgements, and their rowid."""
    revisions, scores = came_later(tables)
    if scores:
        return DUCKDB.judged.format(calls=DUCKDB.revised)
    return DUCKDB.revised if revisions else DUCKDB.calls


def seal(engine: Engine) -> None:
    """Seal what has come since the last time, if that is enough; no transaction is open.

    An engine that cannot, for want of room on the disk say, leaves all as it is: an answer needs no seal.
    """
    calls, have = int(engine.all("SELECT count(*) FROM calls")[0][0]), the_seal(engine)
    if calls < max(have.upto + STEP, have.again):
        return
    try:
        with engine.transaction():
            _seal(engine, have, min(calls, have.upto + _MOST))
    except TooManyKindsError:
        with engine.transaction():
            write_seal(engine, replace(have, again=2 * calls))
    except duckdb.Error:
        return


class TooManyKindsError(Exception):
    """The calls are of so many kinds that sums are not worth their room; a transaction is left by it."""


def _seal(engine: Engine, have: Seal, upto: int) -> None:
    """Seal the calls that follow upon those under the seal."""
    new = f"rowid >= {edge(engine, have.upto)} AND rowid < {edge(engine, upto)}"
    engine.run(f"INSERT INTO sealed_sums BY NAME {sums_of(within(as_they_stand(engine), new), DAY)}")
    if engine.all("SELECT count(*) FROM sealed_sums")[0][0] * ALIKE > upto:
        raise TooManyKindsError
    calls = within("calls", new)
    for first, last in _stretches(engine, calls):
        days = f"\"at\" >= TIMESTAMP '{first}' AND \"at\" < TIMESTAMP '{last}' + INTERVAL 1 DAY"
        some = within("calls", f"{new} AND {days}")
        for column, name in SORTED.items():
            engine.run(f'INSERT INTO sealed_{name} BY NAME {sorted_of(some, DAY, column)} ORDER BY "at"')
    if not have.upto:
        revisions, scores = came_later(engine)
        have = replace(have, revisions=revisions, scores=scores)
    write_seal(engine, replace(have, upto=upto, again=0))


def within(calls: str, condition: str) -> str:
    """Write where those of the calls are read from for which a condition holds."""
    return f"(SELECT * FROM {calls} WHERE {condition}) AS calls"  # noqa: S608  # our own names


def _stretches(engine: Engine, calls: str) -> Iterator[tuple[datetime, datetime]]:
    """Cut these calls' days, from first to last, into stretches of no more than can be sorted at once."""
    days = engine.all(f"SELECT date_trunc('day', \"at\"), count(*) FROM {calls} GROUP BY 1 ORDER BY 1")  # noqa: S608  # likewise
    first, last, number = days[0][0], days[0][0], 0
    for day, count in days:
        if number and number + count > _AT_ONCE:
            yield first, last
            first, number = day, 0
        last, number = day, number + count
    yield first, last
