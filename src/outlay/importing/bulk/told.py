"""What a row says of its call, as columns: the one form in which every shape is handed to pricing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from outlay.core.ids import FREE, VERSION_AND_VARIANT
from outlay.importing.bulk.cells import LONG, Cells
from outlay.importing.bulk.expressions import NOTHING, quoted
from outlay.importing.bulk.selecting import is_strict, texts_of
from outlay.importing.made import UUID7, UUID_LENGTH

UNITS = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
"""The units that foreign rows count in, in the vocabulary's order."""
COLUMNS: Mapping[str, str] = {
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "model_requested": "VARCHAR",
    "operation": "VARCHAR",
    "status": "VARCHAR",
    "error_type": "VARCHAR",
    "error": "VARCHAR",  # as the row tells it; keys are taken out of it before it is kept
    "latency_ms": "DOUBLE",
    "time_to_first_token_ms": "DOUBLE",
    "user": "VARCHAR",
    "session": "VARCHAR",
    "query_type": "VARCHAR",
    "agent": "VARCHAR",
    "action": "VARCHAR",
    "workspace": "VARCHAR",
    "tags": "VARCHAR",  # names and values, as ``tag_text`` puts them together
    "trace_id": "VARCHAR",
    "span_id": "VARCHAR",
    "prompt_length": "BIGINT",
    "quality_score": "DOUBLE",
    "user_rating": "DOUBLE",
    "correct": "BOOLEAN",
    "extra": "VARCHAR",
    "currency": "VARCHAR",
    "cost": "VARCHAR",  # the stated one, as its shortest text
    "rounded": "BOOLEAN",  # whether more was stated than a ledger keeps
}
"""Columns that are read, beside the instant, the units and the id."""

TAG_END, NAME_END, MORE = "\x1f", "\x1e", "\x1d"  # behind each tag and its name, before an object of more
_PARTS = ("cached_tokens", "cache_write_tokens", "reasoning_tokens")


@dataclass(slots=True)
class Told:
    """The expressions of one layout's columns; what is not named is NULL."""

    at: str  # a text; the row's instant
    identity: str = NOTHING  # a text; NULL where the row's content is its identity
    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)  # disjoint, each never NULL
    silent: str = "FALSE"  # whether the row says nothing of its usage
    tags: list[tuple[str, str]] = field(default_factory=list)
    more_tags: str = NOTHING  # a text; an object of them
    is_call: str = "TRUE"  # FALSE: the row is none, and skipped, nothing of it is told; NULL: it is left


def inclusive(cells: Cells, told: Told, counts: Mapping[str, str]) -> None:
    """Make units of inclusive counts, as ``capture.fields.usage_of_counts`` does."""
    given = [text for text in counts.values() if text != NOTHING]
    cached, written, reasoning = (
        "0" if counts[name] == NOTHING else cells.let(f"coalesce({counts[name]}, 0)") for name in _PARTS
    )
    whole = cells.let(f"coalesce({counts['input_tokens']}, {cached} + {written})")
    out = cells.let(f"coalesce({counts['output_tokens']}, {reasoning})")
    told.silent = f"coalesce({', '.join(given)}) IS NULL" if given else "TRUE"
    told.units = {
        "input": f"{whole} - {cached} - {written}",
        "cache_read": cached,
        "cache_write": written,
        "output": f"{out} - {reasoning}",
        "reasoning": reasoning,
    }
    cells.need(f"{cached} + {written} <= {whole} AND {reasoning} <= {out}")


def tag_text(cells: Cells, fixed: Mapping[str, str], told: Told) -> str:
    """Lay a row's tags over those of every row, as one text: there are few of these in a file."""
    entries = {name: quoted(value) for name, value in fixed.items()}
    if any(sign in text for pair in fixed.items() for text in pair for sign in (TAG_END, NAME_END, MORE)):
        cells.need("FALSE")
    for name, value in told.tags:
        if value != NOTHING:
            entries[name] = f"coalesce({value}, {entries[name]})" if name in entries else value
            if cells.positions is None:  # a 0 that is no text is no tag
                cells.need(f"({value} IS NULL OR {value} <> '0')")
            for sign in (TAG_END, NAME_END, MORE):
                cells.need_of_odd(f"({value} IS NULL OR NOT contains({value}, {quoted(sign)}))")
    pairs = ", ".join(f"{quoted(name + NAME_END)} || {value}" for name, value in entries.items())
    text = f"concat_ws({quoted(TAG_END)}, {pairs})" if entries else "''"
    if told.more_tags != NOTHING:
        more = told.more_tags
        cells.need(f"({more} IS NULL OR NOT regexp_matches({more}, {quoted(LONG)}))")
        text = f"concat({text}, CASE WHEN {more} <> '{{}}' THEN {quoted(MORE)} || {more} END)"
    return f"NULLIF({text}, '')" if entries or told.more_tags != NOTHING else NOTHING


