"""Files of rows: JSON lines, arrays, documents, tables; plain and gzipped; bad rows with their line."""

import csv
import gzip
import io
from collections.abc import Generator

import pytest

from outlay.core.errors import ImportFileError
from outlay.core.record import Record
from outlay.importing import Maker, entries_of
from outlay.importing.files import Fault, Heading, Line, rows_of


def rows(data: bytes | str) -> list[Line | Fault]:
    found = rows_of(io.BytesIO(data.encode() if isinstance(data, str) else data))
    return [row for row in found if not isinstance(row, bytes)]


def lines(data: bytes | str) -> list[tuple[int, dict[str, object]]]:
    found = rows(data)
    assert all(isinstance(each, Line) for each in found), found
    return [(each.number, dict(each.row)) for each in found if isinstance(each, Line)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}\n\n{"a": 2}\n', [(1, {"a": 1}), (3, {"a": 2})]),
        ('\ufeff{"a": 1}', [(1, {"a": 1})]),
        ('[{"a": 1},\n {"a": 2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        ('{"data": [{"a": 1}], "meta": {}}', [(1, {"a": 1})]),
        ('{\n  "records": [\n    {"a": 1}\n  ]\n}', [(1, {"a": 1})]),
        ("a,b\n1,x\n,y\n", [(2, {"a": "1", "b": "x"}), (3, {"b": "y"})]),
        ('a;b\n1;"x;\ny"\n2;z\n', [(3, {"a": "1", "b": "x;\ny"}), (4, {"a": "2", "b": "z"})]),
        ("a\tb\n1\t2\n", [(2, {"a": "1", "b": "2"})]),
        ("", []),
    ],
)
def test_rows_come_with_the_line_they_end_on(
    text: str, expected: list[tuple[int, dict[str, object]]]
) -> None:
    assert lines(text) == expected


def test_a_gzipped_file_is_unpacked() -> None:
    assert lines(gzip.compress(b'{"a": 1}\n{"a": 2}\n')) == [(1, {"a": 1}), (2, {"a": 2})]


@pytest.mark.parametrize("cut", [slice(12), slice(-9), slice(-3)])
def test_a_gzipped_file_that_is_cut_is_told(cut: slice) -> None:
    packed = gzip.compress(b'{"a": 1}\n' * 1000)
    with pytest.raises(ImportFileError, match="it is gzip that cannot be unpacked to its end"):
        rows(packed[cut])
    with pytest.raises(ImportFileError, match="CRC"):
        rows(packed[:-8] + bytes(4) + packed[-4:])


@pytest.mark.parametrize("packed", [False, True])
def test_a_table_that_is_left_when_its_file_is_closed_says_nothing(packed: bool) -> None:  # noqa: FBT001
    """As by Ctrl-C in an import: the file is closed before the rows are given up."""
    data = b"a,b\n" + b"1,2\n" * 10_000
    file = io.BytesIO(gzip.compress(data) if packed else data)
    found = rows_of(file)
    assert isinstance(next(found), Line)
    file.close()
    assert isinstance(found, Generator)
    found.close()


def test_bad_rows_are_told_and_good_ones_go_on() -> None:
    found = rows('{"a": 1}\n{"a":\n[1]\n{"a": 2}\n')
    assert [type(each).__name__ for each in found] == ["Line", "Fault", "Fault", "Line"]
    assert [each.number for each in found] == [1, 2, 3, 4]
    short = rows("a,b\n1\n1,2\n")
    assert short[0] == Fault(2, "1 cells, where the heading has 2")
    assert isinstance(short[1], Line)


def test_a_numeral_longer_than_a_float_keeps_its_digits() -> None:
    assert lines('{"cost": 0.12345678901234567890}') == [(1, {"cost": "0.12345678901234567890"})]


def test_a_numeral_beyond_all_numbers_is_its_text() -> None:
    assert lines('{"cost": 1e-99999999999999999999}') == [(1, {"cost": "1e-99999999999999999999"})]


