"""Files of several forms in bulk: failures and spans between calls, and numbers as others write them."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.importing.test_bulk import BOOK, TEN, both_agree, few, left, maker

from outlay.importing.bulk import cutting, forms, layouts, reading
from outlay.importing.bulk.forms import Form, forms_of
from outlay.importing.bulk.layouts import Origin
from outlay.ledger import DuckLedger

KEY = "sk-abcdefghijkl"


def spend(n: int, cost: str = "0.25", **metadata: Any) -> str:
    told = {"status": "success", "error_information": None, "usage_object": {"cached_tokens": 3}} | metadata
    row = {"request_id": f"r{n}", "spend": "COST", "startTime": TEN, "model": "gpt-4o", "prompt_tokens": 90,
           "completion_tokens": 20, "status": told["status"], "metadata": told}  # fmt: skip
    return json.dumps(row).replace('"COST"', cost)


def failed(n: int, cost: str = "0", **error: Any) -> str:
    told = {"error_message": "boom", "error_class": "", "error_code": "429"} | error
    return spend(n, cost, status="failure", error_information=told, usage_object=None)


def observed(n: int, total: str = "0.5", **fields: Any) -> str:
    row = {"id": f"o{n}", "traceId": "t", "type": "GENERATION", "startTime": TEN, "model": "gpt-4o",
           "usageDetails": {"input": 9, "output": 3}, "costDetails": {"total": "TOTAL"},
           "calculatedTotalCost": 0.125} | fields  # fmt: skip
    return json.dumps(row).replace('"TOTAL"', total)


def span(n: int) -> str:
    return json.dumps({"id": f"s{n}", "type": "SPAN", "name": "find", "traceId": "t", "startTime": TEN})


def written(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def test_failures_among_spend_logs(tmp_path: Path) -> None:
    rows = [spend(n) for n in range(40)]
    rows[7:9] = [failed(n, error_message=f"bad {KEY}", error_class="E") for n in (7, 8)]
    rows[20] = failed(20, error_message="", error_class="RateLimitError")
    rows[30] = spend(30, "0", status="failure", usage_object=None)
    rows[31] = failed(31, "0.5", error_message="late")
    data = written(rows)
    assert left(data, tmp_path) == 0
    done = both_agree(data)
    told = {(each.error, each.usage.reason, str(each.cost)) for each in done.records if each.error}
    assert told == {
        ("bad [key]", "no usage was given", "None"),
        ("RateLimitError", "no usage was given", "None"),
        ("the call failed", "no usage was given", "None"),
        ("late", None, "0.5"),  # it was charged all the same, and its tokens count
    }
    assert sum(each.status == "error" for each in done.records) == 5
    kinds = [each.error_type for each in done.records if each.error_type]
    assert sorted(kinds) == ["E", "E", "RateLimitError"]


def test_spans_among_observations(tmp_path: Path) -> None:
    rows = [span(n) if n % 5 == 0 else observed(n) for n in range(60)]
    rows[9] = observed(9, usageDetails={}, costDetails={}, level="ERROR", statusMessage="boom")
    data = written(rows)
    assert left(data, tmp_path) == 0
    done = both_agree(data)
    assert (done.new, done.read[1]) == (48, 12)


@pytest.mark.parametrize("number", [4_500, 9_000, 9_005])
def test_a_file_that_repeats_itself_has_all_its_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Of kinds by turns none is missed, whatever the number of lines."""
    seen: list[str] = []

    def note(lines: Iterable[str]) -> list[Form]:
        seen.extend(lines)
        return []

    monkeypatch.setattr(layouts, "forms_of", note)
    assert left(written(span(n) if n % 5 == 0 else observed(n) for n in range(number)), tmp_path) == 0
    spans = sum("SPAN" in line for line in seen)
    assert (len(seen), 120 < spans < 240) == (900, True)


@pytest.mark.parametrize("zero", ["0", "0.0"])
def test_a_total_of_nothing_is_none(tmp_path: Path, zero: str) -> None:
    data = written(observed(n, zero if n % 2 else "0.75") for n in range(20))
    assert left(data, tmp_path) == 0
    assert {str(each.cost) for each in both_agree(data).records} == {"0.125", "0.75"}


def test_small_amounts_are_read_as_python_and_others_write_them(tmp_path: Path) -> None:
    amounts = ["0.25", "7.25e-05", "0.0000725", "1.1e-06", "0.0000011", "0.00011"]
    data = written(spend(n, amounts[n % len(amounts)]) for n in range(60))
    assert left(data, tmp_path) == 0
    found = {format(each.cost or 0, "f") for each in both_agree(data).records}
    assert found == {"0.25", "0.0000725", "0.0000011", "0.00011"}


def test_a_line_that_is_none_beside_forms(tmp_path: Path) -> None:
    data = written([*map(spend, range(20)), '{"request_id": "r1", ', *(failed(n) for n in range(20, 30))])
    assert left(data, tmp_path) == 1
    done = both_agree(data)
    assert [number for number, _ in done.faults] == [21]
    assert done.new == 30


