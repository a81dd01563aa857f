"""A report as CSV: a heading, then its rows; money as plain decimals, nothing where a value is unknown."""

import csv
from io import StringIO

from outlay.render.reports import all_rows, columns_of
from outlay.render.sheets import csv_cell
from outlay.report.values import Report


def csv_text(report: Report) -> str:
    """Write the rows, or the total where the report has no dimension."""
    out = StringIO()
    columns = columns_of(report)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(row.get(name)) for name in columns] for row in all_rows(report))
    return out.getvalue().removesuffix("\n")
