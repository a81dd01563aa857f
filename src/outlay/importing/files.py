"""Files of calls as rows with their line numbers: JSON lines, JSON arrays and CSV, plain or gzipped."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from json import dumps as exact_dumps
from json import loads as exact_loads
from typing import Any, BinaryIO, Literal, NamedTuple, Self, cast

import orjson

from outlay.core.errors import ImportFileError

BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_OTHERS = {  # what begins so is no text, and is best told by its name
    b"PAR1": "it is Parquet, which is not read; write its calls as CSV or JSON lines: outlay export does,"
    " Langfuse's exports can, and so can DuckDB: COPY (FROM 'calls.parquet') TO 'calls.jsonl' (FORMAT json)",
    b"PK\x03\x04": "it is a zip file or a spreadsheet; unpack it, or save it as CSV",
    b"SQLite f": "it is a database of SQLite; write its calls as CSV or JSON lines",
    b"%PDF-": "it is a PDF; write its calls as CSV or JSON lines",
}
LONG = re.compile(rb"\d\.\d{15}|\d{16}")  # numerals that a float might not hold to the last digit
_ROWS = ("data", "records", "calls", "rows", "results", "observations", "requests")
_WIDEST = 2**24  # characters of one field of a table
IsOwn = Callable[[bytes], bool]  # whether a line can be handed to the ledger as it stands


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file, and where it stands."""

    number: int
    row: Mapping[str, Any]
    content: bytes | None = None  # as it stands in the file; None where it is a part of a document
    columns: tuple[str, ...] | None = field(
        default=None, compare=False
    )  # of a table: a row lacks what is empty

    def identity(self) -> bytes:
        """Give what a row without a name of its own is known by."""
        if self.content is not None:
            return self.content
        try:
            return orjson.dumps(self.row, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        except TypeError:  # an integer of more than 64 bits, or what is nested deeply
            return exact_dumps(self.row, default=str, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that cannot be read, and why."""

    number: int
    reason: str


class Opened(NamedTuple):
    """A file at its first byte, unpacked, and what kind of rows it has."""

    file: io.BufferedReader
    kind: Literal["lines", "table", "document"]


def opened(file: BinaryIO, *, table: bool = False) -> Opened:
    """See at its beginning what a file holds, unless it is said to be a table.

    Raises:
        ImportFileError: it is none of them, and known for what it is.
    """
    plain = _unpacked(file)
    start = plain.peek(512)[:512].removeprefix(BOM).lstrip()
    for sign, says in _OTHERS.items():
        if start.startswith(sign):
            raise ImportFileError(says)
    if table or (start and start[:1] not in b"{["):
        return Opened(plain, "table")
    whole = start[:1] == b"[" or _is_one_document(start)
    return Opened(plain, "document" if whole else "lines")


def rows_of(
    file: BinaryIO, *, table: bool = False, own: IsOwn | None = None, judge: "Judge | None" = None
) -> Iterator[Line | Fault | bytes]:
    """Give the rows of a file; what it holds is seen at its beginning, unless it is said to be a table.

    JSON lines and tables are read line by line; a JSON array is read whole. Lines that are ``own`` are given
    as they stand. ``judge`` looks at the heading of a table, and raises where it is of no use.

    Raises:
        ImportFileError: it is no text in UTF-8, or a JSON document that holds no rows.
    """
    plain, kind = opened(file, table=table)
    if kind == "table":
        yield from table_rows(plain, judge=judge)
    elif kind == "lines":
        yield from _of_lines(plain, own)
    else:
        yield from document_rows(plain)


def document_rows(file: BinaryIO) -> Iterator[Line | Fault]:
    """Give the rows of one JSON document; raises what ``rows_of`` raises."""
    return _of_document(file.read())


def _unpacked(file: BinaryIO) -> io.BufferedReader:
    plain = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("Any", file))
    if plain.peek(2)[:2] == _GZIP:
        return io.BufferedReader(cast("Any", _Unpacked(fileobj=plain)))
    return plain


class _Unpacked(gzip.GzipFile):
    """What is packed, whose faults are the file's."""

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; raises ImportFileError where what is packed is damaged, or has no end."""
        try:
            return super().readinto(buffer)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ImportFileError(f"it is gzip that cannot be unpacked to its end: {error}") from None


def _is_one_document(start: bytes) -> bool:
    """Whether an object goes over several lines, so that it is one document and no line of many."""
    first = start.partition(b"\n")[0].strip()
    if not first or b"\n" not in start:
        return bool(re.match(rb'\{\s*"(?:%s)"\s*:\s*\[' % b"|".join(map(str.encode, _ROWS)), first))
    return first == b"{" or bool(re.match(rb'\{\s*"[^"]*"\s*:\s*[\[{]?$', first))


def _of_lines(file: BinaryIO, own: IsOwn | None) -> Iterator[Line | Fault | bytes]:
    for number, given in enumerate(file, start=1):
        line = given.removeprefix(BOM) if number == 1 else given
        if line.strip():
            yield line if own is not None and own(line) else row_of(number, line)


def row_of(number: int, line: bytes) -> Line | Fault:
    """Read one line of JSON."""
    line = line.rstrip(b"\r\n")
    try:
        row = loaded(line)
    except ValueError as error:
        return Fault(number, f"no JSON: {str(error)[:80]}")
    return Line(number, row, line.strip()) if isinstance(row, dict) else Fault(number, "no JSON object")


def loaded(text: bytes) -> Any:
    """Read JSON, its numerals to the last digit.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    found = orjson.loads(text)
    if not LONG.search(text):
        return found
    try:
        return exact_loads(text, parse_float=numeral)
    except RecursionError:  # before 3.12 the standard library goes less deep
        raise ValueError("it is nested too deeply") from None


def numeral(text: str) -> float | str:
    """Give a float, unless it would not hold every digit; then the numeral itself, which money can be."""
    near = float(text)
    try:
        return near if Decimal(repr(near)) == Decimal(text) else text
    except InvalidOperation:  # an exponent beyond all that a Decimal can have
        return text


def _of_document(data: bytes) -> Iterator[Line | Fault]:
    try:
        whole = loaded(data.removeprefix(BOM))
    except ValueError as error:
        raise ImportFileError(f"it is no JSON: {str(error)[:80]}") from None
    if isinstance(whole, dict):
        named = next((whole[name] for name in _ROWS if isinstance(whole.get(name), list)), None)
        whole = [whole] if named is None else named
    if not isinstance(whole, list):
        raise ImportFileError("it is a JSON document without rows; write JSON lines or an array of objects")
    for number, row in enumerate(whole, start=1):
        yield Line(number, row) if isinstance(row, dict) else Fault(number, "no JSON object")


@dataclass(frozen=True, slots=True)
class Heading:
    """The first line of a table."""

    names: tuple[str, ...]
    delimiter: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Read it; the delimiter is the one that stands in it most."""
        delimiter = max(",;\t", key=text.count)
        return cls(tuple(_cells(text, delimiter)), delimiter)

    def text(self) -> str:
        """Give the names as one line."""
        return self.delimiter.join(self.names)

    def read(self, number: int, line: str) -> Line | Fault:
        """Read a line that holds a whole row.

        Raises:
            ImportFileError: it is none.
        """
        try:
            return self.row(number, _cells(line, self.delimiter))
        except csv.Error as error:
            raise ImportFileError(f"it is no table: {error}") from None

    def row(self, number: int, cells: Sequence[str]) -> Line | Fault:
        """Read the cells of a row."""
        if len(cells) != len(self.names):
            return Fault(number, f"{len(cells)} cells, where the heading has {len(self.names)}")
        row: dict[str, str] = {}
        for name, cell in zip(self.names, cells, strict=True):
            if cell != "" and row.setdefault(name, cell) != cell and name.strip():
                return Fault(number, f"two columns are named {name!r:.40}, and their cells differ")
        content = f"{self.text()}\n{self.delimiter.join(cells)}"
        return Line(number, row, content.encode("utf-8", "surrogatepass"), self.names)


def _cells(line: str, delimiter: str) -> list[str]:
    _widen()
    return next(csv.reader([line], delimiter=delimiter), [])


def _widen() -> None:
    """Let cells be long: the limit is the whole process's, and a wider one is somebody else's."""
    if csv.field_size_limit() < _WIDEST:
        csv.field_size_limit(_WIDEST)


Judge = Callable[[Heading], None]


def _read(text: Iterable[str], heading: Heading, before: int) -> Iterator[Line | Fault]:
    """Read rows; the last is none where a quotation mark in it is never closed, and took in all behind it."""
    quotes = ended = lines = 0

    def counted() -> Iterator[str]:
        nonlocal quotes
        for line in text:
            quotes += line.count('"')
            yield line

    reader = csv.reader(counted(), delimiter=heading.delimiter)
    open_: tuple[int, list[str]] | None = None
    for cells in reader:
        if open_ is not None:
            yield heading.row(*open_)
        number, lines = reader.line_num + before, reader.line_num - ended
        open_ = (number, cells) if quotes % 2 and lines > 1 else None
        if cells and open_ is None:
            yield heading.row(number, cells)
        quotes, ended = 0, reader.line_num
    if open_ is not None:
        yield Fault(
            open_[0], f"a quotation mark is never closed: it took in the {lines - 1} lines before this"
        )


def table_rows(
    file: BinaryIO, heading: Heading | None = None, before: int = 0, *, judge: Judge | None = None
) -> Iterator[Line | Fault]:
    """Give the rows of a table; ``heading`` and the ``before`` lines above are known where it was begun.

    Raises:
        ImportFileError: it is no text in UTF-8, or no table.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    _widen()
    try:
        if heading is None:
            heading, before = Heading.of(text.readline()), 1
        if judge is not None:
            judge(heading)
        yield from _read(text, heading, before)
    except UnicodeDecodeError:
        raise ImportFileError("it is no text in UTF-8") from None
    except csv.Error as error:
        raise ImportFileError(f"it is no table: {error}") from None
    finally:
        if not file.closed:  # whoever breaks off may close it before this generator hears of it
            text.detach()  # the file is its opener's to close
