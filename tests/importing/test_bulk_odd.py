"""Odd rows in bulk: each becomes what it is one by one, or a fault with its line; no other row suffers."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.importing.test_bulk import FIRST, TEN, Way, both_agree, imported, left, line

from outlay.core.errors import ImportFileError
from outlay.importing import SHAPES
from outlay.importing.bulk import cutting
from outlay.importing.bulk.layouts import Origin


@pytest.fixture
def small_cells() -> Iterator[None]:
    """Have the limit of a cell with which Python begins: another test's table may have raised it."""
    before = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(before)


def test_an_hour_within_which_clocks_change_is_read_one_by_one(tmp_path: Path) -> None:
    """Lord Howe puts its clocks forward by half an hour at 02:00; here no other call is of that model."""
    zone = ZoneInfo("Australia/Lord_Howe")
    rows = [{"timestamp": f"2026-10-04T02:{minute}:00", "cost": 1} for minute in (10, 40)]
    data = b"".join(line(row) for row in rows)
    assert left(data, tmp_path, zone=zone) == 2
    assert [f"{each.at:%H:%M}" for each in both_agree(data, zone=zone).records] == ["15:40", "15:40"]


@pytest.mark.usefixtures("small_cells")
def test_a_bad_row_with_a_long_cell_is_a_bad_row() -> None:
    rows = [f"{TEN},1,fine", f"{TEN},none,{'x' * 200_000}", f'{TEN},-1,"{"x," * 200_000}"', f"{TEN},2,fine"]
    done = both_agree("\n".join(["timestamp,cost,note", *rows, ""]).encode())
    assert (done.new, [number for number, _ in done.faults]) == (2, [3, 4])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"cost": 10**30}, "cost must be at most 1,000,000,000,000,000,000"),
        ({"cost": 1, "prompt_length": 10**20}, "prompt_length must be a whole number up to"),
        ({"cost": 1, "timestamp": True}, "True is no time"),
    ],
)
def test_what_no_ledger_holds_is_one_bad_row(row: dict[str, object], reason: str) -> None:
    """It had refused all rows that were to be kept at once, without a word on which it was."""
    done = both_agree(FIRST + b"\n" + line({"timestamp": TEN, **row}))
    assert done.new == 1
    ((number, said),) = done.faults
    assert (number, said.startswith(reason)) == (2, True)


def test_numerals_and_nests_beyond_measure_are_bad_rows() -> None:
    deep = f'{{"timestamp": "{TEN}", "cost": 1, "n": 1234567890123456789, "deep": {"[" * 2000}{"]" * 2000}}}'
    small = f'{{"timestamp": "{TEN}", "cost": 1e-99999999999999999999}}'
    done = both_agree(FIRST + f"\n{deep}\n{small}\n".encode() + line({"timestamp": TEN, "cost": 2}))
    assert (done.new, [number for number, _ in done.faults]) == (2, [2, 3])


def test_what_is_too_deep_for_forms_is_read_one_by_one() -> None:
    nest = '{"a":' * 450 + "1" + "}" * 450
    deep = f'{{"timestamp": "{TEN}", "cost": 1, "deep": {nest}}}'
    assert both_agree(FIRST + f"\n{deep}\n".encode() + line({"timestamp": TEN, "cost": 2})).new == 3


@pytest.mark.parametrize("numeral", ["NaN", "-Infinity", "1e400", "5"])
def test_a_numeral_in_the_place_of_an_object(numeral: str) -> None:
    """DuckDB reads more than JSON has; kept in a ledger, no question that shows calls was answered."""
    rows = [f'{{"timestamp": "{TEN}", "cost": {n}, "note": {{"x": 1, "y": ["z"]}}}}' for n in range(1, 40)]
    rows[7] = f'{{"timestamp": "{TEN}", "cost": 1, "note": {numeral}}}'
    done = both_agree("\n".join(rows).encode())
    assert (done.new, [number for number, _ in done.faults]) == ((39, []) if numeral == "5" else (38, [8]))