@pytest.mark.parametrize("depth", [300, 1010])
def test_what_is_nested_deeply_keeps_no_other_line_out(depth: int) -> None:
    """A numeral that a float may not hold is read by the standard library, which goes less deep."""
    deep = f'{{"n": 1234567890123456789, "deep": {"[" * depth}{"]" * depth}}}'
    first, second = rows(f'{deep}\n{{"a": 1}}\n')
    assert second == Line(2, {"a": 1}, b'{"a": 1}')
    assert isinstance(first, Line) or first == Fault(1, "no JSON: it is nested too deeply")


def test_a_row_of_a_document_with_a_very_long_integer_has_an_identity() -> None:
    one, other = rows('[{"n": 99999999999999999999, "a": 1}, {"n": 99999999999999999999, "a": 2}]')
    assert isinstance(one, Line)
    assert isinstance(other, Line)
    assert one.identity() == b'{"a": 1, "n": 99999999999999999999}' != other.identity()


def test_a_cell_may_be_long() -> None:
    """Longer than what Python's reader takes at first."""
    cell = "x" * 200_000
    assert Heading.of("a,b").read(2, f"1,{cell}") == Line(2, {"a": "1", "b": cell}, f"a,b\n1,{cell}".encode())


def test_a_limit_of_cells_that_the_program_has_widened_stays() -> None:
    before = csv.field_size_limit(2**25)
    try:
        assert rows(b"a,b\n1,2\n")
        assert isinstance(Heading.of("a,b").read(2, "1,2"), Line)
        assert csv.field_size_limit() == 2**25
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("data", [b"[1, 2", b'["a"', b"a,b\n\xff\xfe,1\n"])
def test_what_is_no_file_of_rows_is_refused_whole(data: bytes) -> None:
    with pytest.raises(ImportFileError):
        rows(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PAR1\x15\x04\x15\x80", "it is Parquet, which is not read; write its calls as CSV or JSON lines"),
        (b"PK\x03\x04\x14\x00", "save it as CSV"),
        (b"SQLite format 3\x00", "a database of SQLite"),
    ],
)
@pytest.mark.parametrize("table", [False, True])
def test_a_file_that_is_no_text_is_told_by_its_name(data: bytes, says: str, table: bool) -> None:  # noqa: FBT001 - two ways
    with pytest.raises(ImportFileError, match=says):
        list(rows_of(io.BytesIO(data), table=table))


def test_a_document_without_rows_is_one_row() -> None:
    assert lines('{\n"model": "gpt-4o"\n}') == [(1, {"model": "gpt-4o"})]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [("1,2,,x,y", "two columns are named 'cost'"), ("1,1,2,x,", "'Cost' is told twice"), ("1,,1,x,y", None)],
)
def test_columns_of_one_name_that_differ_make_a_bad_row(maker: Maker, cells: str, reason: str | None) -> None:
    """The last of them had counted, without a word."""
    data = f"cost,cost,Cost,,,timestamp\n{cells},2026-11-20T10:00:00Z\n".encode()
    (found,) = entries_of(rows(data), maker)
    if reason is None:
        assert isinstance(found, Record)
        assert found.cost == 1
    else:
        assert isinstance(found, Fault)
        assert found.number == 2
        assert reason in found.reason


@pytest.mark.parametrize(
    ("data", "cells"),
    [
        (b'm,n\na"b,x\nc,y\n', [('a"b', "x"), ("c", "y")]),
        (b'm,n\nc,y\na"b,x\n', [("c", "y"), ('a"b', "x")]),
        (b'm,n\na"b,"x\ny"\nc,y\n', [('a"b', "x\ny"), ("c", "y")]),
    ],
    ids=["first", "last", "over two lines"],
)
def test_a_quotation_mark_within_a_cell_takes_no_row_away(data: bytes, cells: list[tuple[str, str]]) -> None:
    """It opens nothing there, though it leaves their number odd."""
    found = rows(data)
    assert all(isinstance(each, Line) for each in found)
    assert [tuple(each.row.values()) for each in found if isinstance(each, Line)] == cells
