"""Calls that DuckDB writes as lines, of CSV or as a journal has them, are what their Records would be."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.ledger.test_transcript import USUAL, holding
from tests.ledger.test_transcript import check as check_transcript
from tests.ledger.test_usual import usual
from tests.support.any_record import JSON, many, said_later

from outlay.core.ids import uuid7
from outlay.core.query import CallQuery, filters
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.journal import line_of
from outlay.ledger import DuckLedger, pages
from outlay.render.calls_csv import csv_lines
from outlay.report.flat import COLUMNS
from outlay.testing import NOON


def check(ledger: DuckLedger, query: CallQuery) -> int:
    found = list(ledger.tabled(query, tuple(COLUMNS), csv_lines))
    assert b"".join(lines for _, lines in found) == "".join(csv_lines(ledger.calls(query))).encode()
    return sum(calls for calls, _ in found)


@settings(max_examples=25, deadline=None)
@given(many, st.data())
def test_any_records(records: list[Record], data: st.DataObject) -> None:
    with holding([*records, *said_later(data, records)]) as ledger, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "_SIZE", 3)
        for form in (check, check_transcript):
            assert form(ledger, CallQuery(limit=None)) == len(records)
            with ledger.together():  # to open the file for each question takes as long as all of these
                assert form(ledger, CallQuery(limit=4)) == min(4, len(records))
                form(ledger, CallQuery(limit=None, where=filters({"cost_status": "priced"})))
                form(ledger, CallQuery(limit=None, since=NOON, where=filters({"currency": "USD"})))


def test_a_carriage_return_is_written_as_this_python_writes_it() -> None:
    with holding(calls_of([{"user": "a\rb"}, {"error": "gone\r\n"}])) as ledger:
        assert check(ledger, CallQuery(limit=None)) == 2


def test_an_object_of_nothing_is_an_empty_cell(tmp_path: Path) -> None:
    """As some other program may have left it in the file."""
    ledger = DuckLedger(tmp_path)
    ledger.add(calls_of([{"user": "u"}]))
    with duckdb.connect(str(tmp_path / "ledger.duckdb")) as other:
        other.execute("UPDATE calls SET extra = '{}', flags = '[]'")
    assert check(ledger, CallQuery(limit=None)) == 1
    ledger.close()


def no_record(records: Iterable[Record]) -> Iterable[str]:
    assert not list(records)
    return ()


def calls_of(odd: list[dict[str, Any]]) -> list[Record]:
    return [
        usual(**{"at": NOON + timedelta(seconds=n, microseconds=n), "id": uuid7(NOON), **fields})
        for n, fields in enumerate(odd)
    ]


FLAGGED = Usage.of({"input": 3, "output": 4, "reasoning": 1}, flags=("partial", "clamped", "ü,"))
QUOTED: list[dict[str, Any]] = [
    {"user": 'a "b", c', "session": "one\ntwo", "tags": {"b": 'ü"\n\x1f\x7f', "a": ""}, "agent": " ' "},
    {"error": "", "workspace": "\t\u2028;", "usage": FLAGGED, "extra": {"n": [1.0, 1e22, -1e-7, None, "\\"]}},
    {"usage": Usage.of({"input": 3, "web_search": 2, "pages": 1})},
    {"usage": Usage.of({"images": 2}, reported_cost=Decimal("0.5"))},
    {"usage": Usage(), "user": "none", "streamed": True, "retries": 3, "correct": False},
]


def test_usual_calls_need_no_record() -> None:
    calls = calls_of([*USUAL, *QUOTED])
    with holding(calls) as ledger:
        assert check(ledger, CallQuery(limit=None)) == len(calls)
        found = list(ledger.tabled(CallQuery(limit=None), tuple(COLUMNS), no_record))
    assert [count for count, _ in found] == [len(calls)]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20),
    st.dictionaries(st.text(st.characters(codec="utf-8")), JSON),
)
@example([1e16, 9999999999999998.0, 1e-4, 9.9e-5, 5e-324, 1.7976931348623157e308, 123456.7, -0.0], {})
def test_numbers_and_documents(numbers: list[float], document: dict[str, Any]) -> None:
    odd = [{"latency_ms": n, "quality_score": -n, "extra": document} for n in (1.5, *numbers)]
    with holding(calls_of(odd)) as ledger:
        assert check(ledger, CallQuery(limit=None)) == len(odd)


def test_totals_that_a_line_states_otherwise_are_those_of_its_usage(tmp_path: Path) -> None:
    (call,) = calls_of([{"usage": Usage.of({"input": 3, "output": 4})}])
    stated = line_of(call).replace(b'"output_tokens":4', b'"output_tokens":5')
    bare = (
        line_of(call)
        .replace(b'"usage":{"input":3,"output":4},', b"")
        .replace(call.id[:8].encode(), b"00000001")
    )
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "20261101T000000-h-1-00000001.jsonl").write_bytes(stated + bare)
    ledger = DuckLedger(tmp_path)
    assert check(ledger, CallQuery(limit=None)) == 2
    text = b"".join(lines for _, lines in ledger.tabled(CallQuery(limit=None), tuple(COLUMNS), csv_lines))
    assert text.count(b",3,0,0,4,0,7,") == 1
    assert text.count(b",0,0,0,0,0,0,") == 1
    ledger.close()
