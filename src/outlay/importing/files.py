"""Files of calls as rows with their line numbers: JSON lines, JSON arrays and CSV, plain or gzipped."""

import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from json import loads as exact_loads
from typing import Any, BinaryIO, cast

import orjson

from outlay.core.errors import ImportFileError

_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_LONG = re.compile(rb"\d\.\d{15}|\d{16}")  # numerals that a float might not hold to the last digit
_ROWS = ("data", "records", "calls", "rows", "results", "observations", "requests")
_WIDEST = 2**24  # characters of one field of a table


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file, and where it stands."""

    number: int
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that cannot be read, and why."""

    number: int
    reason: str


def rows_of(file: BinaryIO, *, table: bool = False) -> Iterator[Line | Fault]:
    """Give the rows of a file; what it holds is seen at its beginning, unless it is said to be a table.

    JSON lines and tables are read line by line; a JSON array is read whole.

    Raises:
        ImportFileError: it is no text in UTF-8, or a JSON document that holds no rows.
    """
    plain = _unpacked(file)
    start = plain.peek(512)[:512].removeprefix(_BOM).lstrip()
    if table or (start and start[:1] not in b"{["):
        return _of_table(plain)
    if start[:1] == b"[" or _is_one_document(start):
        return _of_document(plain.read())
    return _of_lines(plain)


def _unpacked(file: BinaryIO) -> io.BufferedReader:
    plain = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("Any", file))
    if plain.peek(2)[:2] == _GZIP:
        return io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=plain)))
    return plain


def _is_one_document(start: bytes) -> bool:
    """Whether an object goes over several lines, so that it is one document and no line of many."""
    first = start.partition(b"\n")[0].strip()
    if not first or b"\n" not in start:
        return bool(re.match(rb'\{\s*"(?:%s)"\s*:\s*\[' % b"|".join(map(str.encode, _ROWS)), first))
    return first == b"{" or bool(re.match(rb'\{\s*"[^"]*"\s*:\s*[\[{]?$', first))


def _of_lines(file: BinaryIO) -> Iterator[Line | Fault]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield _read(number, line.removeprefix(_BOM) if number == 1 else line)


def _read(number: int, line: bytes) -> Line | Fault:
    try:
        row = orjson.loads(line)
        if _LONG.search(line):
            row = exact_loads(line, parse_float=_numeral)
    except ValueError as error:
        return Fault(number, f"no JSON: {str(error)[:80]}")
    return Line(number, row) if isinstance(row, dict) else Fault(number, "no JSON object")


def _numeral(text: str) -> float | str:
    """Give a float, unless it would not hold every digit; then the numeral itself, which money can be."""
    near = float(text)
    return near if Decimal(repr(near)) == Decimal(text) else text


def _of_document(data: bytes) -> Iterator[Line | Fault]:
    try:
        whole = orjson.loads(data.removeprefix(_BOM))
        if _LONG.search(data):
            whole = exact_loads(data.removeprefix(_BOM), parse_float=_numeral)
    except ValueError as error:
        raise ImportFileError(f"it is no JSON: {str(error)[:80]}") from None
    if isinstance(whole, dict):
        named = next((whole[name] for name in _ROWS if isinstance(whole.get(name), list)), None)
        whole = [whole] if named is None else named
    if not isinstance(whole, list):
        raise ImportFileError("it is a JSON document without rows; write JSON lines or an array of objects")
    for number, row in enumerate(whole, start=1):
        yield Line(number, row) if isinstance(row, dict) else Fault(number, "no JSON object")


def _of_table(file: BinaryIO) -> Iterator[Line | Fault]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    csv.field_size_limit(_WIDEST)
    try:
        sample = text.readline()
        delimiter = max(",;\t", key=sample.count)
        names = next(csv.reader([sample], delimiter=delimiter), [])
        reader = csv.reader(text, delimiter=delimiter)
        for cells in reader:
            number = reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(names):
                yield Fault(number, f"{len(cells)} cells, where the heading has {len(names)}")
                continue
            yield Line(number, {name: cell for name, cell in zip(names, cells, strict=True) if cell != ""})
    except UnicodeDecodeError:
        raise ImportFileError("it is no text in UTF-8") from None
    except csv.Error as error:
        raise ImportFileError(f"it is no table: {error}") from None
    finally:
        text.detach()  # the file is its opener's to close
