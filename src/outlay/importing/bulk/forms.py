"""The form in which a file's writer puts down its rows: what stands around the values of one set of keys.

A line that is its values put into that form was read without any loss: it has these keys in this order and
each once, no escapes in its texts, and its numerals as the engine writes them. It needs no closer look. An
object in a row that always has the same keys is a part of the form, and each of its values one of the line.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from outlay.importing.bulk.expressions import quoted

# Numerals that not everybody reads, among others that stand with a space between them.
STRANGE = r"[nN][aA][nN]|[iI][nN][fF]|[eE][+]?[0-9]{3}"
TEXT, TEXT_OR_NULL, NULL, NESTED, SCALAR = "text", "text or null", "null", "nested", "scalar"
_KINDS: Mapping[frozenset[str], str] = {
    frozenset({TEXT}): TEXT,
    frozenset({TEXT, NULL}): TEXT_OR_NULL,
    frozenset({NULL}): NULL,
    frozenset({NESTED}): NESTED,
    frozenset({NESTED, NULL}): NESTED,
    frozenset({SCALAR}): SCALAR,
    frozenset({SCALAR, NULL}): SCALAR,
}
_MOST = 40  # keys of an object, beyond which it is read as a whole
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
Pairs = tuple[tuple[str, Any], ...]
Path = tuple[str, ...]  # of keys, from the row's own on
Node: TypeAlias = str | Mapping[str, "Node"]  # what a value is, or what an object's are


class Part(NamedTuple):
    """A part of a line: what always stands there, or the SQL of what does."""

    text: str
    is_fixed: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """What stands around the values of rows that have these keys in this order."""

    tree: Mapping[str, Node]
    colon: str
    comma: str
    sample: str  # a line

    def leaves(self, whole: Collection[str]) -> dict[Path, str]:
        """Give what each value is, in order; objects of the ``whole`` keys of the row are one value each."""
        return dict(_leaves({key: NESTED if key in whole else node for key, node in self.tree.items()}))

    def filled(self, raws: Mapping[Path, str]) -> str:
        """Put values, as the engine reads them, into the form."""
        parts: list[str] = []
        literal = ""
        for part in self._parts(self.tree, raws):
            if part.is_fixed:
                literal += part.text
                continue
            parts += [quoted(literal), part.text]
            literal = ""
        return f"concat({', '.join([*parts, quoted(literal)])})"

    def _parts(self, tree: Mapping[str, Node], raws: Mapping[Path, str], before: Path = ()) -> Iterator[Part]:
        for at, (key, node) in enumerate(tree.items()):
            path = (*before, key)
            yield Part(f'{self.comma if at else "{"}"{key}"{self.colon}')
            if path in raws:
                yield from self._value(node if isinstance(node, str) else NESTED, raws[path])
            elif not isinstance(node, str):
                yield from self._parts(node, raws, path)
        yield Part("}")

    def _value(self, kind: str, raw: str) -> Iterator[Part]:
        if kind == TEXT:
            yield from (Part('"'), Part(raw, is_fixed=False), Part('"'))
        elif kind == NULL:
            yield Part("null")
        else:
            yield Part(f"coalesce({self._written(kind, raw)}, 'null')", is_fixed=False)

    def _written(self, kind: str, raw: str) -> str:
        if kind == TEXT_OR_NULL:
            return f"'\"' || {raw} || '\"'"
        if kind == NESTED:
            for sign, written in ((",", self.comma), (":", self.colon)):
                raw = raw if written == sign else f"replace({raw}, '{sign}', '{written}')"
        return raw


def _leaves(tree: Mapping[str, Node], before: Path = ()) -> Iterator[tuple[Path, str]]:
    for key, node in tree.items():
        if isinstance(node, str):
            yield (*before, key), node
        else:
            yield from _leaves(node, (*before, key))


def form_of(lines: Iterable[str]) -> Form | None:
    """Give the form that most of some lines have; None where they have no common one."""
    rows = [(line, pairs) for line in lines if (pairs := pairs_of(line))]
    if not rows:
        return None
    keys = Counter(_keys(pairs) for _, pairs in rows).most_common(1)[0][0]
    alike = [(line, pairs) for line, pairs in rows if _keys(pairs) == keys]
    tree = _tree([pairs for _, pairs in alike])
    if tree is None:
        return None
    sample = alike[0][0]
    comma = ", " if ', "' in sample else ","
    colon = ": " if f'"{keys[0]}": ' in sample else ":"
    return Form(tree, colon, comma, sample)


def pairs_of(line: str) -> Pairs:
    """Give the keys of a row, as often as they stand in it, with their values; none where it is no object."""
    try:
        found = json.loads(line, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return ()
    return found if isinstance(found, tuple) else ()


def _keys(pairs: Pairs) -> Path:
    return tuple(key for key, _ in pairs)


def _tree(objects: Sequence[Pairs]) -> Mapping[str, Node] | None:
    """Say what stands under each key of objects that have the same; None where that cannot be said."""
    keys = _keys(objects[0])
    if len(set(keys)) < len(keys):
        return None
    found = {key: _node([pairs[at][1] for pairs in objects]) for at, key in enumerate(keys)}
    known = {key: node for key, node in found.items() if node is not None}
    return known if len(known) == len(found) else None


def _node(values: Sequence[Any]) -> Node | None:
    """Say what values are; the keys of objects where all have the same."""
    if all(isinstance(value, tuple) and value for value in values):
        keys = {_keys(value) for value in values}
        if len(keys) == 1 and _are_plain(keys.pop()) and (tree := _tree(values)) is not None:
            return tree
    return _KINDS.get(frozenset(map(_kind, values)))


def _are_plain(keys: Path) -> bool:
    return len(keys) <= _MOST and all(map(_PLAIN_KEY.fullmatch, keys))


def _kind(value: object) -> str:
    if value is None:
        return NULL
    if isinstance(value, str):
        return TEXT
    return NESTED if isinstance(value, list | tuple) else SCALAR
