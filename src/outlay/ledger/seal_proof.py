"""Proof that seals are what their calls are, as these stand."""

from collections.abc import Iterator

from outlay.core.keeping import Disagreement
from outlay.ledger.engine import Engine
from outlay.ledger.reach import came_later, days_from, edge, the_seal
from outlay.ledger.resealing import renew_lines, renew_sums
from outlay.ledger.sealing import DAY, as_they_stand, within
from outlay.ledger.seals import ADDED, DIMENSIONS, EXACT, LINE, LINE_SUMS, SORTED, lines_of, sums_of


def check(engine: Engine) -> Iterator[Disagreement]:
    """Compare the tables with their calls; sums of floats, which hang on their order, aside."""
    renew_sums(engine, judged=True)
    have = the_seal(engine)
    calls = within(as_they_stand(engine), f"rowid < {edge(engine, have.upto)}")
    if came_later(engine) == (have.revisions, have.scores):  # else the disk is full, and no question takes it
        yield from _sums(engine, calls)
    for column, name in SORTED.items():
        yield from _sorted(engine, calls, column, name)
    if have.lines:
        renew_lines(engine, have.lines_since)
    have = the_seal(engine)
    if have.lines and have.lined == came_later(engine)[0]:
        sealed = f"rowid < {edge(engine, have.lines)} AND {days_from(have.lines_since)}"
        yield from _lines(engine, within(as_they_stand(engine), sealed))


def _sums(engine: Engine, calls: str) -> Iterator[Disagreement]:
    kept = ", ".join(f"{ADDED.get(name, 'sum')}({name}) AS {name}" for name in EXACT)
    dimensions = ", ".join(DIMENSIONS)
    there = f'SELECT "at", {dimensions}, {kept} FROM sealed_sums GROUP BY "at", {dimensions}'  # noqa: S608  # our own names
    names = ", ".join(('"at"', *DIMENSIONS, *EXACT))
    yield from _compared(engine, "sums", f"SELECT {names} FROM ({sums_of(calls, DAY)})", there)  # noqa: S608  # likewise


def _sorted(engine: Engine, calls: str, column: str, name: str) -> Iterator[Disagreement]:
    values = f"provider, model, count(*), sum(hash({column}))"
    of_calls = f"""SELECT date_trunc('day', "at") AS d, {values} FROM {calls}
        WHERE {column} IS NOT NULL GROUP BY d, provider, model"""  # noqa: S608  # likewise
    of_parts = f"""SELECT "at", {values}
        FROM (SELECT "at", provider, model, unnest(latencies) AS {column} FROM sealed_{name})
        GROUP BY "at", provider, model"""  # noqa: S608  # likewise
    yield from _compared(engine, name.replace("_", " "), of_calls, of_parts)


def _lines(engine: Engine, calls: str) -> Iterator[Disagreement]:
    kept = ", ".join(f"sum({name}) AS {name}" for name in LINE_SUMS)
    names = ", ".join((*DIMENSIONS, *LINE))
    there = f'SELECT "at", {names}, {kept} FROM sealed_lines GROUP BY "at", {names}'  # noqa: S608  # likewise
    of_calls = f'SELECT "at", {names}, {", ".join(LINE_SUMS)} FROM ({lines_of(calls, DAY)})'  # noqa: S608  # likewise
    yield from _compared(engine, "lines", of_calls, there)


def _compared(engine: Engine, what: str, of_calls: str, there: str) -> Iterator[Disagreement]:
    """Count the rows that stand on one side alone."""
    for name, one, other in (("lacking", of_calls, there), ("of no calls", there, of_calls)):
        found = engine.all(f"SELECT count(*) FROM ({one} EXCEPT {other})")[0][0]  # noqa: S608  # likewise
        if found:
            yield Disagreement(f"sealed {what}", f"days and kinds {name}", "0", f"{found:,}")