def tags_of(text: str) -> dict[str, str]:
    """Read a text that ``tag_text`` has made, with an object of more at its end."""
    said, _, more = text.partition(MORE)
    pairs = (pair.partition(NAME_END) for pair in said.split(TAG_END) if pair)
    tags = {name: value for name, _, value in pairs}
    return tags | {str(name): str(value) for name, value in orjson.loads(more).items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """What holds for all rows of a file."""

    source: str  # the shape's name, a part of every id
    zone: str  # SQL: by how many microseconds a clock time, {text}, is ahead of UTC
    uuid: str  # SQL: the id of a {number}
    heading: str = ""  # of a table, which is a part of its rows' identity
    delimiter: str = ","
    width: int | None = None  # how many cells a table's row must have


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of the same cells, as they are told."""

    number: int
    shape: str
    cells: Cells
    told: Told
    reading: Reading

    def columns(self) -> list[str]:
        """Give the names of what may be told."""
        return [name for name in COLUMNS if self.told.columns.get(name, NOTHING) != NOTHING]

    def units(self) -> list[str]:
        """Give the units that may be counted."""
        return [unit for unit in UNITS if self.told.units.get(unit, "0") != "0"]


def select(layout: Layout, columns: Iterable[str], units: Iterable[str]) -> str:
    """Give the SELECT of a layout's rows that can be read in bulk, as these columns of ``foreign_told``."""
    cells, told, reading = layout.cells, layout.told, layout.reading
    if told.is_call == "FALSE":
        loose = is_strict(cells, reading.width, all_checked=False)
        return f"""SELECT number FROM ({texts_of(cells, reading.delimiter)}) WHERE coalesce({loose}, FALSE)"""  # noqa: S608  # likewise
    clock, is_utc = cells.instant(told.at)
    ahead = reading.zone.format(text=told.at)
    moment = cells.let(f"CASE WHEN {is_utc} THEN {clock} ELSE {clock} - to_microseconds({ahead}) END")
    content = f"{quoted(reading.heading)} || chr(10) || line" if reading.heading else "line"
    named = f"{quoted(reading.source)} || chr(10) || {told.identity}"
    known = f"CASE WHEN {told.identity} IS NULL THEN {content} ELSE {named} END"
    digest = cells.let(f"md5_number({content if told.identity == NOTHING else known})")
    name = reading.uuid.format(number=id_of(digest, moment))
    key = f"greatest(CAST({digest} >> 64 AS UBIGINT), 1)"
    if told.identity != NOTHING:
        own = f"regexp_full_match({told.identity}, {quoted(UUID7)})"
        own = f"strlen({told.identity}) = {UUID_LENGTH} AND {own}"
        name = f"CASE WHEN {own} THEN CAST({told.identity} AS UUID) ELSE {name} END"
        key = f"CASE WHEN {told.identity} IS NULL THEN {key} END"
    told_columns = [
        f'CAST({told.columns.get(each, NOTHING)} AS {COLUMNS[each]}) AS "{each}"' for each in columns
    ]
    counts = [f"CAST({told.units.get(unit, '0')} AS BIGINT) AS {unit}_" for unit in units]
    # Nor is the moment known where clocks change within the hour.
    checks = " AND ".join([f"{moment} IS NOT NULL", *cells.needs()])
    strict = is_strict(cells, reading.width, all_checked=True)
    fine = f"{strict} AND {checks}"
    if told.is_call != "TRUE":
        loose = is_strict(cells, reading.width, all_checked=False)
        fine = f"CASE WHEN {told.is_call} THEN {fine} ELSE {loose} AND NOT {told.is_call} END"
    each = [("number", "number"), (moment, "moment"), (name, "id"), (key, "key"), (told.silent, "silent")]
    named = ", ".join([f"{text} AS {column}" for text, column in (*each, (told.is_call, "is_call"))])
    return f"""SELECT {", ".join([named, *told_columns, *counts])}
        FROM ({texts_of(cells, reading.delimiter)}) WHERE coalesce({fine}, FALSE)"""  # noqa: S608  # our own names, quoted texts


def id_of(digest: str, moment: str) -> str:
    """Make the number of a call's id as ``core.ids`` does."""
    milliseconds = f"(CAST(epoch_us({moment}) // 1000 AS UHUGEINT) << 80)"
    return f"({digest} >> 48) & {FREE}::UHUGEINT | {VERSION_AND_VARIANT}::UHUGEINT | {milliseconds}"
