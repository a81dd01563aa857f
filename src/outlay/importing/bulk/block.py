"""One block of lines through an engine: told, priced, and laid out as the ledger's own columns."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from outlay.core.ports import Workbench
from outlay.importing.bulk import charged, litellm, plain
from outlay.importing.bulk.cells import NOTHING, Cells
from outlay.importing.bulk.charges import RATE_COLUMNS, Span, rate_of, spans_of
from outlay.importing.bulk.told import COLUMNS, UNITS, Reading, Told, select, tag_map
from outlay.importing.files import Heading
from outlay.importing.made import Maker
from outlay.importing.shapes import Shape, is_own, shape_of
from outlay.pricing import Book

BATCH = "foreign_batch"
_LAYOUTS = 12  # sets of keys that are read in bulk; rows of rarer ones go the other way
_NAMES = 2_000  # providers and models in one block
_TELL: Mapping[str, Callable[[Cells], Told | None]] = {"plain": plain.tell, "litellm": litellm.tell}
_ZONE = "(SELECT any_value(ahead) FROM foreign_hours WHERE hour = replace({text}, ' ', 'T')[:13])"
_HOUR = timedelta(hours=1)
_SPAN = """span.provider IS NOT DISTINCT FROM told.provider AND span.model IS NOT DISTINCT FROM told.model
    AND told.moment >= span.since AND told.moment < span.until"""
_SIZE = "told.input_ + told.cache_read_ + told.cache_write_ + told.cache_write_1h_"
_KINDS = """foreign_told AS told JOIN foreign_kinds AS kinds ON kinds.number = told.number
    JOIN foreign_rates AS rates ON rates.span = kinds.span AND rates.kind = kinds.kind"""
_TABLES = ("lines", "told", "spans", "kinds", "rates", "hours", "again", "batch")


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a file's rows before they are read."""

    shape: Shape | None = None  # None: each has the one that its keys tell
    mapping: Mapping[str, str] | None = None  # a column for a field
    heading: Heading | None = None  # of a table


@dataclass(frozen=True, slots=True)
class Laid:
    """What came of a block: the rows that are laid out, and those that are left, by their place in it."""

    count: int
    left: tuple[int, ...]
    shape: str | None  # of the first row that is laid out
    first: int  # its place
    times: Mapping[
        int, tuple[int, datetime]
    ]  # for each that is left, the one laid out before it and its time
    last: tuple[int, datetime] | None  # the last one laid out