def test_properties_of_a_request_may_hold_an_object() -> None:
    asked = {"request_created_at": TEN, "provider": "OPENAI", "prompt_tokens": 1}
    rows = [{**asked, "request_id": f"h{n}", "request_properties": {"a": {"b": "c"}}} for n in range(9)]
    assert [dict(each.tags)["a"] for each in both_agree(b"".join(map(line, rows))).records] == [
        "{'b': 'c'}"
    ] * 9


def test_requests_without_a_name_are_told_apart() -> None:
    """As by their content; and where Helicone's shape is only said of them."""
    asked = {"request_created_at": TEN, "request_id": None, "provider": "OPENAI", "prompt_tokens": 1}
    data = b"".join(line({**asked, "request_user_id": user}) for user in ("a", "b"))
    assert {each.user for each in both_agree(data).records} == {"a", "b"}
    del asked["request_id"]
    done = both_agree(json.dumps(asked).encode() + b"\n", Origin(SHAPES["helicone"]))
    assert (done.new, done.conflicts) == (1, 0)


def test_a_whole_number_of_more_than_64_bits_keeps_its_digits() -> None:
    """It came back as a float."""
    rows = [{"timestamp": TEN, "cost": 1, "n": n, "in": [n]} for n in (2**64 - 1, 2**64, -(2**63), 10**25)]
    kept = [dict(each.extra) for each in both_agree(b"".join(map(line, rows))).records]
    told = [2**64 - 1, str(2**64), -(2**63), str(10**25)]
    assert sorted(map(str, kept)) == sorted(str({"n": n, "in": [n]}) for n in told)


def test_a_currency_in_small_letters_is_no_other_one(tmp_path: Path) -> None:
    """It was, and the cost of all calls together unknown."""
    told = ("usd", "USD", "Eur", " eur")
    data = b"".join(line({"timestamp": TEN, "cost": 1, "currency": each, "n": 1}) for each in told)
    assert left(data, tmp_path) == 1
    assert sorted(each.currency for each in both_agree(data).records) == ["EUR", "EUR", "USD", "USD"]


@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("odd", ["EURO", "euro", "$", "ß", "ﬁx", "U2D", "US"])
def test_a_currency_that_is_no_code_makes_a_bad_row(odd: str, *, table: bool) -> None:
    """Its amount was kept in a currency that there is not."""
    rows = [(n, odd if n == 2 else "USD") for n in range(9)]
    data = b"".join(line({"timestamp": TEN, "cost": n, "currency": said}) for n, said in rows)
    if table:
        data = "".join(["at,cost,currency\n", *(f"{TEN},{n},{said}\n" for n, said in rows)]).encode()
    done = both_agree(data)
    assert (done.new, {each.currency for each in done.records}) == (8, {"USD"})
    reason = f"currency must be a code of three letters such as USD, not {odd!r}"
    assert done.faults == [(4 if table else 3, reason)]


def test_a_line_of_the_sign_that_stands_for_an_empty_one_is_a_bad_row() -> None:
    """It was passed over without a word."""
    done = both_agree(FIRST + b"\n\x02\n\n" + line({"timestamp": TEN, "cost": 2}))
    assert (done.new, [number for number, _ in done.faults]) == (2, [2])


@pytest.mark.parametrize("odd", ['"user": "cut \\ud83d"', '"": 1', '"*": 1'])
def test_a_line_that_the_engine_cannot_read_keeps_no_other_from_the_bulk(odd: str, tmp_path: Path) -> None:
    """It sent the whole block one by one: right, but as slow as if there were no engine."""
    rows = [f'{{"timestamp": "{TEN}", "cost": {n}, "n": {n}}}' for n in range(1, 60)]
    data = "".join(f"{row}\n" for row in [*rows, f'{{"timestamp": "{TEN}", "cost": 0.5, {odd}}}']).encode()
    assert left(data, tmp_path) == 1
    done = both_agree(data)
    assert done.new + len(done.faults) == 60