def test_the_forms_of_lines() -> None:
    rows = [spend(n) for n in range(8)] + [failed(n, error_message="x") for n in range(2)]
    mixed = [json.dumps({"a": {str(n): 1}}) for n in range(4)]
    found = forms_of([*rows, *mixed, *map(span, range(5))])
    listed = [spend(0), span(0), mixed[0], failed(0, error_message="x"), spend(0)]  # at last what is left
    assert [form.sample for form in found] == listed


def tagged(n: int, tags: object = ("a", "b"), **metadata: Any) -> str:
    return spend(n, f"0.{n + 1}", **metadata).replace(
        '"status"', f'"request_tags": {json.dumps(tags)}, "status"', 1
    )


def test_what_is_always_the_same_stands_in_the_form() -> None:
    """It is not read from each line; a form without it comes behind, for lines with something else."""
    narrow, wide = forms_of(tagged(n) for n in range(90))
    same = {
        ("startTime",): TEN, ("model",): "gpt-4o", ("prompt_tokens",): "90", ("completion_tokens",): "20",
        ("status",): "success", ("request_tags",): '["a","b"]', ("metadata", "status"): "success",
        ("metadata", "usage_object", "cached_tokens"): "3",
    }  # fmt: skip
    assert narrow.same == same
    assert (wide.tree, wide.same) == (narrow.tree, {})
    assert [form.same for form in forms_of(tagged(n) for n in range(89))] == [{}]  # too few to know


def test_lines_with_another_value_than_all_before(tmp_path: Path) -> None:
    rows = [tagged(n) for n in range(2_000)]
    rows[700] = tagged(700, ["c"])
    rows[800] = tagged(800, usage_object={"cached_tokens": 4})
    rows[900] = (
        rows[900].replace('"gpt-4o"', '"gpt-4o-mini"').replace('"prompt_tokens": 90', '"prompt_tokens": 91')
    )
    rows[950] = rows[950].replace('["a", "b"]', '["a","b"]')
    data = written(rows)
    assert left(data, tmp_path) == 0
    done = both_agree(data)
    assert done.new == 2_000
    found = {
        (each.model, each.input_tokens, each.cached_tokens, each.tags["request_tags"])
        for each in done.records
    }
    usual = ("gpt-4o", 90, 3, "a,b")
    assert found == {usual, ("gpt-4o", 90, 3, "c"), ("gpt-4o", 90, 4, "a,b"), ("gpt-4o-mini", 91, 3, "a,b")}


@pytest.mark.parametrize(
    "odd", ['"a\\u00e9"', '"a\\"b"', '"a b"', '"é"', "0.0", "-0", "true", "1e3", '["a:b, c"]', "{}", "[1]"]
)
def test_any_value_may_always_be_the_same(tmp_path: Path, odd: str) -> None:
    rows = [spend(n).replace('"status"', f'"end_user": {odd}, "status"', 1) for n in range(95)]
    both_agree(written(rows))
    observations = [observed(n).replace('"type"', f'"userId": {odd}, "type"', 1) for n in range(95)]
    both_agree(written(observations))


def test_blocks_that_were_swept_away_are_read_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cutting, "_ROWS", 3)
    ledger = DuckLedger(tmp_path)
    steps = reading.Bulk(ledger, BOOK, maker(), Origin()).steps(io.BytesIO(written(map(spend, range(12)))))
    new = next(steps).new
    for left_behind in ledger.spool.glob("import.*"):
        left_behind.unlink()
    assert new + sum(step.new for step in steps) == 12
    ledger.close()


LINES = st.one_of(
    st.integers(0, 90).map(spend),
    st.builds(
        spend, st.integers(0, 90), st.sampled_from(["0", "1e-07", "2.5e-05", "0.00001", "1E-5", "1e5"])
    ),
    st.builds(failed, st.integers(0, 90), st.sampled_from(["0", "0.0", "0.5", "null"])),
    st.builds(
        failed,
        st.integers(0, 90),
        error_message=st.sampled_from([f"bad {KEY}", "", None, 7, "two\nlines", {"a": 1}]),
        error_code=st.sampled_from(["429", 429, None, True]),
    ),
    st.builds(spend, st.integers(0, 90), status=st.sampled_from(["failure", "Failure", None, "other"])),
    st.builds(spend, st.integers(0, 90), other=st.just({"a": 1})),
)
SEEN = st.one_of(
    st.integers(0, 90).map(observed),
    st.integers(0, 9).map(span),
    st.builds(
        observed, st.integers(0, 90), st.sampled_from(["0", "0.0", "-0.0", "0e0", '"0.0"', "2e-05", "null"])
    ),
    st.builds(
        observed, st.integers(0, 90), usageDetails=st.sampled_from([{}, None, {"input": 1, "total": 1}])
    ),
    st.builds(
        observed, st.integers(0, 90), level=st.just("ERROR"), statusMessage=st.sampled_from(["x", None])
    ),
)


@pytest.mark.parametrize("sure", [1, 3, 90])
@pytest.mark.parametrize("some", [LINES, SEEN], ids=["litellm", "langfuse"])
def test_any_forms_mixed(some: st.SearchStrategy[str], sure: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "_SURE", sure)

    @few
    @given(st.lists(some, min_size=1, max_size=40))
    def agree(rows: list[str]) -> None:
        both_agree(written(rows))

    agree()
