"""One batch of journal lines into the ledger's tables: what is new is kept, copies are compared."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from outlay.core.codec import record_json
from outlay.core.record import SCHEMA, Record
from outlay.ledger.copies import settle
from outlay.ledger.engine import Engine
from outlay.ledger.identity import as_recorded
from outlay.ledger.kinds import reading
from outlay.ledger.retention import are_old, set_late_aside
from outlay.ledger.rolled import horizon_of
from outlay.ledger.stored import COST_COLUMNS, record_of, revisions_of

# Keys that only other entries than records have, beside the columns of calls.
_OTHERS = {"schema": "BIGINT", "score": "UUID", "revision": "UUID", "lost": "BIGINT", "why": "VARCHAR"}
_OTHER = f"""score IS NOT NULL OR revision IS NOT NULL OR lost IS NOT NULL
    OR coalesce("schema" > {SCHEMA}, FALSE)"""
_SCORE = ("record_id", "at", "quality_score", "user_rating", "correct")
_REVISION = ("record_id", "at", *COST_COLUMNS)
_REVISION_KEY = 5  # a call's cost, currency and status at an instant; the rest says how they came about
_OTHERS_KEPT: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str, int | None], ...] = (
    ("scores", _SCORE, ("score", *_SCORE[1:]), "score IS NOT NULL", None),
    ("revisions", _REVISION, ("revision", *_REVISION[1:]), "revision IS NOT NULL", _REVISION_KEY),
    ("losses", ("at", "count", "why"), ("at", "lost", "why"), "lost IS NOT NULL", None),
)
"""Table, its columns, their keys in a line, which lines, and by how many columns rows are told apart."""
_NEEDED = (  # of a record's line; a line without them is read the slow way, which says what is wrong
    *("provider", "operation", "status", "currency", "cost_status", "input_tokens", "cached_tokens"),
    *("cache_write_tokens", "output_tokens", "reasoning_tokens"),
)


class Inserted(NamedTuple):
    """What came straight in: where these calls are read from, and how many lines are none."""

    calls: str
    others: int


class Batch:
    """Lines that stand in a temporary table, seen from one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.calls = engine.columns("calls")
        self._names = ", ".join(f'"{name}"' for name in self.calls)
        self.columns = {**self.calls, **_OTHERS}  # of the table; those of calls come first
        self._read = reading(self.columns)

    def load(self, paths: Sequence[Path]) -> bool:
        """Read files of lines; False if some line is no good entry.

        Raises:
            duckdb.Error: a line is no JSON, or a value does not fit its column.
        """
        self._engine.run(f"CREATE OR REPLACE TEMP TABLE batch AS {self._read}", [_named(paths)])
        lacking = " OR ".join(f"{name} IS NULL" for name in _NEEDED)
        bad = self._engine.all(
            f"""SELECT count(*) FROM batch WHERE "at" IS NULL OR coalesce("schema" > {SCHEMA}, FALSE)
            OR CASE WHEN score IS NOT NULL THEN FALSE
                    WHEN revision IS NOT NULL THEN currency IS NULL OR cost_status IS NULL
                    WHEN lost IS NOT NULL THEN why IS NULL
                    ELSE id IS NULL OR {lacking} END"""  # noqa: S608  # our own names
        )
        return not bad[0][0]

    def insert(self, paths: Sequence[Path]) -> Inserted | None:
        """Bring the calls in files of lines into the table as they stand, in the caller's transaction.

        None where some call is not new: the transaction must then be given up. DuckDB reads, packs and
        writes on all cores this way, which it does not where a table stands in between. Other lines are
        counted by the way, for which a sequence is the one thing that a condition can change.

        Raises:
            duckdb.Error: a line is no entry, or a value does not fit its column.
        """
        (first,) = self._engine.all("SELECT coalesce(max(rowid) + 1, 0) FROM calls")[0]
        self._engine.run("CREATE OR REPLACE TEMP SEQUENCE others")
        inserted = self._engine.all(
            f"""INSERT INTO calls SELECT {self._names} FROM ({self._read})
            WHERE CASE WHEN {_OTHER} THEN nextval('temp.others') < 0 ELSE TRUE END""",  # noqa: S608  # our own names
            [_named(paths)],
        )[0][0]
        (others,) = self._engine.all("SELECT nextval('temp.others') - 1")[0]
        new = f"(SELECT * FROM calls WHERE rowid >= {first})"  # noqa: S608  # our own number
        lines, ids, low, high = self._engine.all(
            f"SELECT count(*), count(DISTINCT id), min(id), max(id) FROM {new}"  # noqa: S608  # likewise
        )[0]
        known = self._engine.all(
            f"""SELECT 1 FROM (SELECT id FROM calls WHERE rowid < {first} AND id BETWEEN ? AND ?)
            SEMI JOIN {new} AS new USING (id) LIMIT 1""",  # noqa: S608  # likewise
            [low, high],
        )
        plain = lines == ids == inserted and not known and not are_old(self._engine, new)
        return Inserted(new, int(others)) if plain else None

    def load_others(self, path: Path, number: int) -> bool:
        """Read a file of lines that are so many, none of them a call's; False if they are not.

        Raises:
            duckdb.Error: a line is no JSON, or a value does not fit its column.
        """
        found = f"SELECT count(*), count(*) FILTER (id IS NULL AND ({_OTHER})) FROM batch"  # noqa: S608  # our own names
        return self.load([path]) and self._engine.all(found) == [(number, number)]

    def keep_laid(self, table: str, ids: str) -> int:
        """Bring calls into the tables, in the caller's transaction; give how many were new.

        A temporary table or view lays them out, in the columns of calls and their ``number`` in order; the
        temporary table ``ids`` has their ids. Where all are new, each once, and of days that are not pruned,
        they are only inserted.
        """
        lines, different, low, high = self._engine.all(
            f"SELECT count(*), count(DISTINCT id), min(id), max(id) FROM temp.{ids}"  # noqa: S608  # the caller's name
        )[0]
        if not lines:
            return 0
        if lines == different and horizon_of(self._engine) is None and not self._knows(ids, low, high):
            self._engine.run(f"INSERT INTO calls SELECT {self._names} FROM temp.{table}")  # noqa: S608  # likewise
            return int(lines)
        others = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in _OTHERS.items())
        self._engine.run(
            f"""CREATE OR REPLACE TEMP TABLE batch AS SELECT {self._names}, {others}
            FROM temp.{table} ORDER BY number"""  # noqa: S608  # likewise
        )
        return self.keep()

    def _knows(self, ids: str, low: Any, high: Any) -> bool:
        found = self._engine.all(
            f"""SELECT 1 FROM temp.{ids} AS batch SEMI JOIN calls AS have
            ON have.id = batch.id AND have.id BETWEEN ? AND ? LIMIT 1""",  # noqa: S608  # likewise
            [low, high],
        )
        return bool(found)

    def keep(self) -> int:
        """Bring what is new into the tables, in the caller's transaction; give how many calls were new."""
        set_late_aside(self._engine)
        lines, ids, low, high = self._engine.all(
            "SELECT count(id), count(DISTINCT id), min(id), max(id) FROM batch WHERE score IS NULL"
        )[0]
        new = self._keep_calls(lines == ids, low, high) if lines else 0
        self._keep_others()
        if new < lines:
            self._compare(low, high)
        return new

    def lacking(self) -> Iterator[tuple[str, int, int]]:
        """Give what the tables lack of the batch: what is counted, how many are lacking, among how many."""
        low, high, among, ids = self._engine.all(
            "SELECT min(id), max(id), count(DISTINCT id), count(id) FROM batch WHERE score IS NULL"
        )[0]
        if ids:
            have = self._engine.all(
                """SELECT count(DISTINCT batch.id) FROM batch SEMI JOIN calls AS have
                ON have.id = batch.id AND have.id BETWEEN ? AND ? WHERE batch.score IS NULL""",
                [low, high],
            )[0][0]
            yield "calls of the journal", among - have, among
            unlike = sum(self._is_strange(*pair) for pair in self._differing(low, high))
            yield "calls as the journal has them, or set aside", unlike, ids
        for table, columns, keys, condition, compared in _OTHERS_KEPT:
            alike = _alike(columns[:compared], keys[:compared])
            everything, lacking = self._engine.all(
                f"""SELECT count(*), count(*) FILTER
                (NOT EXISTS (SELECT 1 FROM {table} AS have WHERE {alike})) FROM batch WHERE {condition}"""  # noqa: S608  # our own names
            )[0]
            yield f"{table} of the journal", lacking, everything

    def _is_strange(self, kept: Record, other: Record) -> bool:
        """Whether a copy differs from the call that is kept, and was not set aside either."""
        if as_recorded(kept, other, revisions_of(self._engine, [kept.id]).get(kept.id, ())):
            return False
        text = orjson.dumps(record_json(other)).decode()
        found = self._engine.all("SELECT 1 FROM conflicts WHERE id = ? AND other = ?", [kept.id, text])
        return not found

    def _keep_calls(self, unique: bool, low: Any, high: Any) -> int:  # noqa: FBT001  # one plain fact
        first = "" if unique else "QUALIFY row_number() OVER (PARTITION BY id ORDER BY rowid) = 1"
        return int(
            self._engine.all(
                f"""INSERT INTO calls SELECT {self._names} FROM batch
                WHERE id IS NOT NULL AND score IS NULL
                AND id NOT IN (SELECT id FROM calls WHERE id BETWEEN ? AND ?) {first}""",  # noqa: S608  # our own names
                [low, high],
            )[0][0]
        )

    def _keep_others(self) -> None:
        """Insert what is no call; of most batches nothing is, and to ask first takes a tenth of the time."""
        there = self._engine.all("SELECT count(score), count(revision), count(lost) FROM batch")[0]
        for number, (table, columns, keys, condition, compared) in zip(there, _OTHERS_KEPT, strict=True):
            if number:
                self._new(table, columns, keys, condition, compared)

    def _new(  # what is kept beside calls is told by five facts
        self,
        table: str,
        columns: tuple[str, ...],
        keys: tuple[str, ...],
        condition: str,
        compared: int | None,
    ) -> None:
        """Insert rows that are not there yet, by their first columns, in the order of their arrival."""
        names = ", ".join(f'"{key}"' for key in keys)
        first = ", ".join(f'"{key}"' for key in keys[:compared])
        self._engine.run(
            f"""INSERT INTO {table} SELECT {names} FROM batch WHERE {condition}
            AND NOT EXISTS (SELECT 1 FROM {table} AS have WHERE {_alike(columns[:compared], keys[:compared])})
            QUALIFY row_number() OVER (PARTITION BY {first} ORDER BY rowid) = 1 ORDER BY rowid"""  # noqa: S608  # our own names
        )

    def _compare(self, low: Any, high: Any) -> None:
        """Look at the copies of calls that are known: equal ones are nothing new, others are set aside."""
        for kept, other in self._differing(low, high):
            settle(self._engine, kept, other)

    def _differing(self, low: Any, high: Any) -> Iterator[tuple[Record, Record]]:
        have = ", ".join(f'have."{name}"' for name in self.calls)
        copy = ", ".join(f'batch."{name}"' for name in self.calls)
        found = self._engine.all(
            f"""SELECT {have}, {copy} FROM batch JOIN calls AS have ON have.id = batch.id
            WHERE batch.score IS NULL AND have.id BETWEEN ? AND ?
            AND row({have}) IS DISTINCT FROM row({copy}) ORDER BY batch.rowid""",  # noqa: S608  # our own names
            [low, high],
        )
        names = tuple(self.calls)
        for row in found:
            yield record_of(names, row[: len(names)]), record_of(names, row[len(names) :])


def _named(paths: Sequence[Path]) -> list[str]:
    return [str(path) for path in paths]


def _alike(columns: tuple[str, ...], keys: tuple[str, ...]) -> str:
    pairs = zip(columns, keys, strict=True)
    return " AND ".join(f'have."{column}" IS NOT DISTINCT FROM batch."{key}"' for column, key in pairs)