def test_a_row_of_a_table_that_tells_nothing_is_no_call() -> None:
    """In bulk it was a call of unknown cost; one by one it was a bad row."""
    data = f"timestamp,model,input_tokens,output_tokens\n{TEN},gpt-4o,5,2\n{TEN},gpt-4o,,\n{TEN},o3,7,\n"
    done = both_agree(data.encode())
    assert (done.calls, [number for number, _ in done.faults]) == (2, [3])


@pytest.mark.parametrize("name", [5, 1.5, True, 0])
def test_a_model_that_is_named_by_a_number_has_no_price(name: object) -> None:
    """Pricing itself failed."""
    row = {"id": "o", "traceId": "t", "startTime": TEN, "type": "GENERATION", "model": name,
           "usageDetails": {"input": 5, "output": 2}}  # fmt: skip
    call = both_agree(json.dumps(row).encode()).records[0]
    assert (call.model, call.charge.reason) == (str(name), f"no price of {name} is known")


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_quotation_mark_that_is_never_closed_is_told(end: str) -> None:
    """All lines after it were a part of one call's model, and nothing said so."""
    rows = [f'{TEN},1,"a\nb"', f'{TEN},2,5" wide', f'{TEN},3,"gpt', f"{TEN},4,o3", f"{TEN},5,o3"]
    done = both_agree(("\n".join(["timestamp,cost,model", *rows]) + end).encode())
    assert (done.calls, done.read[0]) == (2, 3)
    assert done.faults == [(7, "a quotation mark is never closed: it took in the 2 lines before this")]


TOLD_IN_PART: list[dict[str, object]] = [
    {"input_tokens": 1000},
    {"output_tokens": 500},
    {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 4000},
    {"input_tokens": 1000, "total_tokens": 1500},
    {"input_tokens": 1000, "total_tokens": 0},
    {"input_tokens": 1000, "cached_tokens": 10, "output_tokens": None},
]
TOLD_WHOLE: list[dict[str, object]] = [
    {"input_tokens": 1000, "output_tokens": 500},
    {"input_tokens": 1000, "total_tokens": 1000},
    {"input_tokens": 1000, "cached_tokens": 10, "output_tokens": 500, "total_tokens": 1500},
    {"input_tokens": 1000, "reasoning_tokens": 500},
]


def test_rows_that_tell_of_a_part_of_their_tokens_are_partial_in_bulk_too(tmp_path: Path) -> None:
    rows = [
        {"timestamp": TEN, "model": "gpt-4o", "note": n, **told}
        for n, told in enumerate([*TOLD_WHOLE, *TOLD_IN_PART] * 3)
    ]
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    assert left(data, tmp_path) == 3 * len(TOLD_IN_PART)
    states = [each.cost_status for each in both_agree(data).records]
    assert (states.count("priced"), states.count("partial")) == (3 * len(TOLD_WHOLE), 3 * len(TOLD_IN_PART))
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [",".join(names), *(",".join(str(row.get(name) or "") for name in names) for row in rows)]
    assert both_agree("\n".join([*table, ""]).encode()).new == len(rows)


@pytest.mark.parametrize(
    ("mapping", "other", "says", "else_"),
    [
        ({"prompt_tokens": "In"}, {"input_tokens": 7}, "input_tokens", 7),
        ({"input_tokens": "In"}, {"Prompt Tokens": 7}, "input_tokens", 7),
        ({"latency_ms": "In"}, {"latency": 7}, "latency_ms", 7000),
    ],
)
def test_a_column_that_is_mapped_stands_over_all_names_of_its_field(
    mapping: dict[str, str], other: dict[str, int], says: str, else_: int
) -> None:
    rows = [{"timestamp": TEN, "cost": n, "In": 1000, **other, "output_tokens": 1} for n in range(9)]
    without = {"timestamp": TEN, "cost": 10, **other, "output_tokens": 1}  # its own name tells it
    data = b"".join(json.dumps(row).encode() + b"\n" for row in [*rows, without])
    done = both_agree(data, Origin(mapping=mapping))
    told = [getattr(each, says) for each in done.records]
    assert sorted(told) == sorted([else_, *[1000] * 9])


