"""Calls out of the embedded ledger as lines of CSV: DuckDB writes most cells, and what is odd is a Record.

A line is what ``csv`` writes of the call's Record. Of JSON a cell is made here, by the codec that a Record's
is made by; a usage must be written as outlay writes it, and add up to the totals beside it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

import orjson

from outlay.core.codec import TOTALS
from outlay.core.copying import LinesOf
from outlay.core.kinds import KINDS, Kind
from outlay.core.query import CallQuery
from outlay.core.usage import totals_of
from outlay.ledger import pages
from outlay.ledger.answers import Tables
from outlay.ledger.own import tokens_of
from outlay.ledger.usual import totals_in

_TOTALS = len(TOTALS)
_KNOWN = 4096  # cells that many calls share
_PLAIN = "coalesce(CAST({0} AS VARCHAR), '')"
_SPELLED: Final[Mapping[Kind, str]] = {
    "text": """CASE WHEN regexp_matches({0}, '[,"\\n]') THEN '"' || replace({0}, '"', '""') || '"'
        ELSE coalesce({0}, '') END""",
    "instant": "strftime({0}, '%Y-%m-%dT%H:%M:%S.%fZ')",
    "number": _PLAIN,
    "count": _PLAIN,
    "truth": _PLAIN,
    "amount": "coalesce(rtrim(rtrim(CAST({0} AS VARCHAR), '0'), '.'), '')",
}
_OTHERWISE: Final[Mapping[str, str]] = {
    "id": "CAST(id AS VARCHAR)",
    "streamed": "CASE WHEN streamed THEN 'true' ELSE 'false' END",
    "retries": "CAST(coalesce(retries, 0) AS VARCHAR)",
    **{name: f"CAST({name} AS VARCHAR)" for name in TOTALS},
    "total_tokens": "CAST(input_tokens + output_tokens AS VARCHAR)",
}
_OF_JSON: Final[Mapping[str, str]] = {  # whose cells are made here
    "tags": "CASE WHEN cardinality(tags) > 0 THEN CAST(to_json(tags) AS VARCHAR) END",
    "usage": "usage",
    "flags": "CASE WHEN flags IS NOT NULL OR cost_flags IS NOT NULL"
    " THEN concat('[', coalesce(flags, '[]'), ',', coalesce(cost_flags, '[]'), ']') END",
    "extra": "extra",
}


def tabled(
    turn: pages.Turn,
    query: CallQuery,
    columns: Sequence[str],
    lines_of: LinesOf,
) -> Iterator[tuple[int, bytes]]:
    """Give calls by time, newest first, so many at once: how many they are, and their lines."""
    runs = [list(names) for _, names in groupby(columns, lambda name: name if name in _OF_JSON else "")]
    cells = [_CELLS.get(names[0]) for names in runs]
    asked = ", ".join((*TOTALS, *map(_spelled, runs)))

    def write(tables: Tables, calls: list[pages.Row]) -> bytes:
        lines = {name: None if later else _line(cells, *asked) for name, _, later, *asked in calls}
        odd = [name for name, line in lines.items() if line is None]
        whole = pages.as_they_stand(tables, odd) if odd else []
        told = dict(zip((call.id for call in whole), lines_of(whole), strict=True))
        return "".join(line or told[name] for name, line in lines.items()).encode()

    return pages.written(turn, query, asked, write)


def _spelled(names: Sequence[str]) -> str:
    """Write columns beside each other as one text; one of JSON stands alone."""
    if names[0] in _OF_JSON:
        return _OF_JSON[names[0]]
    cells = (_OTHERWISE.get(name) or _SPELLED[KINDS[name]].format(f'"{name}"') for name in names)
    return f"concat_ws(',', {', '.join(cells)})"


def _line(cells: Sequence["_Cell"], *row: Any) -> str | None:
    """Put a line together; None where only its Record tells what stands there."""
    totals = row[:_TOTALS]
    texts: list[Any] = [
        text if cell is None else cell(text, totals) for cell, text in zip(cells, row[_TOTALS:], strict=True)
    ]
    if None in texts:
        return None
    line = ",".join(texts)
    return None if "\r" in line else f"{line}\n"  # quoted by some Pythons' csv alone


_Cell = Callable[[str | None, tuple[int, ...]], str | None] | None
"""Makes a cell of a column's text and the totals, where it is not that text; None: only the Record tells."""


def _tags(text: str | None, _totals: tuple[int, ...]) -> str:
    return "" if text is None else _shared(text)


def _usage(text: str | None, totals: tuple[int, ...]) -> str | None:
    if text is None:
        return None if any(totals) else ""
    counts = orjson.loads(text)
    if totals_in(counts) != totals and _totals_of(counts) != totals:
        return None
    return '"{' + ", ".join([f'""{unit}"": {count}' for unit, count in counts.items()]) + '}"'


def _totals_of(counts: dict[str, Any]) -> tuple[int, ...] | None:
    """Add up the tokens among other counts; None if the usage is not written as outlay writes it."""
    try:
        return totals_of(tokens_of(counts).items())
    except (ValueError, TypeError):
        return None


def _flags(text: str | None, _totals: tuple[int, ...]) -> str:
    return "" if text is None else _sorted(text)


def _extra(text: str | None, _totals: tuple[int, ...]) -> str:
    return "" if text is None else _quoted(orjson.loads(text))


@lru_cache(maxsize=_KNOWN)
def _shared(text: str) -> str:
    return _quoted(orjson.loads(text))


@lru_cache(maxsize=_KNOWN)
def _sorted(text: str) -> str:
    return _quoted(sorted({each for flags in orjson.loads(text) for each in flags}))


def _quoted(value: Any) -> str:
    """Write JSON as a cell, which has quotes in it; what is empty says nothing."""
    if not value:
        return ""
    text = json.dumps(value, ensure_ascii=False).replace('"', '""')
    return f'"{text}"'


_CELLS: Final[Mapping[str, _Cell]] = {"tags": _tags, "usage": _usage, "flags": _flags, "extra": _extra}
