"""The form in which a file's writer puts down its rows: what stands around the values of one set of keys.

A line that is its values put into that form was read without any loss: it has these keys in this order and
each once, no escapes in its texts, and its numerals as the engine writes them. It needs no closer look. An
object in a row that always has the same keys is a part of the form, and each of its values one of the line.
So is a value that is always the same: it is not even read. Lines that have another are of a further form.
"""

import json
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple, TypeAlias

from outlay.importing.bulk.expressions import quoted

# Numerals that not everybody reads, among others that stand with a space between them.
STRANGE = r"[nN][aA][nN]|[iI][nN][fF]|[eE][+]?[0-9]{3}"
TEXT, TEXT_OR_NULL, NULL, NESTED = "text", "text or null", "null", "nested"
SCALAR, REAL = "scalar", "real"  # numbers and truths; some of which are no integers
_KINDS: Mapping[frozenset[str], str] = {
    frozenset({TEXT}): TEXT,
    frozenset({TEXT, NULL}): TEXT_OR_NULL,
    frozenset({NULL}): NULL,
    frozenset({NESTED}): NESTED,
    frozenset({NESTED, NULL}): NESTED,
    frozenset({SCALAR}): SCALAR,
    frozenset({SCALAR, NULL}): SCALAR,
    **{frozenset({REAL, *others}): REAL for others in ((), (NULL,), (SCALAR,), (SCALAR, NULL))},
}
_KIND_OF = {NoneType: NULL, str: TEXT, float: REAL, list: NESTED, tuple: NESTED}
_FORMS = 5  # each of which is a look at the lines that no other has
_SHAPES = 3  # of one set of keys
_SURE = 90  # lines by which it is known that a value is always the same
_RARE = 300  # what fewer than one in so many lines have is no form
_MOST = 40  # keys of an object, beyond which it is read as a whole
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_TEXT = re.compile(r"[ !#-\[\]-~]*")  # that stands in JSON as it is
_LARGE = 10**15  # what the engine may write otherwise
Pairs = tuple[tuple[str, Any], ...]
Row = tuple[str, Pairs]  # a line, and what it is read as
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
    same: Mapping[Path, str] = field(default_factory=dict)  # values, as the engine reads them, of all rows

    def leaves(self, whole: Collection[str]) -> dict[Path, str]:
        """Give what each value is, in order; objects of the ``whole`` keys of the row are one value each."""
        return dict(_leaves({key: NESTED if key in whole else node for key, node in self.tree.items()}))

    def filled(self, raws: Mapping[Path, str]) -> str:
        """Put values, as the engine reads them, into the form; those that are the same are there."""
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
            else:
                yield Part("null" if node == NULL else self._fixed(node, self.same[path]))
        yield Part("}")

    def _fixed(self, kind: str, text: str) -> str:
        if kind == TEXT:
            return f'"{text}"'
        return text.replace(",", self.comma).replace(":", self.colon) if kind == NESTED else text

    def _value(self, kind: str, raw: str) -> Iterator[Part]:
        if kind == TEXT:
            yield from (Part('"'), Part(raw, is_fixed=False), Part('"'))
        else:
            yield Part(f"coalesce({self._written(kind, raw)}, 'null')", is_fixed=False)

    def _written(self, kind: str, raw: str) -> str:
        if kind == TEXT_OR_NULL:
            return f"'\"' || {raw} || '\"'"
        if kind == NESTED:
            for sign, written in ((",", self.comma), (":", self.colon)):
                raw = raw if written == sign else f"replace({raw}, '{sign}', '{written}')"
            return raw
        if (
            kind == REAL
        ):  # less than a ten-thousandth stands plainly, as the engine writes it, or as Python does
            return f"""CASE WHEN starts_with({raw}, '0.0000') AND contains(line, 'e-0')
                THEN CAST(CAST({raw} AS DOUBLE) AS VARCHAR) ELSE {raw} END"""
        return raw


def _leaves(tree: Mapping[str, Node], before: Path = ()) -> Iterator[tuple[Path, str]]:
    for key, node in tree.items():
        if isinstance(node, str):
            yield (*before, key), node
        else:
            yield from _leaves(node, (*before, key))