def test_a_latency_in_seconds_that_is_mapped_stands_over_one_in_milliseconds() -> None:
    rows = [{"timestamp": TEN, "cost": n, "secs": 2, "latency_ms": 7} for n in range(9)]
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    done = both_agree(data, Origin(mapping={"latency": "secs"}))
    assert {each.latency_ms for each in done.records} == {2000}


@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("field", ["input_tokens", "session", "query_type", "status"])
def test_what_is_mapped_takes_nothing_from_rows_that_have_names_of_their_own(
    field: str, *, table: bool
) -> None:
    """LiteLLM's prompt_tokens became 0 beside a mapped ``input_tokens``, and Langfuse's type no type."""
    of_litellm = {
        "request_id": "r", "spend": "0.5", "startTime": TEN, "model": "gpt-4o", "prompt_tokens": "7",
        "completion_tokens": "2", "session_id": "s", "In": "9",
    }  # fmt: skip
    of_langfuse = {
        "id": "o", "traceId": "t", "startTime": TEN, "type": "GENERATION", "model": "gpt-4o", "In": "9",
        "usageDetails": '{"input": 7, "output": 2}', "name": "n", "sessionId": "s", "success": "odd",
    }  # fmt: skip
    for row in (of_litellm, of_langfuse):
        text = io.StringIO()
        csv.writer(text).writerows([row, row.values()])
        data = text.getvalue().encode() if table else json.dumps(row).encode() + b"\n"
        (with_it,), (without,) = (
            both_agree(data, Origin(mapping=mapping)).records for mapping in ({field: "In"}, None)
        )
        assert (with_it.input_tokens, with_it.session) == (7, "s")
        assert replace(with_it, status=without.status) == without


def test_a_mark_before_a_line_within_the_file_makes_a_bad_row_at_a_block_s_edge_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where files were joined: the engine passes over it where its own file begins."""
    monkeypatch.setattr(cutting, "_ROWS", 2)
    rows = [line({"timestamp": TEN, "cost": n}) for n in range(6)]
    for at in (2, 3):
        marked = [*rows[:at], b"\xef\xbb\xbf" + rows[at], *rows[at + 1 :]]
        done = both_agree(b"".join(marked))
        assert (done.new, [number for number, _ in done.faults]) == (5, [at + 1])


@pytest.mark.parametrize("bulk", ["in bulk", "as lines", "one by one"])
@pytest.mark.parametrize("kind", ["table", "lines", "document"])
def test_a_mapped_column_that_is_missing_is_refused_beside_a_usual_one(
    kind: str, bulk: Way, tmp_path: Path
) -> None:
    """What the usual column says was kept in its place; a value or an inner key of that name is no column."""
    rows = [{"at": TEN, "Cost": n, "note": "Nett", "of": {"Nett": 1}} for n in range(9)]
    data = b"".join(map(line, rows)) if kind == "lines" else json.dumps(rows).encode()
    if kind == "table":
        data = b"at,Cost,note\n" + f"{TEN},1,Nett\n".encode() * 9
    with pytest.raises(ImportFileError, match="no column 'Nett' for cost; there are at, Cost, note"):
        imported(data, tmp_path, Origin(mapping={"cost": "Nett"}), UTC, bulk)


def test_a_mapped_column_may_first_stand_in_a_later_row_of_json() -> None:
    rows = [{"at": TEN, "Cost": 1, **({"Nett": 5} if n == 7 else {})} for n in range(9)]
    done = both_agree(b"".join(map(line, rows)), Origin(mapping={"cost": "Nett"}))
    assert sorted(each.cost or 0 for each in done.records) == [*[1] * 8, 5]
