"""Langfuse's exports as its own code writes them: CSV of its table and of the blob storage, traces, usage."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.importing.test_bulk import both_agree

from outlay.core.errors import ImportFileError

TEN = "2026-11-20T10:00:00Z"
GENERATION: dict[str, Any] = {
    "id": "o1", "traceId": "t1", "startTime": TEN, "endTime": "2026-11-20T10:00:03.500Z",
    "type": "GENERATION", "name": "rag", "level": "DEFAULT", "model": "gpt-4o",
    "completionStartTime": "2026-11-20T10:00:01Z",
}  # fmt: skip
STORED: dict[str, Any] = {
    "id": "o1", "trace_id": "t1", "type": "GENERATION", "parent_observation_id": None,
    "start_time": "2026-11-20 10:00:00.000000", "end_time": "2026-11-20 10:00:03.500000", "level": "DEFAULT",
    "provided_model_name": "gpt-4o", "usage_details": {"input": "600", "output": "500", "total": "1100"},
    "cost_details": {"total": 0.0065}, "total_cost": 0.0065, "latency": 3.5,
    "created_at": "2026-11-20 10:01:00",
}  # fmt: skip
TIMES = ("startTime", "endTime", "completionStartTime", "timestamp")


def table(rows: Iterable[Mapping[str, Any]], *, dated: bool = True) -> bytes:
    """Write rows as its CSV: everything in quotes, what is no text as JSON, be it a date."""
    listed = list(rows)

    def cell(name: str, value: Any) -> str:
        plain = isinstance(value, str) and not (dated and name in TIMES)
        text = "" if value is None else str(value) if plain else json.dumps(value, separators=(",", ":"))
        return '"' + text.replace('"', '""') + '"'

    lines = [",".join(cell("", name) for name in listed[0])]
    lines += [",".join(cell(name, value) for name, value in row.items()) for row in listed]
    return "\n".join(lines).encode() + b"\n"


def test_the_csv_of_its_table_has_dates_as_json() -> None:
    """Every row of it was a bad one: a date stands there in quotes of its own."""
    row = {**GENERATION, "usageDetails": {"input": 600, "output": 500, "total": 1100}, "totalCost": 0.0065,
           "parentObservationId": None, "input": 'a\nb, "c"'}  # fmt: skip
    done = both_agree(table({**row, "id": f"o{n}"} for n in range(30)))
    assert (done.calls, done.faults, done.read) == (30, [], (30, 0, "langfuse"))
    assert {each.at for each in done.records} == {datetime(2026, 11, 20, 10, tzinfo=UTC)}
    assert {(each.latency_ms, each.time_to_first_token_ms) for each in done.records} == {(3500, 1000)}
    assert {(each.model, each.input_tokens, each.cost) for each in done.records} == {
        ("gpt-4o", 600, Decimal("0.0065"))
    }


def test_observations_without_a_parent_in_the_csv_of_a_blob_storage() -> None:
    """A table's rows leave out what is empty: these were read as plain ones, without model and tokens."""
    rows = [
        {**STORED, "id": f"o{n}", "parent_observation_id": f"o{n - 1}" if n % 3 else None} for n in range(30)
    ]
    done = both_agree(table(rows, dated=False))
    assert done.read == (30, 0, "langfuse")
    assert {(each.model, each.input_tokens, each.cost) for each in done.records} == {
        ("gpt-4o", 600, Decimal("0.0065"))
    }
    by_lines = both_agree("\n".join(map(json.dumps, rows)).encode())
    assert [each.id for each in by_lines.records] == [each.id for each in done.records]


TRACES: list[dict[str, Any]] = [
    {"id": "t1", "timestamp": TEN, "latency": 3.2, "totalCost": "0.03", "observationCount": 2},
    {"id": "t1", "timestamp": TEN, "latency": 3.2, "observations": ["o1"], "htmlPath": "/t"},
]


