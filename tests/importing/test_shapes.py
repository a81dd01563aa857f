"""Rows of every known shape become the right record: figures by hand, from each origin's own rules."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.record import Record
from outlay.importing import Fault, Import, Line, Maker, entries_of
from outlay.importing.reading import kept
from outlay.importing.shapes import shape_of
from outlay.ledger import MemoryLedger
from outlay.pricing import cost_of
from outlay.testing import call

TEN = "2026-11-20T10:00:00Z"


def read(maker: Maker, *rows: Mapping[str, Any], counts: Import | None = None) -> list[Any]:
    return list(entries_of([Line(n, row) for n, row in enumerate(rows, 1)], maker, counts=counts))


def one(maker: Maker, row: Mapping[str, Any]) -> Record:
    (found,) = read(maker, row)
    assert isinstance(found, Record), found
    return found


def test_a_line_of_the_guide(maker: Maker) -> None:
    row = {
        "timestamp": "2026-11-20T10:00:00.5",
        "user_id": 7,
        "query_type": "faq",
        "prompt_length": 20,
        "status": "success",
        "model": "gpt-4o",
        "input_tokens": 1500,
        "output_tokens": 300,
        "cost": 0.00675,
        "latency": 2.3,
        "cached": False,
        "rag_chunks_used": 3,
    }
    found = one(maker, row)
    assert found.at == datetime(2026, 11, 20, 10, 0, 0, 500_000, tzinfo=UTC)
    assert (found.provider, found.model, found.user, found.query_type) == ("openai", "gpt-4o", "7", "faq")
    assert (found.cost, found.cost_status, found.latency_ms) == (Decimal("0.00675"), "reported", 2300)
    assert (found.input_tokens, found.output_tokens, found.prompt_length) == (1500, 300, 20)
    assert found.extra == {"cached": False, "rag_chunks_used": 3}


def test_an_error_may_have_no_model(maker: Maker) -> None:
    row = {"timestamp": TEN, "status": "error", "error": "timeout for sk-abcdefghijkl", "latency": 0.1}
    found = one(maker, row)
    assert (found.status, found.model, found.cost) == ("error", None, None)
    assert found.error == "timeout for [key]"


def test_quality_stands_on_the_call_and_a_row_without_time_takes_the_one_before(maker: Maker) -> None:
    quality = {
        "cost": 0.02,
        "latency": 1.5,
        "model": "gpt-4o",
        "quality_score": 0.9,
        "user_rating": 5,
        "correct": True,
        "Tenant": "t1",
    }
    first, second = read(maker, {"timestamp": TEN, "cost": 1}, quality)
    assert (second.quality_score, second.user_rating, second.correct) == (0.9, 5, True)
    assert second.at == first.at
    assert second.extra == {"Tenant": "t1", "time_assumed": True}
    _, empty = read(maker, {"timestamp": TEN, "cost": 1}, {**SPENT_NOTHING, "startTime": ""})
    assert (empty.at, empty.extra) == (first.at, {"time_assumed": True})


def test_without_any_time_a_row_is_a_fault_with_the_way_out(maker: Maker) -> None:
    reason = "no time; give --at DATE for rows without one, or name its column by --map at=COLUMN"
    assert read(maker, {"cost": 1, "When": TEN}) == [Fault(1, reason)]


@pytest.mark.parametrize("time", ["45948.5", 45948.5, 45948, "45948"])
def test_a_spreadsheet_s_day_number_is_said_to_be_one(maker: Maker, time: object) -> None:
    (found,) = read(maker, {"timestamp": time, "cost": 1})
    assert found == Fault(
        1, f"{str(time)!r} is no time but a spreadsheet's day number; format its column as a date"
    )


def test_a_record_of_the_mini_project_is_priced_at_its_time(maker: Maker) -> None:
    row = {
        "model": "gpt-4o",
        "input_tokens": 1000,
        "output_tokens": 500,
        "timestamp": "2024-06-01T10:00:00Z",
        "user_id": "user_1",
    }
    found = one(maker, row)
    assert (found.cost, found.cost_status) == (Decimal("0.0125"), "priced")  # 5 and 15 a million then


def test_a_prompt_is_never_taken_over(maker: Maker) -> None:
    found = one(
        maker, {"timestamp": TEN, "cost": 1, "prompt": "secret words", "response": "more", "team": "x"}
    )
    assert found.extra == {"team": "x"}
    assert found.prompt is None


def test_litellms_spend_log(maker: Maker) -> None:
    row = {
        "request_id": "c1",
        "call_type": "acompletion",
        "spend": 0.0042,
        "startTime": "2026-11-20 10:00:00",
        "endTime": "2026-11-20 10:00:02.5",
        "completionStartTime": "2026-11-20 10:00:00.4",
        "model": "claude-sonnet-4-5",
        "custom_llm_provider": "anthropic",
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "end_user": "alice",
        "user": "svc",
        "api_key": "88dc28d0f030c55e",
        "metadata": '{"usage_object": {"cache_read_input_tokens": 600, "cache_creation_input_tokens": 100}}',
        "team_id": "red",
        "request_tags": ["a", "b"],
        "cache_hit": "False",
    }
    found = one(maker, row)
    assert (found.provider, found.user, found.cost) == ("anthropic", "alice", Decimal("0.0042"))
    assert dict(found.usage.items) == {"input": 300, "cache_read": 600, "cache_write": 100, "output": 100}
    assert (found.latency_ms, found.time_to_first_token_ms) == (2500, 400)
    assert found.tags == {"team": "red", "request_tags": "a,b"}
    assert "88dc28d0f030c55e" not in repr(found)
    assert one(maker, {**row, "endTime": ""}).latency_ms is None


def test_litellms_zero_is_no_price(maker: Maker) -> None:
    row = {
        "request_id": "c2",
        "spend": 0,
        "startTime": TEN,
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "prompt_tokens": 1000,
        "completion_tokens": 0,
    }
    assert (one(maker, row).cost, one(maker, row).cost_status) == (Decimal("0.0025"), "priced")
    for told in ("True", "true", True):
        hit = one(maker, {**row, "cache_hit": told})
        assert (hit.cost, hit.tags) == (Decimal(0), {"cache_hit": "true"})
    for said in ({"status": "failure"}, {"metadata": {"status": "failure"}}):
        failed = one(maker, {**row, **said})
        assert (failed.status, failed.cost, failed.cost_status) == ("error", None, "unpriced")


SPENT_NOTHING = {
    "request_id": "c3",
    "spend": 0,
    "startTime": TEN,
    "prompt_tokens": 1000,
    "completion_tokens": 100,
}


@pytest.mark.parametrize("place", ["usage_object", "additional_usage_values"])
def test_litellms_writes_of_an_hour_and_sound_have_prices_of_their_own(maker: Maker, place: str) -> None:
    """Its spend is 0 where it knows no price: they were priced as writes of five minutes, and as text."""
    writes = {
        "cache_creation_token_details": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 400}
    }
    written = {place: {"cache_creation_input_tokens": 500, "prompt_tokens_details": writes}}
    row = {
        **SPENT_NOTHING,
        "model": "claude-sonnet-4-5",
        "custom_llm_provider": "anthropic",
        "metadata": written,
    }
    found = one(maker, row)
    assert dict(found.usage.items) == {"input": 500, "cache_write": 100, "cache_write_1h": 400, "output": 100}
    assert found.cost == (500 * 3 + 100 * Decimal("3.75") + 400 * 6 + 100 * 15) / Decimal(1_000_000)
    del written[place]["cache_creation_input_tokens"]  # then the lifetimes alone tell
    assert dict(one(maker, row).usage.items) == {"input": 600, "cache_write_1h": 400, "output": 100}
    sound = {place: {"prompt_tokens_details": {"audio_tokens": 300, "cached_tokens": None},
                     "completion_tokens_details": {"audio_tokens": 80}}}  # fmt: skip
    found = one(maker, {**SPENT_NOTHING, "model": "gpt-4o", "metadata": sound})
    assert dict(found.usage.items) == {"input": 700, "input_audio": 300, "output": 20, "output_audio": 80}


def test_litellms_details_without_a_usage_object_are_read(maker: Maker) -> None:
    """Older versions write none: cached and reasoning tokens were priced as fresh input and as output."""
    details = {
        "prompt_tokens_details": {"cached_tokens": 800, "cache_write_tokens": 50},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    row = {**SPENT_NOTHING, "model": "gpt-5.4", "metadata": {"additional_usage_values": details}}
    found = one(maker, row)
    assert dict(found.usage.items) == {
        "input": 150, "cache_read": 800, "cache_write": 50, "output": 60, "reasoning": 40
    }  # fmt: skip
    # Where both tell, the usage object does.
    told = {
        "prompt_tokens_details": {"cached_tokens": 700},
        "completion_tokens_details": {"reasoning_tokens": 9},
    }
    row["metadata"] = {"additional_usage_values": details, "usage_object": told}
    assert dict(one(maker, row).usage.items) == {
        "input": 250, "cache_read": 700, "cache_write": 50, "output": 91, "reasoning": 9
    }  # fmt: skip


def test_litellms_searches_and_pictures_have_prices_of_their_own(maker: Maker) -> None:
    """Its spend is 0 where it knows no price: searches were left out, and pictures priced as text."""
    searched = {"usage_object": {"server_tool_use": {"web_search_requests": 2, "tool_search_requests": None}}}
    row = {**SPENT_NOTHING, "model": "claude-sonnet-4-5", "custom_llm_provider": "anthropic"}
    found = one(maker, {**row, "metadata": searched})
    assert dict(found.usage.items) == {"input": 1000, "output": 100, "web_search": 2}
    assert found.cost == (1000 * 3 + 100 * 15) / Decimal(1_000_000) + 2 * Decimal("0.01")
    grounded = {"usage_object": {"prompt_tokens_details": {"web_search_requests": 1, "image_tokens": 258}}}
    row |= {"model": "gemini-2.5-flash", "custom_llm_provider": "gemini"}
    found = one(maker, {**row, "metadata": grounded})
    assert dict(found.usage.items) == {"input": 742, "input_image": 258, "output": 100, "web_search": 1}
    drawn = {"usage_object": {"completion_tokens_details": {"image_tokens": 90, "text_tokens": 10}}}
    row["model"] = "gemini-2.5-flash-image"
    found = one(maker, {**row, "metadata": drawn})
    assert dict(found.usage.items) == {"input": 1000, "output": 10, "output_image": 90}
    assert found.cost == (1000 * Decimal("0.3") + 10 * Decimal("2.5") + 90 * 30) / Decimal(1_000_000)


@pytest.mark.parametrize(
    ("told", "share"),
    [
        ({"usage_object": {"service_tier": "batch"}}, Decimal("0.5")),
        ({"usage_object": {"service_tier": "standard", "inference_geo": "us"}}, Decimal("1.1")),
        ({"usage_object": {"service_tier": "standard", "inference_geo": "global"}}, 1),
        ({"cost_breakdown": {"service_tier": None}, "usage_object": None}, 1),
    ],
)
def test_litellms_tier_decides_the_price(maker: Maker, told: dict[str, Any], share: Decimal) -> None:
    row = {**SPENT_NOTHING, "model": "claude-sonnet-4-6", "custom_llm_provider": "anthropic"}
    usual = (1000 * 3 + 100 * 15) / Decimal(1_000_000)
    assert one(maker, {**row, "metadata": told}).cost == usual * share


def test_litellms_flex_is_told_with_its_costs(maker: Maker) -> None:
    row = {**SPENT_NOTHING, "model": "gpt-5", "metadata": {"cost_breakdown": {"service_tier": "flex"}}}
    found = one(maker, row)
    assert found.cost == (1000 * Decimal("0.625") + 100 * 5) / Decimal(1_000_000)
    assert dict(found.usage.items) == {"input": 1000, "output": 100}


def test_a_part_of_litellms_that_is_more_than_its_whole_costs_no_row(maker: Maker) -> None:
    """Providers tell such: the row with its spend was refused, and so its money lost from all totals."""
    said = {"usage_object": {"completion_tokens_details": {"audio_tokens": 101}}}
    row = {**SPENT_NOTHING, "spend": 0.25, "model": "gpt-4o", "metadata": said}
    found = one(maker, row)
    assert dict(found.usage.items) == {"input": 1000, "output_audio": 100}
    assert (found.cost, "clamped" in found.flags) == (Decimal("0.25"), True)
    said = {"usage_object": {"prompt_tokens_details": {"cached_tokens": 1373}}}
    found = one(maker, {**row, "metadata": said})
    assert dict(found.usage.items) == {"cache_read": 1000, "output": 100}
    assert (found.cost, "clamped" in found.flags) == (Decimal("0.25"), True)
    # Mistral's sound lies beside its prompt tokens, as the total says.
    said = {"usage_object": {"prompt_tokens_details": {"audio_tokens": 1500}}}
    found = one(maker, {**row, "total_tokens": 2600, "metadata": said})
    assert dict(found.usage.items) == {"input": 1000, "input_audio": 1500, "output": 100}


def test_langfuses_parts_lie_beside_input_where_the_total_says_so(maker: Maker) -> None:
    row = {
        "id": "o1",
        "traceId": "t1",
        "type": "GENERATION",
        "name": "rag",
        "startTime": TEN,
        "endTime": "2026-11-20T10:00:03Z",
        "completionStartTime": "2026-11-20T10:00:01Z",
        "model": "gpt-4o",
        "usageDetails": {"input": 600, "input_cached_tokens": 400, "output": 100, "total": 1100},
        "costDetails": {"total": 0.003},
        "level": "DEFAULT",
    }
    found = one(maker, row)
    assert dict(found.usage.items) == {"input": 600, "cache_read": 400, "output": 100}
    assert (found.cost, found.latency_ms, found.time_to_first_token_ms) == (Decimal("0.003"), 3000, 1000)
    assert (found.query_type, found.trace_id, found.span_id) == ("rag", "t1", "o1")
    inside = {
        **row,
        "usageDetails": {"input": 1000, "input_cached_tokens": 400, "output": 100, "total": 1100},
    }
    assert one(maker, inside).usage.items == found.usage.items


def test_langfuses_export_to_a_blob_storage_has_the_names_of_its_table(maker: Maker) -> None:
    row = {
        "id": "obs-1",
        "trace_id": "t1",
        "project_id": "p",
        "environment": "production",
        "type": "GENERATION",
        "parent_observation_id": "obs-0",
        "start_time": "2026-11-20 10:00:00.000000",
        "end_time": "2026-11-20 10:00:03.120000",
        "name": "answer",
        "level": "DEFAULT",
        "status_message": "",
        "provided_model_name": "gpt-4o",
        "usage_details": {"input": 1000, "output": 500, "total": 1500},
        "cost_details": {"input": 0.0025, "output": 0.005, "total": 0.0075},
        "completion_start_time": "2026-11-20 10:00:00.900000",
        "prompt_name": "greeting",
        "total_cost": 0.0075,
        "user_id": "u1",
        "session_id": "s1",
    }
    made = one(maker, row)
    assert (made.at, made.model, made.input_tokens, made.output_tokens, made.cost) == (
        datetime(2026, 11, 20, 10, tzinfo=UTC), "gpt-4o", 1000, 500, Decimal("0.0075")
    )  # fmt: skip
    assert (made.latency_ms, made.time_to_first_token_ms) == (3120.0, 900.0)
    assert (made.user, made.session, made.query_type, made.trace_id) == ("u1", "s1", "answer", "t1")
    assert made.tags == {"environment": "production", "prompt_name": "greeting"}
    by_api = {"id": "obs-1", "traceId": "t1", "type": "GENERATION", "startTime": row["start_time"]}
    assert one(maker, by_api).id == made.id  # the same observation, however it came out
    counts = Import()
    assert read(maker, {**row, "type": "SPAN"}, counts=counts) == []
    assert counts.skipped == 1


def test_langfuses_spans_are_no_calls(maker: Maker) -> None:
    counts = Import()
    assert read(maker, {"id": "s", "traceId": "t", "type": "SPAN", "startTime": TEN}, counts=counts) == []
    assert counts.skipped == 1


def test_langfuses_error_and_unknown_price(maker: Maker) -> None:
    row = {
        "id": "o2",
        "traceId": "t1",
        "type": "GENERATION",
        "startTime": TEN,
        "model": "imaginary-9",
        "usage": {"input": 10, "output": 5, "total": 15},
        "calculatedTotalCost": 0,
        "level": "ERROR",
        "statusMessage": "rate limited",
    }
    found = one(maker, row)
    assert (found.status, found.error, found.cost, found.cost_status) == (
        "error",
        "rate limited",
        None,
        "unpriced",
    )


def test_helicone_reads_the_providers_body_by_the_providers_rules(maker: Maker) -> None:
    row = {
        "request_id": "h1",
        "request_created_at": TEN,
        "response_status": 200,
        "provider": "ANTHROPIC",
        "response_model": "claude-sonnet-4-5",
        "delay_ms": 900,
        "request_user_id": "u1",
        "request_properties": {"Feature": "search"},
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "response_body": {
            "model": "claude-sonnet-4-5",
            "type": "message",
            "usage": {"input_tokens": 10, "cache_read_input_tokens": 1000, "output_tokens": 50},
        },
    }
    found = one(maker, row)
    assert dict(found.usage.items) == {"input": 10, "cache_read": 1000, "output": 50}
    # 10 x 3 + 1000 x 0.30 + 50 x 15, a million
    assert found.cost == Decimal("0.00108")
    assert (found.user, found.tags, found.latency_ms) == ("u1", {"Feature": "search"}, 900)


def test_helicones_counts_and_its_own_cache(maker: Maker) -> None:
    row = {
        "request_id": "h2",
        "request_created_at": TEN,
        "response_status": 429,
        "request_model": "gpt-4o",
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "cost": 0.5,
    }
    found = one(maker, row)
    assert (found.status, found.error, found.cost) == ("error", "HTTP 429", Decimal("0.5"))
    unread = {
        **row,
        "response_body": {"usage": {"strange": 1}},
    }  # a body of which nobody knows what it counts
    assert dict(one(maker, unread).usage.items) == dict(found.usage.items) == {"input": 100, "output": 10}
    assert one(maker, {**row, "organization_id": "o", "cost": 3}).cost == 3  # of its API, and no billionths
    served = {**row, "response_status": 200, "cache_reference_id": "5b2f0d0e-0000-4000-8000-000000000001"}
    assert one(maker, served).cost == 0


LOG = {"request_id": "r", "startTime": TEN, "spend": 0, "prompt_tokens": 0, "completion_tokens": 0}
ASKED = {"request_id": "r", "request_created_at": TEN, "cost": 0, "prompt_tokens": 0, "completion_tokens": 0}
SEEN = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": TEN, "usageDetails": {}, "totalCost": 0}
ZEROS = {
    "unit": "TOKENS",
    "input": 0,
    "output": 0,
    "total": 0,
}  # as Langfuse's API has them beside no details


@pytest.mark.parametrize(
    "row",
    [
        LOG,
        {**LOG, "call_type": "aimage_generation"},
        ASKED,
        {**SEEN, "usage": ZEROS},
        {**SEEN, "inputUsage": 0, "outputUsage": 0},  # as its batch export has them
        {**SEEN, "promptTokens": 0, "completionTokens": 0},
    ],
)
def test_where_no_token_is_told_nobody_knows_what_was_used(maker: Maker, row: dict[str, Any]) -> None:
    """LiteLLM, Langfuse and Helicone write 0 where an answer told no usage; it was priced at 0 dollars."""
    found = one(maker, {**row, "model": "gpt-4o"})
    assert (found.cost, found.cost_status, found.charge.reason) == (None, "unpriced", "no usage was given")
    assert found.usage.reason == "no usage was given"


GENERATION = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": TEN, "model": "gpt-4o"}


@pytest.mark.parametrize(
    ("details", "units"),
    [
        (
            {"input": 5, "input_audio_tokens": 50, "output": 5, "output_audio": 7, "total": 67},
            {"input": 5, "input_audio": 50, "output": 5, "output_audio": 7},
        ),
        (  # the parts lie within
            {"input": 55, "input_audio_tokens": 50, "output": 12, "output_audio_tokens": 7, "total": 67},
            {"input": 5, "input_audio": 50, "output": 5, "output_audio": 7},
        ),
        ({"input": 0, "input_modality_1": 40, "output": 5, "total": 45}, {"input": 40, "output": 5}),
        ({"input_mine": 40, "prompt_tokens": 40, "output": 5}, {"input": 40, "output": 5}),  # one, told twice
        (
            {"input": 5, "input_cached_tokens": 3, "input_flex_cache_read": 4, "output": 5},
            {"input": 5, "cache_read": 7, "output": 5},
        ),
        ({"input": 9, "cached_content_token_count": 20, "output": 5}, {"cache_read": 20, "output": 5}),
        ({"input_tokens": 40, "output_tokens": 5, "total": 45}, {"input": 40, "output": 5}),
        ({"input": 40, "input_tokens": 40, "output": 5, "total": 45}, {"input": 40, "output": 5}),
    ],
)
def test_every_count_of_an_observation_counts(
    maker: Maker, details: dict[str, int], units: dict[str, int]
) -> None:
    """Sound, and what callback handlers name in their own way, were left out without a word."""
    assert dict(one(maker, {**GENERATION, "usageDetails": details}).usage.items) == units


@pytest.mark.parametrize("within", [True, False])
def test_what_is_counted_in_another_unit_is_no_tokens(maker: Maker, within: bool) -> None:  # noqa: FBT001  # a parameter
    usage = {"input": 50, "output": 5, "total": 55, **({"unit": "CHARACTERS"} if within else {})}
    found = one(maker, {**GENERATION, "usage": usage, "unit": None if within else "SECONDS"})
    assert (found.total_tokens, found.cost, found.usage.reason) == (0, None, "no usage was given")


def test_equal_rows_stay_two_calls_and_have_the_same_ids_again(maker: Maker) -> None:
    row = {"timestamp": TEN, "cost": 1, "model": "gpt-4o"}
    first = [found.id for found in read(maker, row, row, {**row, "cost": 2})]
    assert len(set(first)) == 3
    again = read(Maker(cost_of, zone=UTC), row, row, {**row, "cost": 2})
    assert [found.id for found in again] == first
    assert one(maker, {**row, "id": first[0]}).id == first[0]  # one of ours stays what it is


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"input_tokens": -5}, "input_tokens must be a whole number"),
        ({"input_tokens": "many"}, "input_tokens must be a number"),
        ({"cost": "free"}, "cost must be a finite number"),
        ({"cost": -1}, "cost must be 0 or more"),
        ({"latency": "fast"}, "latency must be a number"),
        ({"timestamp": "yesterday", "cost": 1}, "is no time"),
        ({"timestamp": TEN, "colour": "red"}, "no call"),
        ({"ChargePeriodStart": TEN, "BilledCost": "1.5", "ServiceName": "OpenAI"}, "a row of a bill (FOCUS)"),
    ],
)
def test_bad_values_are_faults(maker: Maker, bad: dict[str, Any], reason: str) -> None:
    (found,) = read(maker, {"timestamp": TEN, "model": "gpt-4o", **bad} if "colour" not in bad else bad)
    assert isinstance(found, Fault)
    assert reason in found.reason


def test_a_table_is_read_by_its_headings_or_by_a_mapping(maker: Maker) -> None:
    table = {
        "Timestamp": TEN,
        "Model": "gpt-4o",
        "Prompt Tokens": "1,000",
        "Completion Tokens": "500",
        "Cost": "$0.0075",
        "Success": "true",
    }
    assert one(maker, table).cost == Decimal("0.0075")
    assert one(maker, table).input_tokens == 1000
    odd = {"When": TEN, "LLM": "gpt-4o", "In": "1000", "USD": "0.1"}
    mapping = {"at": "When", "model": "LLM", "input_tokens": "In", "cost": "USD"}
    (found,) = entries_of([Line(2, odd)], maker, mapping=mapping)
    assert isinstance(found, Record)
    assert (found.model, found.input_tokens, found.cost) == ("gpt-4o", 1000, Decimal("0.1"))


def test_who_wrote_a_table_is_told_by_its_columns_though_a_row_leaves_some_out() -> None:
    row = {"request_id": "c1", "startTime": TEN, "model": "gpt-4o"}
    assert shape_of(row) is None
    shape = shape_of(row, (*row, "spend"))
    assert shape is not None
    assert shape.name == "litellm"


def test_unix_times_in_seconds_and_milliseconds(maker: Maker) -> None:
    seconds = int(datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp())
    for at in (seconds, seconds * 1000, str(seconds), f"{seconds}000", f"{seconds}.0"):
        assert one(maker, {"timestamp": at, "cost": 1}).at == datetime(2026, 11, 20, 10, tzinfo=UTC), at


@pytest.mark.parametrize("date", ["20261120", 20261120])
def test_eight_digits_are_a_date_and_no_second_of_1970(maker: Maker, date: object) -> None:
    assert one(maker, {"date": date, "cost": 1}).at == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("time", ["20261120103000", 20261120103000, "99999999999"])
def test_a_number_beyond_all_times_is_a_fault(maker: Maker, time: object) -> None:
    (found,) = read(maker, {"timestamp": time, "cost": 1})
    assert isinstance(found, Fault)
    assert "is no time" in found.reason


@pytest.mark.parametrize(
    "status",
    [False, "false", 500, "429", "503 Service Unavailable", "fail", "Errored", "timeout", "exception"],
)
def test_a_status_of_http_tells_a_failed_call(maker: Maker, status: object) -> None:
    assert one(maker, {"timestamp": TEN, "status": status}).status == "error"


@pytest.mark.parametrize("status", [200, "201", "ok", "5000 tokens"])
def test_any_other_status_is_that_of_a_call_that_worked(maker: Maker, status: object) -> None:
    assert one(maker, {"timestamp": TEN, "status": status}).status == "success"


@pytest.mark.parametrize("heading", ["Cost ($)", "Cost (USD)", "Total Cost (USD)", "total_cost ($)"])
def test_the_cost_of_a_heading_with_its_sign_is_the_stated_one(maker: Maker, heading: str) -> None:
    row = {"Date": "2026-11-20", "Model": "gpt-4o", "Input Tokens": "1000", heading: "0.5"}
    found = one(maker, row)
    assert (found.cost, found.cost_status, dict(found.extra)) == (Decimal("0.5"), "reported", {})


def test_a_total_that_stands_alone_is_kept_though_nobody_can_divide_it(maker: Maker) -> None:
    assert one(maker, {"timestamp": TEN, "cost": 1, "total_tokens": 1500}).extra == {"total_tokens": 1500}
    parts = {"input_tokens": 1000, "output_tokens": 500}
    assert one(maker, {"timestamp": TEN, "cost": 1, "total_tokens": 1500, **parts}).extra == {}


def test_a_time_that_runs_backwards_is_unknown_and_what_was_said_is_kept(maker: Maker) -> None:
    found = one(maker, {"timestamp": TEN, "cost": 1, "Latency (s)": 2, "time_to_first_token_ms": "-1"})
    assert (found.latency_ms, found.time_to_first_token_ms) == (2000, None)
    assert found.extra == {"time_to_first_token_ms": "-1"}
    assert one(maker, {"timestamp": TEN, "cost": 1, "latency": 2, "latency_ms": 5}).latency_ms == 5
    found = one(maker, {"timestamp": TEN, "cost": 1, "latency": -0.5})
    assert (found.latency_ms, dict(found.extra)) == (None, {"latency": -0.5})
    assert one(maker, {**GENERATION, "endTime": "2026-11-20T10:00:02Z", "latency": 9}).latency_ms == 2000
    asked = {"request_id": "h", "request_created_at": TEN, "delay_ms": -1, "time_to_first_token": -1}
    seen = {**GENERATION, "latency": -1, "timeToFirstToken": -1}
    for row in (asked, seen):
        found = one(maker, row)
        assert (found.latency_ms, found.time_to_first_token_ms) == (None, None)


@pytest.mark.parametrize(
    ("code", "error"),
    [(-1, "timeout"), ("-3", "cancelled"), (-4, "threat"), (-2, None), (0, None), (499, "HTTP 499")],
)
def test_helicones_own_codes_tell_failed_calls(maker: Maker, code: object, error: str | None) -> None:
    """They had all worked."""
    found = one(maker, {**ASKED, "prompt_tokens": 5, "response_status": code})
    assert (found.status, found.error) == ("success" if error is None else "error", error)


def test_a_table_of_helicones_exporter_names_no_request(maker: Maker) -> None:
    """Its rows had no time that was known, and milliseconds for seconds."""
    row = {"response_id": "a1", "response_status": "200", "request_created_at": TEN, "model": "gpt-4o",
           "request_properties": '{"Feature": "search"}', "prompt_tokens": "100", "cost": "0.25",
           "latency": "900"}  # fmt: skip
    found, other = read(maker, row, {**row, "response_id": "a2"})
    assert (found.cost, found.latency_ms, found.tags) == (Decimal("0.25"), 900, {"Feature": "search"})
    assert found.id != other.id
    asked = one(maker, {**row, "request_id": "r1"})
    assert asked.id == one(maker, {**row, "request_id": "r1", "response_id": "a2"}).id != found.id


@pytest.mark.parametrize(
    ("told", "reason", "cost"),
    [
        ({"input_tokens": 1000}, "the row tells no output_tokens", "0.0025"),
        ({"input_tokens": 1000, "output_tokens": None, "status": "error"}, "no output_tokens", "0.0025"),
        ({"output_tokens": 500}, "the row tells no input_tokens", "0.005"),
        ({"input_tokens": 0}, "the row tells no output_tokens", None),
        ({"input_tokens": 1000, "total_tokens": 1500}, "total_tokens 1500 are more than", "0.0025"),
        ({"input_tokens": 1000, "total_tokens": 0}, "the row tells no output_tokens", "0.0025"),
        (
            {"input_tokens": 9, "output_tokens": 1, "total_tokens": 88},
            "total_tokens 88 are more",
            "0.0000325",
        ),
        ({"input_tokens": 0, "output_tokens": 0, "total_tokens": 88}, "total_tokens 88 are more", None),
    ],
)
def test_tokens_told_in_part_are_no_whole_cost(
    maker: Maker, told: dict[str, Any], reason: str, cost: str | None
) -> None:
    """What a row does not tell of is unknown, and not 0: such calls had been priced as a whole."""
    found = one(maker, {"timestamp": TEN, "model": "gpt-4o", **told})
    assert found.cost_status == ("unpriced" if cost is None else "partial")
    assert found.cost == (None if cost is None else Decimal(cost))
    assert reason in str(found.charge.reason)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("text-embedding-3-small", {"input_tokens": 1000}),  # an answer of it costs nothing
        ("text-embedding-3-small", {"prompt_tokens": 1000, "total_tokens": 1000}),
        ("gpt-4o", {"input_tokens": 1000, "output_tokens": 0}),
        ("gpt-4o", {"input_tokens": 1000, "total_tokens": 1000}),
        ("gpt-4o", {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}),
        ("gpt-4o", {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 500}),  # whatever that is
    ],
)
def test_tokens_of_which_no_part_can_lack_are_priced(maker: Maker, model: str, told: dict[str, Any]) -> None:
    found = one(maker, {"timestamp": TEN, "model": model, **told})
    assert (found.cost_status, found.usage.reason) == ("priced", None)


@pytest.mark.parametrize("time", ["46346.5", 46346, "2.3", 0, "2026", -5, "-5", 99_999_999])
def test_a_number_that_is_no_second_of_our_days_is_no_time(maker: Maker, time: object) -> None:
    """A spreadsheet counts days, and a column ``time`` may say how long: they had been calls of 1970."""
    (found,) = read(maker, {"timestamp": time, "cost": 1})
    assert isinstance(found, Fault)
    assert "is no time" in found.reason


@pytest.mark.parametrize("name", ["success", "correct"])
def test_a_yes_or_no_that_nobody_can_read_is_a_fault(maker: Maker, name: str) -> None:
    """Spreadsheets write it in their own language: a failed call had worked."""
    (found,) = read(maker, {"timestamp": TEN, "cost": 1, name: "FALSCH"})
    assert isinstance(found, Fault)
    assert f"{name} must be true or false, not 'FALSCH'" in found.reason


def test_a_yes_or_no_may_be_a_decimal(maker: Maker) -> None:
    """A frame with gaps in its column has 1.0 and 0.0."""
    for value, meant in ((1.0, True), ("0.0", False), ("1.0", True)):
        found = one(maker, {"timestamp": TEN, "cost": 1, "correct": value, "success": value})
        assert (found.correct, found.success) == (meant, meant)


def test_entries_are_kept_so_many_at_once_until_there_are_no_more() -> None:
    calls = [call() for _ in range(5)]
    for some, steps in ((calls, [2, 2, 1]), (calls[:4], [2, 2, 0])):
        assert [(step.calls, step.new) for step in kept(some, MemoryLedger(), 2)] == [(n, n) for n in steps]


@pytest.fixture
def of_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    """A maker on a machine whose clocks are ahead, that is told no zone."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield Maker(cost_of, zone=None)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has its zone elsewhere")
@pytest.mark.parametrize(
    ("row", "hour"),
    [
        ({"request_id": "r", "spend": 1, "startTime": "2026-11-20 10:00:00"}, 10),
        ({"id": "o", "traceId": "t", "type": "GENERATION", "startTime": "2026-11-20 10:00:00"}, 10),
        ({"request_id": "r", "request_created_at": "2026-11-20 10:00:00"}, 10),
        ({"timestamp": "2026-11-20 10:00:00", "cost": 1}, 4),
    ],
    ids=["litellm", "langfuse", "helicone", "plain"],
)
def test_times_without_a_zone_are_utc_where_the_tool_knows_no_other(
    of_kolkata: Maker, row: dict[str, Any], hour: int
) -> None:
    """And else the machine's, half an hour past it there."""
    found = one(of_kolkata, row)
    assert found.at == datetime(2026, 11, 20, hour, 0 if hour == 10 else 30, tzinfo=UTC)


def test_the_provider_of_a_row_is_not_the_one_of_all_rows() -> None:
    every = Maker(cost_of, zone=UTC, provider="azure")
    row = {"timestamp": TEN, "model": "gpt-4o", "cost": 1}
    assert one(every, {**row, "provider": "openai"}).provider == "openai"
    assert one(every, row).provider == "azure"
