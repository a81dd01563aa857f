"""Helicone's requests as its own code writes them: its table's money, thought tokens, what is no model."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.importing.test_bulk import Done, both_agree, left

TEN = "2026-11-20T10:00:00Z"
BY_API: dict[str, Any] = {
    "request_id": "h1", "request_created_at": TEN, "response_status": 200, "delay_ms": 900,
    "provider": "OPENAI", "request_model": "gpt-4o", "prompt_tokens": 1000, "completion_tokens": 100,
    "reasoning_tokens": 400, "total_tokens": 1500, "cost": 0,
}  # fmt: skip
STORED: dict[str, Any] = {
    "request_id": "h1", "request_created_at": "2026-11-20 10:00:00.000", "status": 200, "latency": "900",
    "organization_id": "o", "provider": "OPENAI", "model": "gpt-4o", "prompt_tokens": "1000",
    "completion_tokens": "100", "cost": "3500001",
}  # fmt: skip


def lines(*rows: dict[str, Any]) -> bytes:
    made = [{**row, "request_id": f"h{n}"} for n, row in enumerate(rows * 40)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in made)


def units(done: Done) -> set[frozenset[tuple[str, Any]]]:
    return {frozenset(each.usage.items) for each in done.records}


def test_thought_tokens_lie_beside_the_completion(tmp_path: Path) -> None:
    """They were taken for a part of it: 400 of 500 tokens were gone."""
    data = lines(BY_API)
    assert left(data, tmp_path) == 0
    done = both_agree(data)
    assert units(done) == {frozenset([("input", 1000), ("output", 100), ("reasoning", 400)])}
    # 1000 x 2.50 + 500 x 10, a million
    assert {each.cost for each in done.records} == {Decimal("0.0075")}
    within = both_agree(lines({**BY_API, "completion_tokens": 500}))
    assert units(within) == units(done)


@pytest.mark.parametrize("cost", [3500001, "3500001", 3500001.0])
def test_its_table_counts_money_in_billionths(cost: object, tmp_path: Path) -> None:
    """A call of a third of a cent cost three and a half million dollars."""
    done = both_agree(lines({**STORED, "cost": cost}))
    assert {(each.cost, each.cost_status) for each in done.records} == {(Decimal("0.003500001"), "reported")}
    assert both_agree(lines({**STORED, "cost": 0})).records[0].cost == Decimal("0.0035")  # as the book says
    assert isinstance(cost, float) or left(lines({**STORED, "cost": cost}), tmp_path) == 0


def test_the_first_name_of_a_cost_that_says_something_counts() -> None:
    rows = ({**BY_API, "cost": 0.5, "costUSD": None}, {**BY_API, "cost": None, "costUSD": 0.25})
    assert {each.cost for each in both_agree(lines(*rows)).records} == {Decimal("0.5"), Decimal("0.25")}


@pytest.mark.parametrize("model", ["vector_db", "tool:weather", "data:cart", "assistant-polling"])
def test_what_a_program_logs_beside_is_no_call(model: str) -> None:
    """Each was a call more, of unknown cost."""
    logged = {**BY_API, "request_model": model, "prompt_tokens": 0, "completion_tokens": 0,
              "reasoning_tokens": 0, "total_tokens": 0}  # fmt: skip
    done = both_agree(lines(BY_API, logged))
    assert (done.calls, done.read) == (40, (80, 40, "helicone"))
    told = both_agree(lines({**logged, "cost": 0.25}))
    assert {each.cost for each in told.records} == {Decimal("0.25")}


def test_audio_lies_beside_the_text(tmp_path: Path) -> None:
    """It was left out, of the tokens and of the cost."""
    spoken = {**STORED, "cost": "0", "model": "gpt-4o-audio-preview", "prompt_audio_tokens": 300,
              "completion_audio_tokens": "20"}  # fmt: skip
    silent = {**spoken, "prompt_audio_tokens": 0, "completion_audio_tokens": "0"}
    data = lines(spoken, silent)
    assert left(data, tmp_path) == 40
    text = {("input", 1000), ("output", 100)}
    audio = {("input_audio", 300), ("output_audio", 20)}
    assert units(both_agree(data)) == {frozenset(text | audio), frozenset(text)}


PAGE: dict[str, Any] = {
    "_type": "openai-chat", "id": "h1", "model": "gpt-4o", "raw": {"request": {}, "response": {"id": "c"}},
    "heliconeMetadata": {
        "requestId": "h1", "createdAt": TEN, "cost": 0.0125, "promptTokens": 1000, "completionTokens": 500,
        "promptCacheReadTokens": 200, "promptCacheWriteTokens": 0, "totalTokens": 1500, "latency": 900,
        "user": "u1", "customProperties": {"Helicone-Session-Id": "s1", "team": "a"}, "provider": "OPENAI",
        "status": {"statusType": "success", "code": 200}, "timeToFirstToken": 80, "cacheReferenceId": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("as_table", [False, True])
def test_what_the_button_of_its_page_saves(as_table: bool) -> None:  # noqa: FBT001  # a parameter
    """No row of it was read: what counts stands in an object, in its CSV as JSON."""
    data = json.dumps(PAGE).encode()
    if as_table:
        cells = [value if isinstance(value, str) else json.dumps(value) for value in PAGE.values()]
        quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
        data = f"{','.join(PAGE)}\r\n{quoted}".encode()
    done = both_agree(data)
    assert (done.calls, done.faults, done.read) == (1, [], (1, 0, "helicone"))
    call = done.records[0]
    assert (call.provider, call.model, call.user, call.session) == ("openai", "gpt-4o", "u1", "s1")
    assert (call.cost, call.latency_ms, call.time_to_first_token_ms) == (Decimal("0.0125"), 900, 80)
    assert dict(call.usage.items) == {"input": 1000, "cache_read": 200, "output": 500}
    assert call.tags["team"] == "a"


@pytest.mark.parametrize("reference", [[], ["5b2f0d0e-0000-4000-8000-000000000001"], {"id": 1}, "", None])
def test_what_is_no_reference_is_no_answer_of_its_cache(reference: object) -> None:
    """A list or an object there made a call cost nothing."""
    row = {"request_id": "h9", "request_created_at": TEN, "response_status": 200, "request_model": "gpt-4o"}
    row |= {"prompt_tokens": 100, "completion_tokens": 10, "cost": 0.5, "cache_reference_id": reference}
    done = both_agree(json.dumps(row).encode())
    assert [call.cost for call in done.records] == [Decimal("0.5")]


def test_properties_of_its_exporter_are_quoted_twice() -> None:
    """Its CSV lost them all, and the sessions."""
    said = json.dumps({"Helicone-Session-Id": "s1", "note": 'so "it" is', "none": ""}, separators=(",", ":"))
    cell = '"' + said.replace('"', '""').replace('"', '""') + '"'
    heading = "response_id,response_status,request_created_at,request_properties,model,prompt_tokens,cost"
    data = f'{heading}\n"r1","200","{TEN}",{cell},"gpt-4o","10","0.5"\n'.encode()
    call = both_agree(data).records[0]
    assert (call.session, call.tags["note"], call.tags["none"]) == ("s1", 'so "it" is', "")


def test_the_first_status_of_a_failure_is_one() -> None:
    done = both_agree(lines({**BY_API, "response_status": 400}, {**BY_API, "response_status": 399}))
    assert sorted((each.status, each.error) for each in done.records)[::40] == [
        ("error", "HTTP 400"),
        ("success", None),
    ]


def test_an_id_of_zeros_names_no_answer_that_was_kept() -> None:
    """Helicone writes it on every call that its cache did not answer: such a one cost what it says."""
    zeros = "00000000-0000-0000-0000-000000000000"
    told = {**BY_API, "cost": 0.25}
    done = both_agree(
        lines({**told, "cache_reference_id": zeros}, {**told, "cache_reference_id": "h-1"}, told)
    )
    assert sorted(each.cost or 0 for each in done.records)[::40] == [0, Decimal("0.25"), Decimal("0.25")]