def forms_of(lines: Iterable[str]) -> list[Form]:
    """Give the forms that many of some lines have, the most frequent first."""
    rows = [(line, pairs) for line in lines if (pairs := pairs_of(line))]
    few = len(rows) // _RARE
    mixed, alike = _split(_grouped(rows, _keys))
    groups = [(group, True) for group in sorted(alike, key=len, reverse=True)]
    groups += [(group, False) for group in mixed]
    found = [
        (form, dict(_same([pairs for _, pairs in group], form.tree)) if is_alike else {}, is_alike)
        for group, is_alike in groups
        if len(group) > few and (form := _form(group)) is not None
    ][:_FORMS]
    # What a form misses that knows much is told last: most of it is of another one.
    narrow = [replace(form, same=same) for form, same, _ in found if same]
    return [
        *narrow,
        *(form for form, same, _ in sorted(found, key=lambda each: bool(each[1]) or not each[2])),
    ]


def _same(
    objects: Sequence[Pairs], tree: Mapping[str, Node], before: Path = ()
) -> Iterator[tuple[Path, str]]:
    """Give the values that are the same in many objects of these keys."""
    if len(objects) < _SURE:
        return
    for at, (key, node) in enumerate(tree.items()):
        values = [pairs[at][1] for pairs in objects]
        if not isinstance(node, str):
            yield from _same(values, node, (*before, key))
        elif node != NULL and all(value == values[0] for value in values):
            text = _text_of(values[0])
            if text is not None:
                yield (*before, key), text


def _text_of(value: object) -> str | None:
    """Give a value as the engine reads it; None where that is not plain to see."""
    if isinstance(value, str):
        return value if _PLAIN_TEXT.fullmatch(value) else None
    if isinstance(value, list):
        each = [f'"{text}"' for text in value if isinstance(text, str) and _PLAIN_TEXT.fullmatch(text)]
        return f"[{','.join(each)}]" if len(each) == len(value) else None
    return str(value).lower() if isinstance(value, int) and abs(value) < _LARGE else None


def _grouped(rows: Sequence[Row], by: Callable[[Pairs], Hashable]) -> list[list[Row]]:
    """Put together the rows that have something in common, most of them first."""
    found: dict[Hashable, list[Row]] = {}
    for row in rows:
        found.setdefault(by(row[1]), []).append(row)
    return sorted(found.values(), key=len, reverse=True)


def _split(groups: Iterable[list[Row]]) -> tuple[list[list[Row]], list[list[Row]]]:
    """Tell rows of the same keys apart by the keys within, where most have the same; give both ways."""
    mixed, found = [], []
    for rows in groups:
        alike = _grouped(rows, _shape)
        if len(rows) // 2 < len(alike[0]) < len(rows):
            mixed.append(rows)
            found += alike[:_SHAPES]
        else:
            found.append(rows)
    return mixed, found


def _form(rows: Sequence[Row]) -> Form | None:
    """Give the form of rows of the same keys; None where they have no common one."""
    tree = _tree([pairs for _, pairs in rows])
    if tree is None:
        return None
    sample, pairs = rows[0]
    comma = ", " if ', "' in sample else ","
    colon = ": " if f'"{pairs[0][0]}": ' in sample else ":"
    return Form(tree, colon, comma, sample)


def pairs_of(line: str) -> Pairs:
    """Give the keys of a row, as often as they stand in it, with their values; none where it is no object."""
    try:
        found = json.loads(line, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return ()
    return found if isinstance(found, tuple) else ()


def _keys(pairs: Pairs) -> Path:
    return tuple(map(itemgetter(0), pairs))


def _shape(value: Pairs) -> Hashable:
    """Give the keys of an object, and those of objects within."""
    within = tuple((key, _shape(each)) for key, each in value if isinstance(each, tuple))
    return _keys(value), within


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
    return _KINDS.get(frozenset(map(_kind, set(map(type, values)))))


def _are_plain(keys: Path) -> bool:
    return len(keys) <= _MOST and all(map(_PLAIN_KEY.fullmatch, keys))


def _kind(kind: type) -> str:
    return _KIND_OF.get(kind, SCALAR)
