"""The shapes of rows that are known, and which of them a row has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from outlay.importing.helicone import is_helicone, read_helicone
from outlay.importing.langfuse import is_langfuse, read_langfuse
from outlay.importing.litellm import is_litellm, read_litellm
from outlay.importing.made import Call
from outlay.importing.plain import is_plain, read_plain

OWN = "outlay"


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of one origin are told from others, and read."""

    name: str
    has: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Call]


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape("litellm", is_litellm, read_litellm),
        Shape("langfuse", is_langfuse, read_langfuse),
        Shape("helicone", is_helicone, read_helicone),
        Shape("plain", is_plain, read_plain),
    )
}
"""By name, the most telling first. outlay's own lines are read by ``core.codec`` alone."""


def is_own(row: Mapping[str, Any]) -> bool:
    """Whether a row is a line of outlay's own: a record, a score, a revision or a loss."""
    if "schema" not in row:
        return False
    return ("id" in row and "cost_status" in row) or any(key in row for key in ("score", "revision", "lost"))


def shape_of(row: Mapping[str, Any]) -> Shape | None:
    """Give the shape of a row, or None where it has none that is known."""
    return next((shape for shape in SHAPES.values() if shape.has(row)), None)