class Block:
    """Lays out lines in an engine, whose own faults are the caller's to take."""

    def __init__(self, bench: Workbench, columns: Mapping[str, str], book: Book, maker: Maker) -> None:
        self._bench = bench
        self._columns = columns  # of the ledger's calls
        self._book = book
        self._maker = maker

    def lay_out(self, lines: Path, expected: int, origin: Origin) -> Laid:
        """Bring lines into ``foreign_batch``; rows that cannot be read in bulk are left.

        Raises:
            ValueError: the engine does not see the lines that there are, or they are too many kinds.
        """
        self._load(lines, origin)
        if self._one("SELECT count(*) FROM foreign_lines") != expected:
            raise ValueError("the lines are others than expected")
        shapes = self._tell(origin)
        self._price()
        self._lay()
        self._tell_apart()  # last: what is remembered of rows must not be of rows that are read once more
        return self._laid(shapes)

    def clear(self) -> None:
        """Give the room of a block back."""
        for name in _TABLES:
            self._bench.run(f"DROP TABLE IF EXISTS temp.foreign_{name}")

    def _one(self, text: str) -> Any:
        return self._bench.all(text)[0][0]

    def _load(self, lines: Path, origin: Origin) -> None:
        layout = "CAST(0 AS UBIGINT)" if origin.heading is not None else "hash(TRY(json_keys(line)))"
        self._bench.run(
            f"""CREATE OR REPLACE TEMP TABLE foreign_lines AS SELECT line, {layout} AS layout
            FROM read_csv(?, header = false, auto_detect = false, delim = chr(1), quote = '', escape = '',
                columns = {{'line': 'VARCHAR'}}, max_line_size = 16777216)""",  # noqa: S608  # our own names
            [str(lines)],
        )

    def _tell(self, origin: Origin) -> dict[int, str]:
        """Read each frequent layout; give its shape."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        units = ", ".join(f"{unit}_ BIGINT" for unit in UNITS)
        self._bench.run(
            f"""CREATE OR REPLACE TEMP TABLE foreign_told (number BIGINT, moment TIMESTAMP, fine BOOLEAN,
            digest VARCHAR, nameless BOOLEAN, identity VARCHAR, silent BOOLEAN, {columns}, {units})"""
        )
        found = self._bench.all(
            f"""SELECT layout, arg_min(line, rowid) FROM foreign_lines
            GROUP BY layout ORDER BY count(*) DESC LIMIT {_LAYOUTS}"""  # noqa: S608  # our own names
        )
        told = {layout: self._tell_layout(layout, sample, origin) for layout, sample in found}
        return {layout: shape for layout, shape in told.items() if shape is not None}

    def _tell_layout(self, layout: int, sample: str, origin: Origin) -> str | None:
        keys = _keys_of(sample) if origin.heading is None else origin.heading.names
        sources = _sources(keys, origin.mapping)
        if sources is None:
            return None
        names = dict.fromkeys(sources)
        if origin.shape is None and is_own(names):
            return None
        shape = origin.shape or shape_of(names)
        tell = None if shape is None else _TELL.get(shape.name)
        positions = None if origin.heading is None else {name: at for at, name in enumerate(keys)}
        cells = Cells(sources, positions)
        told = None if tell is None else tell(cells)
        if shape is None or told is None or told.at == NOTHING:
            return None
        told.columns["tags"] = tag_map(cells, self._maker.tags, told.tags)
        zone = self._zone(cells, told, layout, origin)
        heading = origin.heading
        reading = (
            Reading(shape.name, zone)
            if heading is None
            else Reading(shape.name, zone, heading.text(), heading.delimiter, len(heading.names))
        )
        self._bench.run(f"INSERT INTO foreign_told {select(cells, told, reading)}", [layout])
        return shape.name

    def _zone(self, cells: Cells, told: Told, layout: int, origin: Origin) -> str:
        """Say by how much local clocks are ahead: one figure, or one for each hour that there is."""
        fixed = self._maker.zone.utcoffset(None)
        if fixed is not None:
            return str(_microseconds(fixed))
        delimiter = "," if origin.heading is None else origin.heading.delimiter
        found = self._bench.all(
            f"""SELECT DISTINCT replace({told.at}, ' ', 'T')[:13] FROM ({cells.select(delimiter)})
            WHERE regexp_full_match({told.at}, '20[0-9-]{{8}}[T ][0-9:.]+')""",  # noqa: S608  # our own names
            [layout],
        )
        hours = [(hour, _ahead(hour, self._maker.zone)) for (hour,) in found]
        known = [(hour, ahead) for hour, ahead in hours if ahead is not None]
        self._bench.run(
            """CREATE OR REPLACE TEMP TABLE foreign_hours AS
            SELECT unnest(CAST(? AS VARCHAR[])) AS hour, unnest(CAST(? AS BIGINT[])) AS ahead""",
            [[hour for hour, _ in known], [ahead for _, ahead in known]],
        )
        return _ZONE

    def _price(self) -> None:
        """Find the kinds of calls that are charged alike, and how each is charged."""
        spans = list(self._spans())
        self._bench.run(
            """CREATE OR REPLACE TEMP TABLE foreign_spans (span BIGINT, provider VARCHAR, model VARCHAR,
            recorded VARCHAR, since TIMESTAMP, until TIMESTAMP, least BIGINT, beyond BIGINT)"""
        )
        for at, each in enumerate(spans):
            moments = (each.since.replace(tzinfo=None), each.until.replace(tzinfo=None))
            self._bench.run(
                "INSERT INTO foreign_spans VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [at, *each.named, each.provider, *moments, each.least, each.beyond],
            )
        uses = " + ".join(f"(told.{unit}_ > 0)::INTEGER * {1 << at}" for at, unit in enumerate(UNITS))
        kind = f"CASE WHEN told.silent THEN -1 ELSE {uses} END"
        self._bench.run(
            f"""CREATE OR REPLACE TEMP TABLE foreign_kinds AS
            SELECT told.number, span.span, span.recorded, {kind} AS kind
            FROM foreign_told AS told JOIN foreign_spans AS span
            ON {_SPAN} AND {_SIZE} >= span.least AND {_SIZE} < span.beyond WHERE told.fine"""  # noqa: S608  # our own names
        )
        self._rate(spans)

    def _spans(self) -> Iterator[Span]:
        found = self._bench.all(
            "SELECT provider, model, min(moment), max(moment) FROM foreign_told WHERE fine GROUP BY ALL"
        )
        if len(found) > _NAMES:
            raise ValueError("too many names of models")
        for provider, model, first, last in found:
            recorded = self._maker.provider_of(provider, model)
            period = (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
            yield from spans_of(self._book, (provider, model), recorded, period)

    def _rate(self, spans: Sequence[Span]) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in RATE_COLUMNS.items())
        self._bench.run(f"CREATE OR REPLACE TEMP TABLE foreign_rates (span BIGINT, kind BIGINT, {columns})")
        units = ", ".join(f"told.{unit}_" for unit in UNITS)
        found = self._bench.all(
            f"""SELECT span, kind, min(told.number) AS first, arg_min(told.moment, told.number),
            arg_min([{units}], told.number) FROM foreign_kinds AS kinds
            JOIN foreign_told AS told ON told.number = kinds.number GROUP BY span, kind ORDER BY first"""  # noqa: S608  # our own names
        )
        rates = []
        for span, kind, _, at, quantities in found:
            moment = at.replace(tzinfo=UTC)
            rate = rate_of(self._book, spans[span], moment, quantities, silent=kind < 0)
            if rate is not None:
                rates.append((span, kind, *(rate[name] for name in RATE_COLUMNS)))
        kinds = ("BIGINT", "BIGINT", *RATE_COLUMNS.values())
        listed = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in kinds)
        lists = [[rate[at] for rate in rates] for at in range(len(kinds))]
        self._bench.run(f"INSERT INTO foreign_rates SELECT {listed}", lists)  # our own names

    def _tell_apart(self) -> None:
        """Give rows that are equal to earlier ones, in all they say, digests of their own."""
        found = self._bench.all(
            f"""SELECT told.number, unhex(told.digest) FROM foreign_told AS told
            JOIN {BATCH} AS have ON have.number = told.number WHERE told.nameless ORDER BY told.number"""  # noqa: S608  # our own names
        )
        told_apart = self._maker.told_apart
        again = [(number, now.hex()) for number, digest in found if (now := told_apart(digest)) != digest]
        if again:
            self._bench.run(
                """CREATE OR REPLACE TEMP TABLE foreign_again AS
                SELECT unnest(CAST(? AS BIGINT[])) AS number, unnest(CAST(? AS VARCHAR[])) AS digest""",
                [[number for number, _ in again], [digest for _, digest in again]],
            )
            self._bench.run(
                f"""UPDATE {BATCH} SET id = CAST({charged.id_of("again.digest", "told.moment")} AS UUID)
                FROM foreign_again AS again JOIN foreign_told AS told ON told.number = again.number
                WHERE again.number = {BATCH}.number"""  # noqa: S608  # our own names
            )

    def _lay(self) -> None:
        used = self._one("SELECT coalesce(bit_or(kind) FILTER (WHERE kind > 0), 0) FROM foreign_kinds")
        units = [unit for at, unit in enumerate(UNITS) if used >> at & 1]
        written, columns = charged.columns(units), self._columns.items()
        laid = ", ".join(
            f'CAST({written.get(name, NOTHING)} AS {kind}) AS "{name}"' for name, kind in columns
        )
        self._bench.run(
            f"""CREATE OR REPLACE TEMP TABLE {BATCH} AS SELECT number, {laid} FROM (
            {charged.worked_out(units, _KINDS)})"""  # noqa: S608  # our own names
        )

    def _laid(self, shapes: Mapping[int, str]) -> Laid:
        count, first, last, at = self._bench.all(
            f'SELECT count(*), min(number), max(number), arg_max("at", number) FROM {BATCH}'  # noqa: S608  # our own names
        )[0]
        left = self._bench.all(
            f"""SELECT line.rowid FROM foreign_lines AS line
            WHERE line.rowid NOT IN (SELECT number FROM {BATCH}) ORDER BY 1"""  # noqa: S608  # likewise
        )
        places = tuple(int(place) for (place,) in left)
        if not count:
            return Laid(0, places, None, -1, {}, None)
        layout = self._bench.all("SELECT layout FROM foreign_lines WHERE rowid = ?", [first])[0][0]
        times = self._times_before() if places else {}
        return Laid(count, places, shapes[layout], int(first), times, (int(last), at.replace(tzinfo=UTC)))

    def _times_before(self) -> dict[int, tuple[int, datetime]]:
        found = self._bench.all(
            f"""SELECT line.rowid, have.number, have."at" FROM foreign_lines AS line
            ASOF JOIN (SELECT number, "at" FROM {BATCH}) AS have ON line.rowid >= have.number
            WHERE line.rowid <> have.number"""  # noqa: S608  # our own names
        )
        return {int(place): (int(number), at.replace(tzinfo=UTC)) for place, number, at in found}


def _keys_of(sample: str) -> tuple[str, ...]:
    """Give the keys of a row, as often as they stand in it; none where it is no object."""
    try:
        pairs = json.loads(sample, object_pairs_hook=lambda pairs: tuple(key for key, _ in pairs))
    except (ValueError, RecursionError):
        return ()
    return pairs if isinstance(pairs, tuple) else ()


def _sources(keys: Sequence[str], mapping: Mapping[str, str] | None) -> dict[str, str] | None:
    """Say under which name of the row each field stands; see ``reading.renamed``. None: it cannot be said."""
    if not keys or len(set(keys)) < len(keys) or any('"' in key or "\\" in key for key in keys):
        return None
    if not mapping:
        return {key: key for key in keys}
    wanted = {column: name for name, column in mapping.items()}
    others = {key: key for key in keys if key not in wanted and key not in mapping}
    return {**others, **{wanted[key]: key for key in keys if key in wanted}}


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _ahead(hour: str, zone: tzinfo) -> int | None:
    """Give by how much the clocks of a zone are ahead in an hour; None where that changes within it."""
    try:
        start = datetime.fromisoformat(f"{hour}:00:00")
    except ValueError:
        return None
    ends = {(start + after).replace(tzinfo=zone).utcoffset() for after in (timedelta(0), _HOUR - _SMALLEST)}
    known = ends.pop()
    return None if ends or known is None else _microseconds(known)


_SMALLEST = timedelta(microseconds=1)
