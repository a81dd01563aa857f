"""Reading one file of calls: rows in, entries and faults out, counted."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Any, BinaryIO, TypeVar

from outlay.core.codec import entry_from_json
from outlay.core.errors import ImportFileError, NotACallError, OutlayError, RefusedEntryError
from outlay.core.ports import Adding, TakingLines
from outlay.core.record import Entry, Record
from outlay.importing.files import Fault, Heading, Line, opened, rows_of
from outlay.importing.langfuse import is_trace
from outlay.importing.made import Maker
from outlay.importing.plain import normal, overruled
from outlay.importing.shapes import OWN, PLAIN, Shape, is_own, shape_of
from outlay.journal import line_of
from outlay.ledger.identity import checked_id
from outlay.ledger.own import Own

AT_ONCE = 20_000  # entries that are kept, all or none, before the next are read
Given = TypeVar("Given", Line | Fault, Line | Fault | bytes)
Read = Entry | Fault | bytes  # of a row: what it holds, or a line of our own that is kept as it stands


@dataclass(slots=True)
class Import:
    """What came of a file so far."""

    read: int = 0  # rows, good and bad
    skipped: int = 0  # rows that are no calls, such as spans around them
    shape: str | None = None  # of the first row that had one


@dataclass(slots=True)
class Step:
    """What came of some rows."""

    calls: int = 0
    new: int = 0
    faults: list[Fault] = field(default_factory=list)


def kept(read: Iterable[Read], ledger: Adding | None, most: int = AT_ONCE) -> Iterator[Step]:
    """Keep entries, so many at once, and tell what came of them; without a ledger they are only counted.

    Raises:
        LedgerError: the ledger cannot be written.
    """
    faults: list[Fault] = []
    good = _good(read, faults)
    while True:
        some = list(islice(good, most))
        calls = sum(isinstance(each, (Record, bytes)) for each in some)  # the others judge or cost calls anew
        yield Step(calls, 0 if ledger is None or not some else _keep(some, ledger), list(faults))
        faults.clear()
        if len(some) < most:
            return


def _keep(some: Sequence[Entry | bytes], ledger: Adding) -> int:
    """Keep entries and lines of our own, all or none."""
    if isinstance(ledger, TakingLines) and any(isinstance(each, bytes) for each in some):
        return ledger.add_lines(each if isinstance(each, bytes) else _line(each) for each in some)
    return ledger.add(each for each in some if not isinstance(each, bytes))


def _line(entry: Entry) -> bytes:
    try:
        return line_of(entry)
    except (TypeError, ValueError) as error:
        raise RefusedEntryError(f"an entry cannot be written as JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class OneByOne:
    """Imports files whose every row becomes a Record of its own; any ledger can keep those."""

    ledger: Adding | None  # None: rows are only counted
    maker: Maker
    shape: Shape | None = None
    mapping: Mapping[str, str] | None = None
    counts: Import = field(default_factory=Import)

    def steps(self, file: BinaryIO, *, table: bool = False) -> Iterator[Step]:
        """Import a file, and tell what came of it, so many rows at once; raises what ``rows_of`` raises."""
        seen = opened(file, table=table)
        own = Own() if takes_own(self.ledger, self.shape, self.mapping) else None
        judge = partial(check_heading, shape=self.shape, mapping=self.mapping)
        rows = rows_of(seen.file, table=table, own=own, judge=judge)
        if self.mapping and seen.kind != "table":
            rows = with_columns(rows, self.mapping)
        entries = partial(
            entries_of, maker=self.maker, shape=self.shape, mapping=self.mapping, counts=self.counts
        )
        yield from kept(with_own(rows, entries, self.counts), self.ledger)


def takes_own(ledger: object, shape: Shape | None, mapping: Mapping[str, str] | None) -> bool:
    """Whether lines of our own can be kept as they stand: nothing else is to be made of them."""
    return isinstance(ledger, TakingLines) and shape is None and not mapping


def with_own(
    rows: Iterable[Line | Fault | bytes],
    entries: Callable[[Iterable[Line | Fault]], Iterator[Entry | Fault]],
    counts: Import,
) -> Iterator[Read]:
    """Read rows, and let lines of our own pass."""
    for each in rows:
        if isinstance(each, bytes):
            counts.read += 1
            counts.shape = counts.shape or OWN
            yield each
        else:
            yield from entries((each,))


def _good(read: Iterable[Read], faults: list[Fault]) -> Iterator[Entry | bytes]:
    for each in read:
        if isinstance(each, Fault):
            faults.append(each)
        else:
            yield each


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
        row, columns = each.row, each.columns
        if mapping:
            columns = None if columns is None else tuple(renamed(dict.fromkeys(columns), mapping, shape))
            row = renamed(row, mapping, shape, columns)
        try:
            yield _entry(row, columns, each, maker, (shape, seen))
        except NotACallError:
            seen.skipped += 1
        except (OutlayError, TypeError, ValueError, RecursionError) as error:
            yield Fault(each.number, str(error)[:200])


_NO_CALL = "no call: neither cost, tokens nor an outcome stands in it"
_FOCUS = "no call: a row of a bill (FOCUS), where calls are added up; what is read are single calls"
_TRACE = "no call: a trace of Langfuse, in which calls are added up; what is read are its observations"
_NO_COLUMN = (
    "no call can be read from it: it is no JSON, and its first line names no column that a call has. Read are"
    " JSON lines, JSON arrays and CSV: of outlay, LiteLLM, Langfuse, Helicone, and plain logs with a cost,"
    " tokens, a latency or a status; --map FIELD=COLUMN tells columns of other names"
)


def check_heading(heading: Heading, *, shape: Shape | None, mapping: Mapping[str, str] | None) -> None:
    """Look whether the columns of a table could tell of a call: a row has no others.

    Raises:
        ImportFileError: they cannot, so that this is no table of calls, or no table at all.
    """
    columns = dict.fromkeys(heading.names)
    names = renamed(columns, mapping, shape) if mapping else columns
    check_columns(columns, mapping or {})
    if shape is None and not is_own(names) and shape_of(names) is None:
        raise ImportFileError(_sum(names) or _NO_COLUMN)


def _sum(row: Mapping[str, Any]) -> str | None:
    """Say what adds calls up, in place of being one."""
    return _FOCUS if "BilledCost" in row else _TRACE if is_trace(row) else None


def check_columns(columns: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
    """Look whether the columns that are mapped are there; no other stands in for one, by whatever name.

    Raises:
        ImportFileError: one is not.
    """
    for wanted, column in mapping.items():
        if column not in columns:
            there = ", ".join(columns)
            raise ImportFileError(f"no column {column!r:.60} for {wanted}; there are {there:.500}")


def with_columns(rows: Iterable[Given], mapping: Mapping[str, str]) -> Iterator[Given]:
    """Give rows, of which the first were looked at for the columns that are mapped, until all were there.

    Raises:
        ImportFileError: none of them has one.
    """
    wanted = set(mapping.values())
    left = iter(rows)
    some: list[Given] = []
    names: dict[str, None] | None = None  # until there is a row
    for each in islice(left, AT_ONCE):
        some.append(each)
        if isinstance(each, Line):
            names = {} if names is None else names
            names.update(dict.fromkeys(each.row))
            if names.keys() >= wanted:
                break
    if names is not None:
        check_columns(names, mapping)
    yield from chain(some, left)


def _entry(
    row: Mapping[str, Any],
    columns: tuple[str, ...] | None,
    line: Line,
    maker: Maker,
    told: tuple[Shape | None, Import],
) -> Entry:
    shape, seen = told
    if shape is None and is_own(row):
        seen.shape = seen.shape or OWN
        entry = checked_id(entry_from_json(row))
        line_of(entry)  # raises what would else stop all rows that are kept at once
        return entry
    found = shape or shape_of(row, columns)
    if found is None:
        raise ValueError(_sum(row) or _NO_CALL)
    seen.shape = seen.shape or found.name
    return maker.record(found.name, found.read(row), line)


def renamed(
    row: Mapping[str, Any],
    mapping: Mapping[str, str],
    shape: Shape | None = None,
    columns: Collection[str] | None = None,
) -> dict[str, Any]:
    """Give a row under the fields' own names; columns that were mapped have no other meaning.

    Nor has, in a plain row, any other column that tells a field whose own is there, by whichever of its
    names; in rows of other shapes such a name may mean something else, as the ``type`` of an observation.
    """
    wanted = {column: field for field, column in mapping.items()}
    others = {name: value for name, value in row.items() if name not in wanted and name not in mapping}
    named = {**others, **{wanted[name]: value for name, value in row.items() if name in wanted}}
    found = shape or (None if is_own(named) else shape_of(named, columns))
    if found is None or found.name != PLAIN:
        return named
    told = overruled(frozenset(field for field, column in mapping.items() if column in row))
    return {name: value for name, value in named.items() if name in mapping or normal(name) not in told}
