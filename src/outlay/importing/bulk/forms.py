"""The form in which a file's writer puts down its rows: what stands around the values of one set of keys.

A line that is its values put into that form was read without any loss: it has these keys in this order and
each once, no escapes in its texts, and its numerals as the engine writes them. It needs no closer look.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from outlay.importing.bulk.expressions import quoted

# Numerals that not everybody reads, among others that stand with a space between them.
STRANGE = r"[nN][aA][nN]|[iI][nN][fF]|[eE][+]?[0-9]{3}"
_TEXT, _TEXT_OR_NULL, _NULL, _NESTED, _SCALAR = "text", "text or null", "null", "nested", "scalar"
_KINDS: Mapping[frozenset[str], str] = {
    frozenset({_TEXT}): _TEXT,
    frozenset({_TEXT, _NULL}): _TEXT_OR_NULL,
    frozenset({_NULL}): _NULL,
    frozenset({_NESTED}): _NESTED,
    frozenset({_NESTED, _NULL}): _NESTED,
    frozenset({_SCALAR}): _SCALAR,
    frozenset({_SCALAR, _NULL}): _SCALAR,
}
Pairs = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Form:
    """What stands around the values of rows that have these keys in this order."""

    kinds: Mapping[str, str]  # by key
    colon: str
    comma: str
    sample: str  # a line

    def is_text(self, key: str) -> bool:
        """Whether a value is a text, or missing."""
        return self.kinds[key] in {_TEXT, _TEXT_OR_NULL, _NULL}

    def nested(self, raws: Mapping[str, str]) -> list[str]:
        """Give the names of the values that are lists or objects."""
        return [raw for key, raw in raws.items() if self.kinds[key] == _NESTED]

    def scalars(self, raws: Mapping[str, str]) -> list[str]:
        """Give the names of the values that are numbers or truths."""
        return [raw for key, raw in raws.items() if self.kinds[key] == _SCALAR]

    def json(self, key: str, raw: str) -> str:
        """Give a value as JSON, NULL where it is missing."""
        return f"'\"' || {raw} || '\"'" if self.is_text(key) else raw

    def filled(self, raws: Mapping[str, str]) -> str:
        """Put values, as the engine reads them, into the form."""
        parts: list[str] = []
        literal = "{"
        for at, (key, raw) in enumerate(raws.items()):
            literal += f'{self.comma if at else ""}"{key}"{self.colon}'
            kind = self.kinds[key]
            if kind == _TEXT:
                parts += [quoted(f'{literal}"'), raw]
                literal = '"'
            elif kind == _NULL:
                literal += "null"
            else:
                parts += [quoted(literal), f"coalesce({self._value(kind, raw)}, 'null')"]
                literal = ""
        return f"concat({', '.join([*parts, quoted(literal + '}')])})"

    def _value(self, kind: str, raw: str) -> str:
        if kind == _TEXT_OR_NULL:
            return f"'\"' || {raw} || '\"'"
        if kind == _NESTED:
            for sign, written in ((",", self.comma), (":", self.colon)):
                raw = raw if written == sign else f"replace({raw}, '{sign}', '{written}')"
        return raw


def form_of(lines: Iterable[str]) -> Form | None:
    """Give the form that most of some lines have; None where they have no common one."""
    rows = [(line, pairs) for line in lines if (pairs := pairs_of(line))]
    if not rows:
        return None
    keys = Counter(tuple(key for key, _ in pairs) for _, pairs in rows).most_common(1)[0][0]
    alike = [(line, pairs) for line, pairs in rows if tuple(key for key, _ in pairs) == keys]
    if len(set(keys)) < len(keys):
        return None
    kinds = {
        key: _KINDS.get(frozenset(_kind(pairs[at][1]) for _, pairs in alike)) for at, key in enumerate(keys)
    }
    known = {key: kind for key, kind in kinds.items() if kind is not None}
    if len(known) < len(kinds):
        return None
    sample = alike[0][0]
    comma = ", " if ', "' in sample else ","
    colon = ": " if f'"{keys[0]}": ' in sample else ":"
    return Form(known, colon, comma, sample)


def pairs_of(line: str) -> Pairs:
    """Give the keys of a row, as often as they stand in it, with their values; none where it is no object."""
    try:
        found = json.loads(line, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return ()
    return found if isinstance(found, tuple) else ()


def _kind(value: object) -> str:
    if value is None:
        return _NULL
    if isinstance(value, str):
        return _TEXT
    return _NESTED if isinstance(value, list | tuple) else _SCALAR
