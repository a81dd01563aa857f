"""Spans between the instants that a row tells, as SQL."""

from outlay.importing.bulk.cells import Cells
from outlay.importing.bulk.expressions import NOTHING


def between(cells: Cells, start: str, end: str) -> str:
    """Give the milliseconds from one instant to another, reckoned in the steps of ``values.between``."""
    if end == NOTHING:
        return NOTHING
    moments = []
    for text in (start, end):
        clock, _ = cells.instant(text)
        moments.append(f"epoch_us({clock})")
    cells.need(f"({end} IS NULL OR {moments[1]} IS NOT NULL)")
    # Unix seconds as a JSON number would be no time for ``between``.
    cells.need(f"({end} IS NULL OR (contains({start}, '-') AND contains({end}, '-')))")
    taken = cells.let(f"CAST({moments[1]} - {moments[0]} AS DOUBLE) / 1000000.0 * 1000.0")
    return f"CASE WHEN {taken} >= 0 THEN {taken} END"
