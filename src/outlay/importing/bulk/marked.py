"""Blocks that begin with a line of outlay's own: which of their lines are kept as they stand."""

from typing import NamedTuple

from outlay.importing.bulk.lines import Lines
from outlay.importing.files import IsOwn


class Marked(NamedTuple):
    """The lines of a block with their places, and whether each is our own."""

    lines: list[tuple[int, bytes, bool]]


def marked(lines: Lines, own: IsOwn) -> Marked | None:
    """Look at each line of a block; None where the first is not our own."""
    if not own(lines.start()):
        return None
    return Marked([(place, line, own(line)) for place, line in lines.all()])
