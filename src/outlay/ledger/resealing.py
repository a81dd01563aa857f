"""Seals kept true: days of calls with newer costs or judgements are summed anew, pruned ones forgotten."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from outlay.ledger.dialect import standing
from outlay.ledger.engine import Engine
from outlay.ledger.native import duckdb
from outlay.ledger.reach import Seal, came_later, days_from, edge, the_seal
from outlay.ledger.sealing import ALIKE, DAY, TooManyKindsError, as_they_stand, within, write_seal
from outlay.ledger.seals import TABLES, lines_of, sums_of

_DAY = timedelta(days=1)
_AT_ONCE: Final = 500_000  # calls that are put together with what was told of them: it takes room


def renew_sums(engine: Engine, *, judged: bool) -> None:
    """Bring the sums to what has come about their calls; judgements too if they are asked for.

    No transaction is open. An engine that cannot leaves all as it is: the seal is then not used.
    """
    have = the_seal(engine)
    revisions, scores = came_later(engine)
    if not have.upto or (have.revisions == revisions and (have.scores == scores or not judged)):
        return
    try:
        with engine.transaction():
            below = f"rowid < {edge(engine, have.upto)}"
            for calls in _touched(engine, below, (("revisions", have.revisions), ("scores", have.scores))):
                _forget_touched(engine, "sealed_sums")
                engine.run(f"INSERT INTO sealed_sums BY NAME {sums_of(calls, DAY)}")
            write_seal(engine, replace(have, revisions=revisions, scores=scores))
    except duckdb.Error:
        return


def renew_lines(engine: Engine, since: datetime | None) -> None:
    """Bring the sums over lines to the calls under the seal, as they stand; see :func:`renew_sums`.

    Days before that midnight (naive UTC) are left to whoever asks for them.
    """
    have = the_seal(engine)
    revisions, _ = came_later(engine)
    if not have.lines:
        have = replace(have, lines_since=since)
    elif have.lines_since is not None:
        since = None if since is None else min(since, have.lines_since)
    else:
        since = None
    want = replace(have, lines=have.upto, lined=revisions, lines_since=since, lines_again=0)
    if have.upto < max(1, have.lines_again) or have == want:
        return
    try:
        with engine.transaction():
            _renew_lines(engine, have, want)
    except TooManyKindsError:
        with engine.transaction():
            engine.run("DELETE FROM sealed_lines")
            write_seal(engine, replace(have, lines=0, lines_since=None, lines_again=2 * have.upto))
    except duckdb.Error:
        return


def _renew_lines(engine: Engine, have: Seal, want: Seal) -> None:
    old, end = edge(engine, have.lines), edge(engine, want.lines)
    source = as_they_stand(engine)
    held, wanted = days_from(have.lines_since), days_from(want.lines_since)
    if have.lined != want.lined and have.lines:
        for calls in _touched(engine, f"rowid < {old} AND {held}", (("revisions", have.lined),)):
            _forget_touched(engine, "sealed_lines")
            _add_lines(engine, calls)
    if have.lines_since != want.lines_since:
        _add_lines(engine, within(source, f"rowid < {old} AND {wanted} AND NOT {held}"))
    if old != end:
        _add_lines(engine, within(source, f"rowid >= {old} AND rowid < {end} AND {wanted}"))
    if engine.all("SELECT count(*) FROM sealed_lines")[0][0] * ALIKE > have.upto:
        raise TooManyKindsError
    write_seal(engine, want)


def _add_lines(engine: Engine, calls: str) -> None:
    engine.run(f"INSERT INTO sealed_lines BY NAME {lines_of(calls, DAY)}")


def _touched(engine: Engine, below: str, since: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Write where calls are read from, as they stand, of the days of which something was told since.

    Some days at once, the first and the last of which stand in ``temp.touched``.
    """
    told = " UNION ALL ".join(
        f"SELECT record_id FROM (SELECT record_id FROM {table} OFFSET {number})"  # noqa: S608  # our own names
        for table, number in since
    )
    engine.run(f"CREATE OR REPLACE TEMP TABLE told AS {told}")
    engine.run(
        f"""CREATE OR REPLACE TEMP TABLE touched AS
        SELECT DISTINCT date_trunc('day', "at") AS "at" FROM calls WHERE {below}
        AND id BETWEEN (SELECT min(record_id) FROM temp.told) AND (SELECT max(record_id) FROM temp.told)
        AND id IN (SELECT record_id FROM temp.told)"""  # noqa: S608  # likewise
    )
    engine.run("DROP TABLE temp.told")
    days = [day for (day,) in engine.all('SELECT "at" FROM temp.touched ORDER BY 1')]
    revisions, scores = came_later(engine)
    for first, last in _stretches(engine, days):
        engine.run("CREATE OR REPLACE TEMP TABLE touched AS SELECT ? AS first, ? AS last", [first, last])
        stretch = (
            f"{below} AND \"at\" >= TIMESTAMP '{first}' AND \"at\" < TIMESTAMP '{last}' + INTERVAL 1 DAY"
        )
        yield within(standing(stretch, revised=revisions > 0, judged=scores > 0), "TRUE")


def _stretches(engine: Engine, days: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Put days that follow upon each other together, as long as they are of no more calls than go at once."""
    sizes = dict(engine.all('SELECT "at", sum(calls) FROM sealed_sums GROUP BY "at"'))
    first = last = None
    calls = 0
    for day in days:
        calls += int(sizes.get(day, 0))
        if first is None or last is None or day != last + _DAY or calls > _AT_ONCE:
            if first is not None and last is not None:
                yield first, last
            first, calls = day, int(sizes.get(day, 0))
        last = day
    if first is not None and last is not None:
        yield first, last


def _forget_touched(engine: Engine, table: str) -> None:
    within_stretch = '"at" BETWEEN (SELECT first FROM temp.touched) AND (SELECT last FROM temp.touched)'
    engine.run(f"DELETE FROM {table} WHERE {within_stretch}")  # noqa: S608  # likewise


def forget_before(engine: Engine, until: datetime) -> None:
    """Take days out of the seal whose calls the caller deletes next, with what is said of them."""
    have = the_seal(engine)
    gone = 'SELECT id FROM calls WHERE "at" < ?'

    def of_calls(calls: int) -> int:
        counted = f'SELECT count(*) FROM calls WHERE "at" < ? AND rowid < {edge(engine, calls)}'  # noqa: S608  # likewise
        return calls - int(engine.all(counted, [until])[0][0])

    def of_later(table: str, number: int) -> int:
        first = f"(SELECT record_id FROM {table} LIMIT {number})"  # noqa: S608  # likewise
        counted = f"SELECT count(*) FROM {first} AS told WHERE record_id IN ({gone})"  # noqa: S608  # likewise
        return number - int(engine.all(counted, [until])[0][0])

    left = replace(
        have,
        upto=of_calls(have.upto),
        revisions=of_later("revisions", have.revisions),
        scores=of_later("scores", have.scores),
        lines=of_calls(have.lines),
        lined=of_later("revisions", have.lined),
    )
    for table in TABLES:
        engine.run(f'DELETE FROM {table} WHERE "at" < ?', [until])  # noqa: S608  # likewise
    write_seal(engine, left)
