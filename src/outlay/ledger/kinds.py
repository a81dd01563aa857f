"""Whether the columns of a batch hold what entries have: DuckDB casts much, and JSON may say anything.

What is not plainly of its kind by a pattern is read as a Record would be; if that fails the batch is read
line by line, which says what is wrong with which. Without it one such line would be kept, and every question
that makes Records of calls would fail.
"""

from collections.abc import Callable, Container, Mapping
from typing import Any

import orjson

from outlay.core.codec import line_from_json, price_from_json, usage_from_json
from outlay.core.documents import sound
from outlay.core.errors import OutlayError
from outlay.core.kinds import KINDS, fields_of
from outlay.core.money import LIMIT
from outlay.ledger.engine import Engine

_TEXTS = fields_of("text", but=("id", "score", "revision", "error", "prompt", "reply"))
"""Not ids, which have columns of their own kind, nor words of others, which may well be JSON."""
_MEASURES = fields_of("number")
_TEXT, _AMOUNT = r'"(?:[^"\\]|\\.)*"', r'"-?[0-9]{1,20}(?:\.[0-9]{1,20})?"'
_LINE = (
    rf'\{{"unit":{_TEXT},"quantity":[0-9]{{1,15}},"rate":{_AMOUNT},"per":1(?:0|000|000000)?,"amount":{_AMOUNT}'
    rf'(?:,"note":{_TEXT})?(?:,"model":{_TEXT})?\}}'
)
_USAGE = r'\{(?:"(?:input|output|cache_read|cache_write|reasoning)":[0-9]{1,12},?)+\}'
_OBJECT = "starts_with({0}, '{{') AND (strlen({0}) < 480 OR (strlen({0}) < 1000 AND NOT contains({0}, '[')))"
_PLAINLY = {  # JSON of columns that differ from call to call; that of the others is read once each
    "usage": rf"regexp_full_match(usage, '{_USAGE}')",
    "lines": rf"regexp_full_match(lines, '\[(?:{_LINE},?)+\]')",
    "raw": _OBJECT.format("raw"),  # an object, and too short to be nested too deeply to be written again
    "extra": _OBJECT.format("extra"),
}
_JSON = fields_of("object", "list", "nested", "labels", but=("tags",))  # which is a map


_NO_INSTANT = """"at" = TIMESTAMP 'epoch' OR NOT "at" BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'"""
"""DuckDB takes words such as epoch and infinity for instants."""
_NO_LABELS = "list_count(map_values(tags)) < cardinality(tags)"  # a null is no text
_WRITTEN = {  # how JSON writes them; what is written otherwise, as a text say, DuckDB would cast or round
    "number": "CAST({0} AS VARCHAR) BETWEEN '-' AND ':'",  # begins with a digit or sign
    "count": "regexp_full_match({0}, '-?[0-9]{{1,18}}')",
    "truth": "CAST({0} AS VARCHAR) IN ('true', 'false')",
    "amount": "{0} BETWEEN '-' AND ':' AND NOT contains({0}, '_')",  # text, as we write it, or a number
}
_STRICT = fields_of("number", "count", "truth", "amount")
_AMOUNTS = fields_of("amount")


def reading(columns: Mapping[str, str]) -> str:
    """Write the question that reads files of lines, whose names are its parameter, in these columns.

    DuckDB refuses it where a number, count, truth or amount is none.
    """
    types = {**columns, "at": "TIMESTAMPTZ"}  # a zone other than Z is honoured
    types |= {name: "VARCHAR" if KINDS[name] == "amount" else "JSON" for name in _STRICT}  # as it is written
    spec = ", ".join(f"\"{name}\": '{kind}'" for name, kind in types.items())
    read = ", ".join(f'{_strictly(name, columns[name])} AS "{name}"' for name in _STRICT)
    return f"""SELECT * REPLACE (CAST("at" AS TIMESTAMP) AS "at", {read})
        FROM read_json(?, format = 'newline_delimited', columns = {{{spec}}})"""  # noqa: S608  # our own names


def _strictly(name: str, kind: str) -> str:
    written = _WRITTEN[KINDS[name]].format(name)
    return f"""CASE WHEN {name} IS NULL OR {written} THEN CAST(CAST({name} AS VARCHAR) AS {kind})
        ELSE error('{name} is of another kind') END"""


def are_kinds(engine: Engine, entries: str, names: Container[str]) -> bool:
    """Whether Records can be made of these entries, a table or question that has these columns."""
    odd = _has_odd_values(engine, entries, names)
    return not odd and all(_is_read(*each) for each in _unsure(engine, entries))


def _has_odd_values(engine: Engine, entries: str, names: Container[str]) -> bool:
    """Whether a text was an object or a list, or a number or an instant is none that can be reckoned with."""
    texts = (
        f"""("{name}" >= '[' AND "{name}" < '\\') OR ("{name}" >= '{{' AND "{name}" < '|')"""
        for name in _TEXTS
        if name in names
    )
    numbers = (f'NOT isfinite("{name}")' for name in _MEASURES)
    amounts = (f'abs("{name}") > {LIMIT}' for name in _AMOUNTS)
    condition = " OR ".join((*texts, *numbers, *amounts, _NO_INSTANT, _NO_LABELS))
    return bool(engine.all(f"SELECT 1 FROM {entries} WHERE {condition} LIMIT 1"))  # noqa: S608  # our own names


def _unsure(engine: Engine, entries: str) -> list[tuple[str, str]]:
    """Give the column and JSON of what is to be read, each once."""
    asked = (
        f"SELECT DISTINCT '{name}', CAST({name} AS VARCHAR) FROM {entries} WHERE {name} IS NOT NULL"  # noqa: S608  # likewise
        + (f" AND NOT ({_PLAINLY[name]})" if name in _PLAINLY else "")
        for name in _JSON
    )
    return engine.all(" UNION ALL ".join(asked))


def _is_read(name: str, text: str) -> bool:
    try:
        value = orjson.loads(text)
        data = sound({name: value})
        _READ.get(name, usage_from_json)(data)
    except (OutlayError, KeyError, TypeError, AttributeError, ValueError):
        return False
    return bool(data.get(name) == value)


def _lines(data: Mapping[str, Any]) -> None:
    for line in data["lines"]:
        line_from_json(line)


def _price(data: Mapping[str, Any]) -> None:
    price_from_json(data["price"])


_READ: dict[str, Callable[[Mapping[str, Any]], object]] = {"lines": _lines, "price": _price}
