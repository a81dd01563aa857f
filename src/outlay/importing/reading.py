"""Reading one file of calls: rows in, entries and faults out, counted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from outlay.core.codec import entry_from_json
from outlay.core.errors import NotACallError, OutlayError
from outlay.core.record import Entry
from outlay.importing.files import Fault, Line
from outlay.importing.made import Maker
from outlay.importing.shapes import OWN, Shape, is_own, shape_of


@dataclass(slots=True)
class Import:
    """What came of a file so far."""

    read: int = 0  # rows, good and bad
    skipped: int = 0  # rows that are no calls, such as spans around them
    shape: str | None = None  # of the first row that had one


def entries_of(
    rows: Iterable[Line | Fault],
    maker: Maker,
    *,
    shape: Shape | None = None,
    mapping: Mapping[str, str] | None = None,
    counts: Import | None = None,
) -> Iterator[Entry | Fault]:
    """Give the entry of each row, or what is wrong with it, in order.

    Without a ``shape`` each row is read by the one it has. ``mapping`` gives a column's name for a field, as
    in ``{"model": "LLM name"}``, and is looked at before the usual names.
    """
    seen = Import() if counts is None else counts
    for each in rows:
        seen.read += 1
        if isinstance(each, Fault):
            yield each
            continue
        row = _renamed(each.row, mapping) if mapping else each.row
        try:
            yield _entry(row, maker, shape, seen)
        except NotACallError:
            seen.skipped += 1
        except (OutlayError, TypeError, ValueError) as error:
            yield Fault(each.number, str(error)[:200])


def _entry(row: Mapping[str, Any], maker: Maker, shape: Shape | None, seen: Import) -> Entry:
    if shape is None and is_own(row):
        seen.shape = seen.shape or OWN
        return entry_from_json(row)
    found = shape or shape_of(row)
    if found is None:
        raise ValueError("no call: neither cost, tokens nor an outcome stands in it")
    seen.shape = seen.shape or found.name
    return maker.record(found.name, found.read(row), row)


def _renamed(row: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """Give a row under the fields' own names; columns that were mapped have no other meaning."""
    wanted = {column: field for field, column in mapping.items()}
    others = {name: value for name, value in row.items() if name not in wanted and name not in mapping}
    return {**others, **{wanted[name]: value for name, value in row.items() if name in wanted}}
