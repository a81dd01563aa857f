"""Proof that journals, the embedded ledger and its daily totals say the same; and where they do not."""

from collections.abc import Iterator
from pathlib import Path

from outlay.core.ids import FIRST_TIMED
from outlay.core.keeping import Disagreement
from outlay.journal import Segment, segments
from outlay.ledger.backlog import Stretch, cut, spool
from outlay.ledger.batch import Batch
from outlay.ledger.engine import Engine
from outlay.ledger.ingest import are_read, load_line_by_line, spool_file
from outlay.ledger.retention import take_old_out
from outlay.ledger.seal_proof import check

_UNTIMED = f"(substr(CAST(id AS text), 15, 1) <> '7' OR CAST(id AS text) < '{FIRST_TIMED}')"
_TOLD = f"""WITH told AS (
        SELECT date_trunc('day', min(low)) AS low, date_trunc('day', max(high)) AS high,
            {_UNTIMED} AND id IN (SELECT id FROM settled) AS elsewhere
        FROM temp.old
        WHERE id NOT IN (SELECT id FROM late) AND id NOT IN (SELECT id FROM settled WHERE NOT counted)
        GROUP BY id
    ), all_days AS (
        SELECT least(min(low), (SELECT min("at") FROM rollups)) AS low,
            greatest(max(high), (SELECT max("at") FROM rollups)) AS high FROM told
    ), possible AS (
        SELECT CASE WHEN elsewhere THEN all_days.low ELSE told.low END AS low,
            CASE WHEN elsewhere THEN all_days.high ELSE told.high END AS high FROM told CROSS JOIN all_days
    ), spans AS (SELECT low, high, count(*) AS calls FROM possible GROUP BY ALL), needed AS (
        SELECT wide.low, wide.high, sum(spans.calls) AS calls FROM spans AS wide
        JOIN spans ON spans.low >= wide.low AND spans.high <= wide.high GROUP BY ALL
    ), days AS (SELECT "at", sum(calls) AS calls FROM rollups GROUP BY ALL)
    SELECT low, high, needed.calls, coalesce(sum(days.calls), 0) AS have
    FROM needed LEFT JOIN days ON days."at" BETWEEN low AND high
    GROUP BY ALL HAVING needed.calls > have ORDER BY low, high"""  # noqa: S608  # our own names
"""Days, or spans of some, whose totals hold fewer calls than journals tell of.

A pruned call whose id tells no day may count on any: an import may have told it first, with another instant.
"""


def verify(engine: Engine, journals: Path, spool_folder: Path) -> tuple[Disagreement, ...]:
    """Compare all that stands in more than one place; the journals have been taken in before."""
    engine.run("CREATE OR REPLACE TEMP TABLE old (id UUID, low TIMESTAMP, high TIMESTAMP)")
    try:
        return (
            *_of_journals(engine, journals, spool_folder),
            *_of_pruned_days(engine),
            *_of_tables(engine),
            *check(engine),
        )
    finally:
        engine.run("DROP TABLE temp.old")


def _of_journals(engine: Engine, journals: Path, spool_folder: Path) -> Iterator[Disagreement]:
    """Look each line up that was taken in, of all segments that are still there."""
    taken = dict(engine.all("SELECT segment, taken FROM journals"))
    batch = Batch(engine)
    for segment in segments(journals):
        end = taken.get(segment.name, 0)
        if end > segment.size:
            yield Disagreement(segment.name, "bytes taken in", f"{segment.size:,} at most", f"{end:,}")
        with spool_file(spool_folder) as target:
            yield from _of_segment(engine, batch, segment, min(end, segment.size), target)


def _of_segment(
    engine: Engine, batch: Batch, segment: Segment, end: int, target: Path
) -> Iterator[Disagreement]:
    faults = 0
    for stretch in cut(segment.path, 0, end):
        faults += _load(engine, batch, stretch, target)
        take_old_out(engine)
        for what, lacking, among in batch.lacking():
            if lacking:
                yield Disagreement(segment.name, what, f"{among:,}", f"{among - lacking:,}")
    told = int(engine.all("SELECT count(*) FROM faults WHERE segment = ?", [segment.name])[0][0])
    if faults != told:
        yield Disagreement(segment.name, "faulty lines", f"{faults:,}", f"{told:,}")


def _load(engine: Engine, batch: Batch, stretch: Stretch, target: Path) -> int:
    """Load a stretch, as it was taken in; give how many of its lines are faulty."""
    if are_read(engine, batch, spool([stretch], target)):
        return 0
    return len(load_line_by_line(batch, stretch, target))


def _of_pruned_days(engine: Engine) -> Iterator[Disagreement]:
    """Compare the daily totals with what each day held when it was pruned, and with the journals of then."""
    found = engine.all(
        """SELECT coalesce(r."at", p."day") AS d, coalesce(r.currency, p.currency) AS c,
            coalesce(p.calls, 0), p.cost, coalesce(r.calls, 0), r.cost
        FROM (SELECT "at", currency, sum(calls) AS calls, sum(cost) AS cost FROM rollups GROUP BY ALL) AS r
        FULL JOIN (SELECT "day", currency, sum(calls) AS calls, sum(cost) AS cost
            FROM pruned_days GROUP BY ALL) AS p ON p."day" = r."at" AND p.currency = r.currency
        WHERE r.calls IS DISTINCT FROM p.calls OR r.cost IS DISTINCT FROM p.cost ORDER BY d, c"""
    )
    for day, currency, calls, cost, rolled, amount in found:
        where = f"{day:%Y-%m-%d} {currency}"
        yield Disagreement(where, "daily totals", f"{calls:,} calls, {cost}", f"{rolled:,} calls, {amount}")
    for low, high, calls, have in engine.all(_TOLD):
        where = f"{low:%Y-%m-%d}" if low == high else f"{low:%Y-%m-%d} to {high:%Y-%m-%d}"
        what = "pruned calls that journals still tell of"
        yield Disagreement(where, what, f"{calls:,} or more", f"{have:,}")


def _of_tables(engine: Engine) -> Iterator[Disagreement]:
    """Check what must hold within the ledger itself."""
    calls, ids = engine.all("SELECT count(*), count(DISTINCT id) FROM calls")[0]
    if calls != ids:
        yield Disagreement("calls", "ids, each once", f"{calls:,}", f"{ids:,}")
    old = engine.all('SELECT count(*) FROM calls WHERE "at" < (SELECT max("before") FROM prunes)')[0][0]
    if old:
        yield Disagreement("calls", "calls of days that were pruned", "0", f"{old:,}")
