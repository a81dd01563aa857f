"""What a row says of its call, as columns: the one form in which every shape is handed to pricing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from outlay.importing.bulk.cells import NOTHING, Cells, quoted

UNITS = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
"""The units that foreign rows count in, in the vocabulary's order."""
COLUMNS: Mapping[str, str] = {
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "model_requested": "VARCHAR",
    "operation": "VARCHAR",
    "status": "VARCHAR",
    "latency_ms": "DOUBLE",
    "time_to_first_token_ms": "DOUBLE",
    "user": "VARCHAR",
    "session": "VARCHAR",
    "query_type": "VARCHAR",
    "agent": "VARCHAR",
    "action": "VARCHAR",
    "workspace": "VARCHAR",
    "tags": "MAP(VARCHAR, VARCHAR)",
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

# What DuckDB takes for JSON and others do not, and numbers beyond floats and texts beyond texts.
_LENIENT = r",\s*[}\]]|[:\[,]\s*-?(?i:nan|inf)|[:\[,]\s*-?[0-9.]+[eE]\+?[0-9]{3}|\\u0000"


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


def inclusive(cells: Cells, told: Told, counts: Mapping[str, str]) -> None:
    """Make units of inclusive counts, as ``capture.fields.usage_of_counts`` does."""
    given = [text for text in counts.values() if text != NOTHING]
    cached, written, reasoning = (
        cells.let(f"coalesce({counts[name]}, 0)")
        for name in ("cached_tokens", "cache_write_tokens", "reasoning_tokens")
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


def tag_map(cells: Cells, fixed: Mapping[str, str], said: Iterable[tuple[str, str]]) -> str:
    """Lay a row's tags over those of every row."""
    entries = {name: quoted(value) for name, value in fixed.items()}
    for name, value in said:
        kept = f"coalesce({value}, {entries[name]})" if name in entries else value
        entries[name] = kept
    if not entries:
        return NOTHING
    pairs = ", ".join(f"{{'k': {quoted(name)}, 'v': {value}}}" for name, value in entries.items())
    some = cells.let(f"list_filter([{pairs}], lambda each: each.v IS NOT NULL)")
    return f"CASE WHEN len({some}) > 0 THEN map_from_entries({some}) END"


@dataclass(frozen=True, slots=True)
class Reading:
    """What holds for all rows of a file."""

    source: str  # the shape's name, a part of every id
    zone: str  # SQL: by how many microseconds a clock time, {text}, is ahead of UTC
    heading: str = ""  # of a table, which is a part of its rows' identity
    delimiter: str = ","
    width: int | None = None  # how many cells a table's row must have


def select(cells: Cells, told: Told, reading: Reading) -> str:
    """Give the SELECT of a layout's rows that can be read in bulk, as the columns of ``foreign_told``."""
    clock, is_utc = cells.instant(told.at)
    checks = [f"{clock} IS NOT NULL", *cells.checks]
    if reading.width is None:
        checks.append("starts_with(line, '{') AND ends_with(line, '}')")
        checks.append(f"NOT regexp_matches(line, {quoted(_LENIENT)})")
    else:
        checks.append(f"width = {reading.width} AND NOT contains(line, '\"')")
    ahead = reading.zone.format(text=told.at)
    moment = f"CASE WHEN {is_utc} THEN {clock} ELSE {clock} - to_microseconds({ahead}) END"
    content = f"{quoted(reading.heading)} || chr(10) || line" if reading.heading else "line"
    named = f"{quoted(reading.source)} || chr(10) || {told.identity}"
    known = f"CASE WHEN {told.identity} IS NULL THEN {content} ELSE {named} END"
    digest = f"sha256({content if told.identity == NOTHING else known})"
    columns = [
        f'CAST({told.columns.get(name, NOTHING)} AS {kind}) AS "{name}"' for name, kind in COLUMNS.items()
    ]
    units = [f"CAST({told.units.get(unit, '0')} AS BIGINT) AS {unit}_" for unit in UNITS]
    return f"""SELECT number, {moment} AS moment, coalesce({" AND ".join(checks)}, FALSE) AS fine,
        {digest} AS digest, {told.identity} IS NULL AS nameless, CAST({told.identity} AS VARCHAR) AS identity,
        {told.silent} AS silent, {", ".join([*columns, *units])}
        FROM ({cells.select(reading.delimiter)})"""  # noqa: S608  # our own names, quoted texts
