"""Entries into the tables: calls by COPY and one INSERT that refuses known ids, the others beside them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from itertools import count, repeat
from typing import Any

from outlay.core.codec import cost_json
from outlay.core.ids import least_id
from outlay.core.instants import text_of
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.ledger.answers import between
from outlay.ledger.copies import settle
from outlay.ledger.identity import as_kept
from outlay.ledger.postgres import months, rollups, rows
from outlay.ledger.postgres.connection import Connection
from outlay.ledger.postgres.drawn import Drawing, Drawn, Sort
from outlay.ledger.postgres.portions import CALLS, Portions
from outlay.ledger.postgres.retention import apart, set_late_aside
from outlay.ledger.postgres.shared import Numbers
from outlay.ledger.postgres.texts import Written, json_text
from outlay.ledger.rolled import horizon_of
from outlay.ledger.stored import COST_COLUMNS
from outlay.ledger.usual import Seen, read, record_of

_NAMES = ", ".join(f'"{name}"' for name in rows.RECORD_COLUMNS)
_BATCH = "CREATE TEMPORARY TABLE IF NOT EXISTS batch (LIKE records, n integer) ON COMMIT DELETE ROWS"
_COUNTED = f"id, cost, {rollups.COLUMNS}"
_ROLL = f"""hourly AS ({rollups.counted(rollups.hourly_as_recorded("new"))}),
    daily AS ({rollups.sketched("new")}), by_hour AS ({rollups.sketched_by_hour("new")})
    SELECT count(*), array_agg(id) FILTER (WHERE id IN (SELECT record_id FROM revisions)) FROM new"""  # noqa: S608  # our own names
_KEEP = f"""WITH new AS (
        INSERT INTO records ({_NAMES}) SELECT {_NAMES} FROM pg_temp.batch ORDER BY id, n
        ON CONFLICT (id) DO NOTHING RETURNING {_COUNTED}
    ), {_ROLL}"""  # noqa: S608  # likewise
_THESE = "id BETWEEN CAST(? AS UUID) AND CAST(? AS UUID)"
_BETWEEN = f"SELECT 1 FROM records WHERE {_THESE} LIMIT 1"  # noqa: S608  # likewise
_COUNT = f"WITH new AS (SELECT {_COUNTED} FROM records WHERE {_THESE}), {_ROLL}"  # noqa: S608  # likewise
_JSON = frozenset(("usage", "raw", "parts", "lines", "extra"))


def _compared(table: str) -> str:
    return ", ".join(
        f'{table}."{name}"{"::text" if name in _JSON else ""}' for name in rows.RECORD_COLUMNS if name != "id"
    )


_DIFFERING = f"""SELECT n FROM pg_temp.batch JOIN records USING (id)
    WHERE ROW({_compared("batch")}) IS DISTINCT FROM ROW({_compared("records")}) ORDER BY n"""  # noqa: S608  # our own names
_SCORE = {"record_id": "uuid", "at": "timestamp", "quality_score": "float8", "user_rating": "float8"}
_TYPES = {
    "scores": {**_SCORE, "correct": "boolean"},
    "revisions": {
        "record_id": "uuid",
        "at": "timestamp",
        "cost": "numeric",
        "currency": "text",
        "cost_status": "text",
        "cost_reason": "text",
        "cost_flags": "json",
        "computed_cost": "numeric",
        "lines": "json",
        "price": "json",
    },
    "losses": {"at": "timestamp", "count": "bigint", "why": "text"},
}
_KEYS = {
    "revisions": 5
}  # a call's cost, currency and status at an instant; the rest says how they came about


class Loader:
    """Brings entries into one ledger, in the caller's transactions."""

    def __init__(self) -> None:
        self._kinds = Numbers("kinds", rows.KIND_COLUMNS, rows.kind_row)
        self._prices = Numbers("prices", rows.PRICE_COLUMNS, lambda key: rows.price_row(*key))
        self._months: set[tuple[int, int]] = set()
        self._drawing = Drawing()
        self._session = 0

    def know_only(self, session: int) -> None:
        """Forget what was learnt in another session."""
        if session != self._session:
            self.forget()
            self._session = session

    def forget(self) -> None:
        """Remember nothing of what the tables held, as after a transaction that failed."""
        self._kinds.forget()
        self._prices.forget()
        self._months = set()
        self._drawing = Drawing()

    def add(self, connection: Connection, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new; give how many calls were new.

        Raises:
            RefusedEntryError: an entry cannot be kept.
        """
        return self._add(connection, entries)

    def add_lines(self, connection: Connection, lines: Iterable[bytes]) -> int:
        """Keep the entries of journal lines; give how many calls were new.

        Raises:
            RefusedEntryError: a line is no entry, or one that cannot be kept.
        """
        return self._add(connection, map(read, lines))

    def _add(self, connection: Connection, entries: Iterable[Entry | Seen]) -> int:
        connection.run(_BATCH)
        portions = Portions(entries, self._drawing)
        new = 0
        for some in portions:
            portion = _not_late(connection, some)
            calls = [entry for entry in portion if isinstance(entry, CALLS)]
            count = self._keep_calls(connection, calls, portions) if calls else 0
            if len(calls) < len(portion):
                _keep_others(connection, [each for each in portion if not isinstance(each, CALLS)])
            if count < len(calls):
                _compare(connection, calls)
            new += count
        return new

    def _keep_calls(self, connection: Connection, calls: list[Record | Seen], portions: Portions) -> int:
        ids = [call.id if isinstance(call, Seen) else rows.id_of(call.id) for call in calls]
        self._make_months(connection, ids)
        span = [min(ids), max(ids)]
        if len(set(ids)) == len(ids) and not connection.all(_BETWEEN, span):
            # All of them are new, and the only ones there: no copy of the batch is needed to tell.
            self._copy(connection, f"records ({_NAMES})", portions.draw(calls), ids, repeat("\n"))
            ((new, revised),) = connection.all_while(portions.look_ahead, _COUNT, span)
        else:
            connection.run("DELETE FROM pg_temp.batch")
            ends = (f"\t{n}\n" for n in count())
            self._copy(connection, f"pg_temp.batch ({_NAMES}, n)", portions.draw(calls), ids, ends)
            ((new, revised),) = connection.all_while(portions.look_ahead, _KEEP)
        if revised:  # before they came
            rollups.take_off(connection, revised, rollups.RECORDED)
            rollups.put_back(connection, revised)
        return int(new)

    def _make_months(self, connection: Connection, ids: Sequence[str]) -> None:
        found = {months.month_of(each) for each in (min(ids), max(ids))}
        if found != {months.month_of(ids[0])} or None in found:
            found = {months.month_of(each) for each in ids}
        wanted = {month for month in found if month is not None}
        if not wanted <= self._months:
            months.make_partitions(connection, wanted - self._months)
            self._months |= wanted

    def _copy(
        self,
        connection: Connection,
        into: str,
        calls: Iterator[Drawn],
        ids: Sequence[str],
        ends: Iterator[str],
    ) -> None:
        """Draw calls while the server keeps others; what has no numbers yet goes over in a second turn."""
        later: list[tuple[str, Drawn, str]] = []

        def first() -> Iterator[str]:
            for drawn, begin, end in zip(calls, ids, ends, strict=False):
                sort, rest = drawn
                if (numbers := sort.numbers or self._numbers(sort)) is None:
                    later.append((begin, drawn, end))
                else:
                    yield f"{begin}\t{numbers}\t{rest}{end}"

        connection.copy(into, first())
        if later:
            self._kinds.learn(connection, (sort.kind for _, (sort, _), _ in later))
            self._prices.learn(
                connection, (sort.price for _, (sort, _), _ in later if sort.price is not None)
            )
            connection.copy(
                into, (f"{begin}\t{self._numbers(sort)}\t{rest}{end}" for begin, (sort, rest), end in later)
            )

    def _numbers(self, sort: Sort) -> str | None:
        """Give the columns of what is shared, None where a number is not known."""
        kind = self._kinds.known.get(sort.kind)
        price = "\\N" if sort.price is None else self._prices.known.get(sort.price)
        if kind is not None and price is not None:
            sort.numbers = f"{kind}\t{price}"
        return sort.numbers


def _not_late(connection: Connection, some: list[Entry | Seen]) -> Sequence[Entry | Seen]:
    """Give the entries without those of pruned days, whose calls are kept apart."""
    horizon = horizon_of(connection)
    if horizon is None:
        return some
    at, least = text_of(horizon), least_id(horizon)
    calls = [each for each in some if isinstance(each, CALLS)]
    ids = [each.id if isinstance(each, Seen) else rows.id_of(each.id) for each in calls]
    known = apart(connection, ids)
    old = {name for name, each in zip(ids, calls, strict=True) if name < least or _instant(each) < at}
    looked_at = old | known
    read = [record_of(each) if isinstance(each, Seen) and each.id in looked_at else each for each in some]
    whole = [each for each in read if not isinstance(each, Seen)]
    good = set(map(id, set_late_aside(connection, horizon, whole, known)))
    return [each for each in read if isinstance(each, Seen) or id(each) in good]


def _instant(call: Record | Seen) -> str:
    return call.at if isinstance(call, Seen) else text_of(call.at)


def _compare(connection: Connection, calls: Sequence[Record | Seen]) -> None:
    """Compare the copies among calls with those that are kept, by all that is said of these by now."""
    for (n,) in connection.all(_DIFFERING):
        copy = _as_kept(calls[n])
        (kept,) = between(connection, copy.id, copy.id)
        settle(connection, kept, copy)


def _as_kept(call: Record | Seen) -> Record:
    if isinstance(call, Seen):
        return record_of(call)
    return as_kept(replace(call, id=rows.id_of(call.id)))


def _keep_others(connection: Connection, entries: Sequence[Entry]) -> None:
    """Keep judgements, costs reckoned again and losses that are not there yet, in the order they came."""
    _new(connection, "scores", [_score_row(each) for each in entries if isinstance(each, Score)])
    revisions = [_revision_row(each) for each in entries if isinstance(each, Revision)]
    if revisions:
        ids = sorted({row[0] for row in revisions})
        rollups.take_off(connection, ids, rollups.STANDING)
        _new(connection, "revisions", revisions)
        rollups.put_back(connection, ids)
    losses = [[each.at, each.count, each.why] for each in entries if isinstance(each, Loss)]
    _new(connection, "losses", losses)


def _score_row(score: Score) -> list[Any]:
    return [rows.id_of(score.record_id), score.at, score.quality_score, score.user_rating, score.correct]


def _revision_row(revision: Revision) -> list[Any]:
    cost = cost_json(revision.charge)
    values = [
        Written(json_text(value)) if isinstance(value, dict | list | tuple) else value
        for value in map(cost.get, COST_COLUMNS)
    ]
    return [rows.id_of(revision.record_id), revision.at, *values]


def _new(connection: Connection, table: str, found: Sequence[Sequence[Any]]) -> None:
    """Insert rows that are not there yet, by their first columns."""
    if not found:
        return
    types = _TYPES[table]
    names = [f'"{name}"' for name in types]
    keys = names[: _KEYS.get(table)]
    listed, first = ", ".join(names), ", ".join(keys)
    same = " AND ".join(f"have.{key} IS NOT DISTINCT FROM one.{key}" for key in keys)
    arrays = ", ".join(f"CAST(? AS {kind}[])" for kind in types.values())
    connection.run(
        f"""INSERT INTO {table} ({listed}) SELECT {listed} FROM (
            SELECT *, row_number() OVER (PARTITION BY {first} ORDER BY n) AS nth
            FROM unnest({arrays}) WITH ORDINALITY AS given({listed}, n)) AS one
        WHERE nth = 1 AND NOT EXISTS (SELECT 1 FROM {table} AS have WHERE {same}) ORDER BY n""",  # noqa: S608  # our own names
        [_column(name, [row[at] for row in found]) for at, name in enumerate(types)],
    )


def _column(name: str, values: list[Any]) -> list[Any]:
    if name == "at":
        return [value.astimezone(UTC).replace(tzinfo=None) for value in values]
    return [value if value is None else str(value) for value in values] if name in {"cost", "why"} else values
