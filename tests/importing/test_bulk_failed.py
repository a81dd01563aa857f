"""Failed calls in bulk: their outcome, and what is kept of their errors' words, as one by one."""

from pathlib import Path
from typing import Any

import pytest
from tests.importing.test_bulk import TEN, both_agree, left, rows_of

from outlay.core.record import Record
from outlay.importing.bulk.layouts import Origin
from outlay.importing.files import Heading

KEY = "sk-abcdefghijkl"
NAMES = [str(n) for n in range(24)]


def outcomes(records: list[Record]) -> set[tuple[str, str | None]]:
    return {(each.status, each.error) for each in records}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"success": [False, True], "error": [f"bad {KEY}", None]},
            {("error", "bad [key]"), ("success", None)},
        ),
        ({"success": [False], "error": ["two\nlines"]}, {("error", "two lines")}),
        ({"error": ["x" * 400, None]}, {("error", f"{'x' * 299}…"), ("success", None)}),
        ({"error_type": ["TimeoutError", None]}, {("error", None), ("success", None)}),
        (
            {"error": ["bad", None, None], "error_type": [None, "TimeoutError", None]},
            {("error", "bad"), ("error", None), ("success", None)},
        ),
        ({"status": ["success"], "error": ["late"]}, {("success", "late")}),
        ({"status": [None], "success": [True], "error": ["late"]}, {("success", "late")}),
    ],
)
def test_plain_failures(tmp_path: Path, fields: dict[str, list[Any]], expected: set[Any]) -> None:
    counts = {"input_tokens": [10, 7, None], "output_tokens": [1, 0, None]}
    times: dict[str, list[Any]] = {"latency": [2], "latency_ms": [5, None]}
    data = rows_of(NAMES, timestamp=[TEN], model=["gpt-4o"], **counts, **times, **fields)
    assert left(data, tmp_path) == 0
    records = both_agree(data).records
    assert outcomes(records) == expected
    assert {each.latency_ms for each in records} == {5, 2000}  # milliseconds before seconds


def test_failures_of_a_table(tmp_path: Path) -> None:
    heading = Heading(("timestamp", "model", "cost", "success", "error"), ",")
    rows = [
        f"{TEN},gpt-4o,0.{n},{'no' if n % 2 else 'yes'},{f'bad {KEY}' if n % 2 else ''}" for n in range(9)
    ]
    data = "\n".join([",".join(heading.names), *rows, ""]).encode()
    assert left(data.partition(b"\n")[2], tmp_path, Origin(heading=heading)) == 0
    assert outcomes(both_agree(data).records) == {("error", "bad [key]"), ("success", None)}


def test_failures_of_langfuse(tmp_path: Path) -> None:
    data = rows_of(
        NAMES,
        id=[f"o{n}" for n in range(24)],
        traceId=["t"],
        type=["GENERATION"],
        startTime=["2026-11-20T10:00:00.123Z"],
        level=["ERROR", "DEFAULT", "error"],
        statusMessage=[f"bad {KEY}", "fine", None],
        model=["gpt-4o"],
        usageDetails=[{"input": 100, "output": 7}],
    )
    assert left(data, tmp_path) == 0
    assert outcomes(both_agree(data).records) == {("error", "bad [key]"), ("success", None), ("error", None)}


def test_failures_of_helicone(tmp_path: Path) -> None:
    data = rows_of(
        NAMES,
        request_id=[f"h{n}" for n in range(24)],
        request_created_at=["2026-11-20T10:00:00.123Z"],
        response_status=[200, 429, 399, 400],
        provider=["OPENAI"],
        request_model=["gpt-4o"],
        prompt_tokens=[100, None],
    )
    assert left(data, tmp_path) == 0
    assert outcomes(both_agree(data).records) == {
        ("success", None),
        ("error", "HTTP 429"),
        ("error", "HTTP 400"),
    }
