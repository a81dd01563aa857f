"""The values of lines that may have a form, as SQL: under which names, and whether a line is of that form."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from outlay.importing.bulk.expressions import quoted
from outlay.importing.bulk.forms import (
    NESTED,
    NULL,
    REAL,
    SCALAR,
    STRANGE,
    TEXT,
    TEXT_OR_NULL,
    Form,
    Node,
    Path,
)


@dataclass(slots=True)
class Written:
    """The values of one form; objects are read key by key, unless they are asked for as a whole."""

    form: Form
    _whole: set[str] = field(default_factory=set)  # keys of the row
    _names: dict[Path, str] = field(default_factory=dict)

    def tree(self, key: str) -> Mapping[str, Node] | None:
        """Give what an object of the row is made of; None where that is not the same in all rows."""
        node = self.form.tree[key]
        return None if isinstance(node, str) or key in self._whole else node

    def has_texts(self, key: str) -> bool:
        """Whether there is an object of the same keys in all rows, with nothing but texts under them."""
        tree = self.tree(key)
        return tree is not None and all(node == TEXT for node in tree.values())

    def has_keys(self, key: str, inner: Collection[str]) -> bool:
        """Whether an object, and those of ``inner`` keys anywhere in it, have the same keys in all rows."""
        tree = self.tree(key)
        return tree is not None and _have_keys(tree, inner)

    def is_null(self, key: str) -> bool:
        """Whether no row says anything there."""
        return self.form.tree[key] == NULL

    def raw(self, path: Path) -> str:
        """Name a value; an object that is named is read as a whole."""
        if len(path) == 1 and not isinstance(self.form.tree[path[0]], str):
            self._whole.add(path[0])
        return self._names.setdefault(path, f"r{len(self._names)}")

    def raws(self) -> dict[Path, str]:
        """Give the names of the values that are read, in order; others are the same in all lines."""
        same = self.form.same
        return {
            path: self.raw(path) for path, kind in self._leaves().items() if kind != NULL and path not in same
        }

    def fixed(self) -> dict[str, str]:
        """Give the values that are the same in all lines and were asked for, by their names."""
        same = {path: quoted(text) for path, text in self.form.same.items()}
        same |= {path: "CAST(NULL AS VARCHAR)" for path, kind in self._leaves().items() if kind == NULL}
        return {name: same[path] for path, name in self._names.items() if path in same}

    def is_text(self, path: Path) -> bool:
        """Whether a value is a text, or missing."""
        return self._leaves().get(path) in {TEXT, TEXT_OR_NULL, NULL}

    def nested(self) -> list[str]:
        """Give the names of the values that are lists or objects."""
        return self._of_kind(NESTED)

    def json(self, key: str) -> str:
        """Give a value of the row as JSON, NULL where it is missing."""
        raw = self.raw((key,))
        return f"'\"' || {raw} || '\"'" if self.is_text((key,)) else raw

    def stands(self) -> str:
        """Ask whether a line is of the form."""
        # What could be an error stays where it stands: else every value in it would be read for it once more.
        return f"CASE WHEN line IS NULL THEN error('') ELSE line = {self.form.filled(self.raws())} END"

    def checks(self, checked: Collection[Path]) -> list[str]:
        """Give what holds for a line of the form whose numbers others read too; some are ``checked``."""
        known = {self.raw(path) for path in checked}
        found = []
        if scalars := [raw for raw in self._of_kind(SCALAR, REAL) if raw not in known]:
            found.append(f"NOT regexp_matches(concat_ws(' ', {', '.join(scalars)}), {quoted(STRANGE)})")
        return found

    def _of_kind(self, *kinds: str) -> list[str]:
        leaves = self._leaves()
        return [raw for path, raw in self.raws().items() if leaves[path] in kinds]

    def _leaves(self) -> Mapping[Path, str]:
        return self.form.leaves(self._whole)


def _have_keys(tree: Mapping[str, Node], inner: Collection[str]) -> bool:
    return all(
        node != NESTED if isinstance(node, str) else _have_keys(node, inner)
        for key, node in tree.items()
        if key in inner
    )


def paths(asked: Iterable[Path]) -> str:
    """Write where values stand in a line, as the engine is asked for them."""
    listed = ", ".join(quoted("$" + "".join(f'."{key}"' for key in path)) for path in asked)
    return f"[{listed}]"
