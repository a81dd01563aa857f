"""Single calls as CSV, one after the other, so that any number of them fits in memory."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from outlay.core.instants import text_of
from outlay.core.record import Record
from outlay.report.flat import COLUMNS, flat
from outlay.report.plain import plain


def csv_heading() -> str:
    """Give the first line, the names of the columns."""
    return f"{','.join(COLUMNS)}\n"


def csv_lines(records: Iterable[Record]) -> Iterator[str]:
    """Give a line for each call; money is plain decimals, nothing stands for the unknown."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for record in records:
        writer.writerow([_cell(value) for value in flat(record)])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return text_of(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(plain(value), ensure_ascii=False, default=str)
    return plain(value)
