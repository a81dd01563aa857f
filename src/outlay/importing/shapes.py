"""The shapes of rows that are known, and which of them a row has."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from outlay.importing.helicone import is_helicone, read_helicone
from outlay.importing.langfuse import is_langfuse, read_langfuse
from outlay.importing.litellm import is_litellm, read_litellm
from outlay.importing.made import Call
from outlay.importing.plain import is_plain, read_plain

OWN, PLAIN = "outlay", "plain"


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of one origin are told from others, and read."""

    name: str
    has: Callable[[Collection[str]], bool]
    read: Callable[[Mapping[str, Any]], Call]


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape("litellm", is_litellm, read_litellm),
        Shape("langfuse", is_langfuse, read_langfuse),
        Shape("helicone", is_helicone, read_helicone),
        Shape(PLAIN, is_plain, read_plain),
    )
}
"""By name, the most telling first. outlay's own lines are read by ``core.codec`` alone."""


def is_own(row: Collection[str]) -> bool:
    """Whether a row is a line of outlay's own: a record, a score, a revision or a loss."""
    if "schema" not in row:
        return False
    return ("id" in row and "cost_status" in row) or any(key in row for key in ("score", "revision", "lost"))


def shape_of(row: Collection[str], columns: Collection[str] | None = None) -> Shape | None:
    """Give the shape of a row, or None where it has none that is known.

    A table's ``columns`` tell who wrote it, since its rows leave out what is empty; whether a plain row says
    anything, it tells itself.
    """
    there = row if columns is None else columns
    return next((each for each in SHAPES.values() if each.has(row if each.name == PLAIN else there)), None)
