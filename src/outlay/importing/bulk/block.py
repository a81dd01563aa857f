"""One block of lines through an engine: told, priced, and laid out as the ledger's own columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from outlay.capture.redact import redact, without_keys
from outlay.core.errors import LedgerError
from outlay.core.ports import Workbench
from outlay.importing.bulk import charged
from outlay.importing.bulk.charges import RATE_COLUMNS, Span, rate_of, spans_of
from outlay.importing.bulk.expressions import NOTHING, quoted
from outlay.importing.bulk.layouts import CLOSED, Origin, formed, layouts_of
from outlay.importing.bulk.seen import IS_LEFT, done, hold, samples, see, set_aside
from outlay.importing.bulk.tags import make_tags
from outlay.importing.bulk.told import COLUMNS, UNITS, Layout, select
from outlay.importing.made import Maker
from outlay.pricing import Book

BATCH, TOLD = "foreign_batch", "foreign_told"  # the ledger's columns, and what they are worked out of
_NAMES = 2_000  # providers and models in one block
_SPAN = """span.provider IS NOT DISTINCT FROM told.provider AND span.model IS NOT DISTINCT FROM told.model
    AND told.moment >= span.since AND told.moment < span.until"""
# Lines of a table whose quotes do not all close in them.
_OPEN = f"""SELECT count(*) FROM foreign_lines
    WHERE contains(line, '"') AND NOT regexp_full_match(line, {quoted(CLOSED)})"""  # noqa: S608  # our own pattern
_TOLD = """CREATE OR REPLACE TEMP TABLE foreign_told
    (number BIGINT, moment TIMESTAMP, id UUID, key UBIGINT, silent BOOLEAN, is_call BOOLEAN)"""
_LAYOUTS = """CREATE OR REPLACE TEMP TABLE foreign_rest AS
    SELECT number, line, CASE WHEN keys IS NOT NULL THEN hash(keys) END AS layout FROM (
    SELECT number, line, TRY(json_keys(line)) AS keys FROM foreign_rest)"""
_TABLES = ("held", "told", "spans", "rates", "tags", "hours", "keys", "skipped", "rest")


@dataclass(frozen=True, slots=True)
class Laid:
    """What came of a block: the rows that are laid out, and those that are left, by their place in it."""

    count: int
    left: tuple[tuple[int, str], ...]  # places and lines
    skipped: int  # rows that are no calls
    shape: str | None  # of the first row that is laid out or skipped
    first: int  # its place
    times: Mapping[
        int, tuple[int, datetime]
    ]  # for each that is left, the one laid out before it and its time
    last: tuple[int, datetime] | None  # the last one laid out


@lru_cache(maxsize=4096)  # a file says the same again and again
def _without_keys(said: str) -> str:
    return without_keys(redact(said))


class Block:
    """Lays out lines in an engine, whose own faults are the caller's to take."""

    def __init__(self, bench: Workbench, book: Book, maker: Maker) -> None:
        self._bench = bench
        self._book = book
        self._maker = maker
        self._told: list[str] = []  # the columns and units of ``foreign_told``
        self._units: list[str] = []
        self._has_rest = False  # whether rows were read otherwise than by their form
        self._amounts: dict[str, charged.Amount] = {}  # by unit, of those that are charged
        self._rated = 0  # calls of kinds that have a rate
        self._fees = False  # whether some calls cost more than what they use

    def lay_out(self, lines: Path, expected: int, origin: Origin) -> Laid:
        """Bring lines into ``foreign_batch``; rows that cannot be read in bulk are left.

        Raises:
            ValueError: the engine does not see the lines that there are, a row goes over several of them, or
                they are too many kinds.
        """
        self._clear()
        self._bench.run("CREATE OR REPLACE TEMP TABLE foreign_skipped (number BIGINT)")
        self._bench.run(_TOLD)
        if origin.heading is None:
            see(self._bench, lines)
            shapes = self._tell(samples(lines, expected), expected, origin)
        else:
            hold(self._bench, lines, expected)
            if self._one(_OPEN.format(d=origin.heading.delimiter)):
                raise ValueError("a row goes over several lines")
            shapes = self._tell((), expected, origin)
        self._price()
        self._lay()
        laid = self._laid(expected, shapes)
        self._bench.run("DROP TABLE IF EXISTS temp.foreign_held")  # whose room is wanted
        return laid

    def _clear(self) -> None:
        """Give the room of a block back."""
        for name in (BATCH, "foreign_lines"):
            self._bench.run(f"DROP VIEW IF EXISTS temp.{name}")
        for name in _TABLES:
            self._bench.run(f"DROP TABLE IF EXISTS temp.foreign_{name}")

    def _one(self, text: str) -> Any:
        return self._bench.all(text)[0][0]

    def _tell(self, some: Iterable[str], expected: int, origin: Origin) -> dict[int, str]:
        """Read the rows of each form, and each frequent layout of the others; give their shapes."""
        every: list[Layout] = []
        if origin.heading is None:
            every += formed(self._bench, some, origin, self._maker)
            self._widen(every)
            self._has_rest = self._tell_formed(every, expected)
        if self._has_rest or origin.heading is not None:
            layouts = list(layouts_of(self._bench, origin, self._maker))
            self._widen(layouts)
            for each in layouts:
                self._insert(each)
            every += layouts
        if any(layout.told.is_call not in {"TRUE", "FALSE"} for layout in every):
            self._bench.run("INSERT INTO foreign_skipped SELECT number FROM foreign_told WHERE NOT is_call")
            self._bench.run("DELETE FROM foreign_told WHERE NOT is_call")
        self._take_keys_out()
        return {layout.number: layout.shape for layout in every}

    def _tell_formed(self, layouts: Iterable[Layout], expected: int) -> bool:
        """Read the rows of each form; give whether some have none, which ``foreign_rest`` then holds."""
        source, left = "foreign_lines", expected
        for each in layouts:
            each.cells.is_next = source == "foreign_rest"
            self._insert(each)
            left = expected - done(self._bench)
            if not left:
                return False
            set_aside(self._bench, source, left)
            source = "foreign_rest"
        if source == "foreign_lines":
            set_aside(self._bench, source, left)
        self._bench.run(_LAYOUTS)
        return True

    def _take_keys_out(self) -> None:
        """Bring the texts of errors to what is kept of them, each once."""
        if "error" not in self._told:
            return
        found = self._bench.all("SELECT DISTINCT error FROM foreign_told WHERE error IS NOT NULL")
        kept = {said: _without_keys(said) for (said,) in found}
        other = {said: text for said, text in kept.items() if text != said}
        if other:
            self._bench.run(
                """UPDATE foreign_told SET error = made.kept FROM (
                SELECT unnest(CAST(? AS VARCHAR[])) AS said, unnest(CAST(? AS VARCHAR[])) AS kept) AS made
                WHERE made.said = foreign_told.error""",
                [list(other), list(other.values())],
            )

    def _widen(self, layouts: Sequence[Layout]) -> None:
        """Make room for what layouts tell, beside what is there."""
        used = {name for layout in layouts for name in (*layout.columns(), *layout.units())}
        more = (used | {"provider", "model"}) - {*self._told, *self._units}
        for name in more:
            column = f"{name}_ BIGINT DEFAULT 0" if name in UNITS else f'"{name}" {COLUMNS[name]}'
            self._bench.run(f"ALTER TABLE foreign_told ADD COLUMN {column}")
        self._told = [name for name in COLUMNS if name in {*self._told, *more}]
        self._units = [unit for unit in UNITS if unit in {*self._units, *more}]

    def _insert(self, layout: Layout) -> None:
        parameters = [layout.number] if layout.cells.form is None else []
        for is_valid in (True, False):  # to try each line takes a third longer
            layout.cells.is_valid = is_valid
            text = select(layout, self._told, self._units)
            target = "foreign_skipped" if layout.told.is_call == "FALSE" else TOLD
            with nullcontext() if not is_valid else suppress(LedgerError):
                self._bench.run(f"INSERT INTO {target} BY NAME {text}", parameters)
                return

    def _price(self) -> None:
        """Find the kinds of calls that are charged alike, and how each is charged."""
        spans = list(self._spans())
        self._bench.run(
            """CREATE OR REPLACE TEMP TABLE foreign_spans (span BIGINT, provider VARCHAR, model VARCHAR,
            since TIMESTAMP, until TIMESTAMP, least BIGINT, beyond BIGINT)"""
        )
        for at, each in enumerate(spans):
            moments = (each.since.replace(tzinfo=None), each.until.replace(tzinfo=None))
            self._bench.run(
                "INSERT INTO foreign_spans VALUES (?, ?, ?, ?, ?, ?, ?)",
                [at, *each.named, *moments, each.least, each.beyond],
            )
        self._rate(spans)

    def _spans(self) -> Iterator[Span]:
        found = self._bench.all(
            "SELECT provider, model, min(moment), max(moment) FROM foreign_told GROUP BY ALL"
        )
        if len(found) > _NAMES:
            raise ValueError("too many names of models")
        for provider, model, first, last in found:
            recorded = self._maker.provider_of(provider, model)
            period = (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
            yield from spans_of(self._book, (provider, model), recorded, period)

    def _rate(self, spans: Sequence[Span]) -> None:
        """Charge one call of each kind, and keep by what the others are multiplied."""
        units = ", ".join(f"told.{unit}_" if unit in self._units else "0" for unit in UNITS)
        found = self._bench.all(
            f"""SELECT span.span, {charged.kind(self._units)} AS kind, min(told.number) AS first,
            arg_min(told.moment, told.number), arg_min([{units}], told.number), count(*)
            FROM foreign_told AS told JOIN foreign_spans AS span ON {self._matches()}
            GROUP BY span.span, kind ORDER BY first"""  # noqa: S608  # our own names
        )
        rates: list[dict[str, Any]] = []
        self._rated = 0
        for span, kind, _, at, quantities, count in found:
            moment = at.replace(tzinfo=UTC)
            rate = rate_of(self._book, spans[span], moment, quantities, silent=kind < 0)
            if rate is not None:
                rates.append({"span": span, "kind": kind, "recorded": spans[span].provider, **rate})
                self._rated += count
        self._fees = any(rate["fee"] is not None for rate in rates)
        each = {unit: [rate[f"{unit}_each"] for rate in rates if rate[f"{unit}_each"]] for unit in UNITS}
        self._amounts = dict(self._wide({unit: [*map(Decimal, texts)] for unit, texts in each.items()}))
        columns = {
            "span": "BIGINT",
            "kind": "BIGINT",
            "recorded": "VARCHAR",
            **RATE_COLUMNS,
            **{f"{amount.unit}_each": amount.each for amount in self._amounts.values()},
        }
        listed = ", ".join(f"unnest(CAST(? AS {kind}[])) AS {name}" for name, kind in columns.items())
        lists = [[rate[name] for rate in rates] for name in columns]
        self._bench.run(f"CREATE OR REPLACE TEMP TABLE foreign_rates AS SELECT {listed}", lists)

    def _wide(self, each: Mapping[str, Sequence[Decimal]]) -> Iterator[tuple[str, charged.Amount]]:
        """Say how wide the numbers of each unit are that is charged."""
        most = ", ".join(f"max({unit}_)" for unit in self._units)
        found = self._bench.all(f"SELECT {most} FROM foreign_told")[0] if most else ()  # noqa: S608  # our own names
        for unit, quantity in zip(self._units, found, strict=True):
            if each[unit]:
                yield unit, charged.amount(unit, quantity or 0, each[unit])

    def _matches(self) -> str:
        size = " + ".join(["0", *(f"told.{unit}_" for unit in self._units if unit in charged.SIZE)])
        return f"{_SPAN} AND {size} >= span.least AND {size} < span.beyond"

    def _lay(self) -> None:
        """Make the view of the ledger's columns, and leave what has no rate."""
        joined = f"""temp.foreign_told AS told JOIN temp.foreign_spans AS span ON {self._matches()}
            JOIN temp.foreign_rates AS rates ON rates.span = span.span
            AND rates.kind = {charged.kind(self._units)}"""
        if "tags" in self._told:
            make_tags(self._bench)
            joined += " LEFT JOIN temp.foreign_tags AS tagged ON tagged.said = told.tags"
        written = charged.columns(self._told, self._units, self._amounts)
        priced = charged.worked_out(self._told, self._units, self._amounts, joined, fees=self._fees)
        laid = ", ".join(
            f'CAST({written.get(name, NOTHING)} AS {kind}) AS "{name}"'
            for name, kind in self._bench.columns.items()
        )
        self._bench.run(
            f"""CREATE OR REPLACE TEMP VIEW {BATCH} AS SELECT number, {laid}
            FROM ({priced})"""  # noqa: S608  # our own names
        )
        if self._one(f"SELECT count(*) FROM {TOLD}") > self._rated:  # noqa: S608  # likewise
            self._bench.run(f"DELETE FROM foreign_told WHERE number NOT IN (SELECT number FROM {BATCH})")  # noqa: S608  # likewise

    def _laid(self, expected: int, shapes: Mapping[int, str]) -> Laid:
        count, first, last, at = self._bench.all(
            "SELECT count(*), min(number), max(number), arg_max(moment, number) FROM foreign_told"
        )[0]
        skipped, first_skipped = self._bench.all("SELECT count(*), min(number) FROM foreign_skipped")[0]
        left = () if count + skipped == expected else self._left()
        known = [int(place) for place in (first, first_skipped) if place is not None]
        if not known:
            return Laid(0, left, 0, None, -1, {}, None)
        times = self._times_before(expected) if left and count else {}
        behind = (int(last), at.replace(tzinfo=UTC)) if count else None
        return Laid(count, left, skipped, self._shape(shapes, min(known)), min(known), times, behind)

    def _shape(self, shapes: Mapping[int, str], number: int) -> str:
        """Give the shape of a row that was told."""
        rest = "SELECT layout FROM foreign_rest WHERE number = ?"
        found = self._bench.all(rest, [number]) if self._has_rest else ()
        return shapes[found[0][0]] if found else next(iter(shapes.values()))

    def _left(self) -> tuple[tuple[int, str], ...]:
        found = self._bench.all(f"SELECT number, line FROM foreign_lines WHERE {IS_LEFT} ORDER BY 1")  # noqa: S608  # our own names
        return tuple((int(place), line) for place, line in found)

    def _times_before(self, expected: int) -> dict[int, tuple[int, datetime]]:
        found = self._bench.all(
            f"""SELECT place.number, have.number, have.moment FROM
            (SELECT * FROM range({expected}) AS place(number) WHERE {IS_LEFT}) AS place
            ASOF JOIN (SELECT number, moment FROM foreign_told) AS have ON place.number >= have.number"""  # noqa: S608  # our own number
        )
        return {int(place): (int(number), at.replace(tzinfo=UTC)) for place, number, at in found}
