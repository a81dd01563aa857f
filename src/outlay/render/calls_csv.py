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


def csv_lines(records: Iterable[Record]) -> Iterator[str]:
    """Give the heading and a line for each call; money is plain decimals, nothing stands for the unknown."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        yield _taken(out)
        writer.writerow([_cell(value) for value in flat(record)])
    yield _taken(out)


def _taken(out: StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return text_of(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(plain(value), ensure_ascii=False, default=str)
    return plain(value)
