"""A report as CSV: a heading, then its rows; money as plain decimals, nothing where a value is unknown."""

import csv
import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

from outlay.render.reports import all_rows, columns_of
from outlay.report.plain import plain
from outlay.report.values import Report


def csv_text(report: Report) -> str:
    """Write the rows, or the total where the report has no dimension."""
    out = StringIO()
    columns = columns_of(report)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in all_rows(report))
    return out.getvalue().removesuffix("\n")


def _cell(value: Any) -> Any:
    """Costs by currency, and counts of a histogram, stand as JSON in their one cell."""
    return json.dumps(plain(value)) if isinstance(value, Mapping | tuple) else plain(value)
