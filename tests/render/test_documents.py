"""JSON and CSV: exact money, and text that every reader takes."""

import csv
import json
from decimal import Decimal
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outlay.core.query import METRICS, Query, Row
from outlay.render.as_csv import csv_text
from outlay.render.as_json import json_text
from outlay.report import Report


def row(**given_values: Any) -> Row:
    return {**dict.fromkeys(METRICS, 0), "cost": Decimal("1E-18"), "avg_cost": None, **given_values}


def test_money_is_a_plain_decimal_string_and_signs_stay() -> None:
    assert (
        json_text({"cost": Decimal("1E-7"), "model": "é"}) == '{\n  "cost": "0.0000001",\n  "model": "é"\n}'
    )


def test_what_json_cannot_hold_becomes_null() -> None:
    assert json.loads(json_text([float("nan"), float("inf"), 1.5])) == [None, None, 1.5]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_document_comes_back_equal(document: Any) -> None:
    assert json.loads(json_text(document).encode()) == document


def test_half_a_surrogate_pair_is_written_as_an_escape() -> None:
    text = json_text({"model": "\ud83d"})
    assert text.encode()
    assert json.loads(text) == {"model": "\ud83d"}


def test_csv_has_a_heading_then_rows_and_nothing_for_the_unknown() -> None:
    report = Report([row(model="a,b"), row(model=None)], row(), Query(by=("model",)))
    heading, first, second = csv.reader(StringIO(csv_text(report)))
    assert heading == ["model", *METRICS]
    assert (first[0], second[0]) == ("a,b", "")
    assert first[heading.index("cost")] == "0.000000000000000001"
    assert first[heading.index("avg_cost")] == ""


def test_csv_without_dimensions_is_the_total() -> None:
    heading, only = csv.reader(StringIO(csv_text(Report([row(calls=1)], row(calls=7), Query()))))
    assert only[heading.index("calls")] == "7"
