"""The call log: one row for each call, as a table of plain text."""

from collections.abc import Sequence

from outlay.core.record import Record
from outlay.render.cells import count, dollars, milliseconds, name

_HEADINGS = ("#", "provider", "in", "out", "latency", "cost", "prompt")
_TEXT = (1, 6)  # columns that stand on the left
FAILED = "❌"


def call_log(records: Sequence[Record]) -> str:
    """Show calls in order; one that failed is marked in front of its prompt."""
    if not records:
        return "no calls"
    rows = [_HEADINGS, *(_cells(number, record) for number, record in enumerate(records, 1))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in _TEXT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(number: int, record: Record) -> tuple[str, ...]:
    prompt = name(record.prompt) if record.prompt else ""
    return (
        str(number),
        name(record.provider),
        count(record.input_tokens),
        count(record.output_tokens),
        milliseconds(record.latency_ms),
        dollars(record.cost, record.currency),
        prompt if record.success else f"{FAILED} {prompt}".rstrip(),
    )