@pytest.mark.parametrize("row", TRACES, ids=["by export", "by API"])
def test_traces_are_no_calls(row: dict[str, Any]) -> None:
    """Each was a call more, of unknown cost, beside those that it adds up."""
    data = "\n".join(json.dumps({**row, "id": f"t{n}"}) for n in range(30)).encode()
    done = both_agree(data)
    assert (done.calls, len(done.faults)) == (0, 30)
    assert done.faults[0][1].startswith("no call: a trace of Langfuse")
    with pytest.raises(ImportFileError, match="a trace of Langfuse"):
        both_agree(table([row]))


USAGES: list[tuple[dict[str, int], dict[str, int]]] = [
    ({"input_tokens": 9, "output_tokens": 3, "total_tokens": 12, "total": 24}, {"input": 9, "output": 3}),
    ({"prompt_tokens": 9, "completion_tokens": 3, "total": 12}, {"input": 9, "output": 3}),
    (
        {"input": 7, "output": 4, "input_ephemeral_1h_input_tokens": 20, "input_cache_write": 5, "total": 36},
        {"input": 7, "cache_write": 5, "cache_write_1h": 20, "output": 4},
    ),
    (
        {"input": 7, "output": 4, "total": 71, "cache_creation_input_tokens": 30,
         "cache_creation_ephemeral_5m_input_tokens": 20, "cache_creation_ephemeral_1h_input_tokens": 10},
        {"input": 7, "cache_write": 20, "cache_write_1h": 10, "output": 4},
    ),
    (
        {"prompt_token_count": 1000, "cached_content_token_count": 400, "candidates_token_count": 90,
         "thoughts_token_count": 10, "total_token_count": 1100, "total": 2600},
        {"input": 600, "cache_read": 400, "output": 90, "reasoning": 10},
    ),
    (
        {"promptTokenCount": 1000, "toolUsePromptTokenCount": 50, "candidatesTokenCount": 90, "total": 1140},
        {"input": 1050, "output": 90},
    ),
    (
        {"input": 0, "output": 0, "total": 1100, "input_modality_1": 400, "input_modality_2": 200,
         "cached_modality_1": 400, "output_modality_1": 90, "thoughts_token_count": 10,
         "cached_content_token_count": 400},
        {"input": 400, "cache_read": 400, "input_image": 200, "output": 90, "reasoning": 10},
    ),
    (
        {"input": 1000, "output": 90, "total": 1090, "cached_content_token_count": 400},
        {"input": 600, "cache_read": 400, "output": 90},
    ),
    (
        {"inputTokens": 100, "outputTokens": 10, "totalTokens": 160, "cacheReadInputTokens": 50,
         "total": 320},
        {"input": 100, "cache_read": 50, "output": 10},
    ),
    ({"input": 100, "output": 10, "cache_write_tokens": 50, "total": 160},
     {"input": 100, "cache_write": 50, "output": 10}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("details", "units"),
    USAGES,
    ids=["anthropic's", "groq's", "langchain", "python", "gemini's", "tools", "modalities", "cached",
         "bedrock's", "written"],
)  # fmt: skip
@pytest.mark.parametrize("older", [False, True])
def test_keys_that_integrations_write(details: dict[str, int], units: dict[str, int], older: bool) -> None:  # noqa: FBT001  # a parameter
    """The API's older usage was counted beside them; written tokens were fresh ones, or counted twice."""
    row = {**GENERATION, "usageDetails": details, "totalCost": 0}
    if older:  # it adds up the keys of each side
        sums = {
            side: sum(many for key, many in details.items() if side in key) for side in ("input", "output")
        }
        row["usage"] = {**sums, "total": details["total"], "unit": "TOKENS"}
    rows = [row if n % 2 else {**GENERATION, "usageDetails": {"input": 1, "output": 1}} for n in range(60)]
    data = "\n".join(json.dumps({**each, "id": f"o{n}"}) for n, each in enumerate(rows)).encode()
    found = [dict(each.usage.items) for each in both_agree(data).records]
    assert [each for each in found if each != {"input": 1, "output": 1}] == [units] * 30


def test_an_embedding_may_tell_its_total_alone() -> None:
    """As the AI SDK's does; its usage was unknown."""
    row = {**GENERATION, "type": "EMBEDDING", "usageDetails": {"input": 0, "output": 0, "total": 57}}
    data = "\n".join(json.dumps({**row, "id": f"o{n}"}) for n in range(30)).encode()
    assert {each.input_tokens for each in both_agree(data).records} == {57}


def test_the_total_that_is_told_counts_where_none_was_calculated() -> None:
    """The first of both that says something, in bulk too; so with a latency beside two instants."""
    costs: list[dict[str, Any]] = [
        {"calculatedTotalCost": 0.5, "totalCost": 0.7},
        {"calculatedTotalCost": None, "totalCost": 0.25},
        {"calculatedTotalCost": 0.125, "totalCost": None},
    ]
    row = {**GENERATION, "usageDetails": {"input": 100, "output": 7}, "latency": 9}
    data = "\n".join(json.dumps({**row, **costs[n % 3], "id": f"o{n}"}) for n in range(60)).encode()
    records = both_agree(data).records
    assert {each.cost for each in records} == {Decimal("0.5"), Decimal("0.25"), Decimal("0.125")}
    assert {each.latency_ms for each in records} == {3500}


def test_the_id_of_a_price_is_no_model() -> None:
    """Where no model was told it stood as one that nobody knows."""
    row = {**GENERATION, "model": None, "internalModelId": "b9854a5c92dc496b997d99d20"}
    data = "\n".join(json.dumps({**row, "id": f"o{n}"}) for n in range(30)).encode()
    assert {each.model for each in both_agree(data).records} == {None}


def test_numbers_and_objects_that_name_a_span_are_texts() -> None:
    """A ledger in memory gave the number back, and servers wrote the object in ways of their own."""
    row = {"type": "GENERATION", "startTime": "2026-11-20T10:00:00Z", "id": {"a": 1}, "traceId": 7.5}
    (record,) = both_agree(json.dumps(row).encode()).records
    assert (record.trace_id, record.span_id) == ("7.5", "{'a': 1}")


PLAIN_TIMES = {name: value for name, value in GENERATION.items() if name not in TIMES[1:3]}
TOLD: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    ({**PLAIN_TIMES, "latency": 3.5, "timeToFirstToken": 0.5}, (None, 3500, 500)),
    ({**GENERATION, "latency": 9, "timeToFirstToken": 9}, (None, 3500, 1000)),
    ({**GENERATION, "costDetails": {"total": 0.5}, "totalCost": 0.25}, (Decimal("0.5"), 3500, 1000)),
    ({**GENERATION, "costDetails": {"total": 0}, "totalCost": 0.25}, (Decimal("0.25"), 3500, 1000)),
]


@pytest.mark.parametrize(("row", "figures"), TOLD, ids=["seconds", "instants first", "details", "a 0"])
def test_times_and_costs_by_what_tells_them_first(row: dict[str, Any], figures: tuple[Any, ...]) -> None:
    """A length of time is in seconds; what two instants tell goes before it."""
    done = both_agree("\n".join(json.dumps({**row, "id": f"o{n}"}) for n in range(30)).encode())
    found = {(each.cost, each.latency_ms, each.time_to_first_token_ms) for each in done.records}
    assert found == {figures}


def test_an_embedding_that_tells_its_input_has_no_more_by_its_total() -> None:
    usage = {"input": 600, "total": 900}
    row = {**GENERATION, "type": "EMBEDDING", "usageDetails": usage}
    done = both_agree("\n".join(json.dumps({**row, "id": f"o{n}"}) for n in range(30)).encode())
    assert {each.input_tokens for each in done.records} == {600}
