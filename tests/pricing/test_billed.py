"""What docs/billing.md says of prices, on the book itself: sums by hand from the providers' lists."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder
from outlay.capture.clock import SystemClock
from outlay.core.cost import Cost
from outlay.core.usage import Usage
from outlay.extract import read, read_usual
from outlay.pricing import cost_of

SUNDAY_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def charge(model: str, counts: dict[str, int], **terms: Any) -> Cost:
    provider, _, name = model.partition("/")
    return cost_of(counts, provider=provider, model=name, at=SUNDAY_NOON, **terms)


def of_body(body: Any, provider: str, api: str, model: str | None = None) -> Cost:
    return cost_of(read(body, provider=provider, api=api), provider=provider, model=model, at=SUNDAY_NOON)


@pytest.mark.parametrize(
    ("size", "amount"),
    [
        (299_000, "1.518"),  # 299,000 x 5, 1,000 cached x 0.50, 500 + 500 x 22.5 a million
        # 271,000 x 2.5, 1,000 cached x 0.25, 1,000 x 15 a million: 272,000 in all are not above 272,000
        (271_000, "0.69275"),
    ],
)
def test_a_long_request_of_openai_takes_the_rates_of_its_size_for_every_unit(size: int, amount: str) -> None:
    counts = {"input": size, "cache_read": 1000, "output": 500, "reasoning": 500}
    assert charge("openai/gpt-5.4", counts).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("size", "amount"),
    [
        # 199,000 + 1,000 cached are 200,000, from which on all is double: x 2.5, x 0.40, 2,000 x 5 a million
        (199_000, "0.5079"),
        (198_999, "0.25394875"),  # one token less: x 1.25, x 0.20, x 2.5
    ],
)
def test_a_long_request_of_xai_takes_the_rates_of_its_size_for_every_unit(size: int, amount: str) -> None:
    counts = {"input": size, "cache_read": 1000, "output": 1000, "reasoning": 1000}
    assert charge("xai/grok-4.3", counts).amount == Decimal(amount)


def test_searches_and_tools_of_openai_are_fees_beside_the_tokens() -> None:
    body = {
        "object": "response",
        "model": "gpt-5.4",
        "status": "completed",
        "output": [],
        "usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100},
        "tool_usage": {"web_search": {"num_requests": 3}},
    }
    # 1,000 x 2.5 + 100 x 15 a million, and 3 searches at 10 dollars a thousand
    assert of_body(body, "openai", "responses").amount == Decimal("0.004") + Decimal("0.03")


@pytest.mark.parametrize(
    ("model", "item", "fee", "status"),
    [
        ("gpt-5.4", {"type": "web_search_call", "action": {"type": "search"}}, "0.01", "priced"),
        ("gpt-5.4", {"type": "web_search_call", "action": {"type": "open_page"}}, "0", "priced"),
        ("gpt-5.4", {"type": "file_search_call", "queries": ["a", "b"]}, "0.0025", "priced"),
        ("gpt-5.4", {"type": "code_interpreter_call", "container_id": "c"}, "0", "partial"),
        ("gpt-5.4", {"type": "web_search_call", "action": {"queries": ["a", "b"]}}, "0.01", "partial"),
        ("gpt-5.4", {"type": "image_generation_call"}, "0", "partial"),
        ("gpt-4o-2024-08-06", {"type": "file_search_call"}, "0.0025", "priced"),
    ],
)
def test_tools_of_openai_that_no_usage_tells_of_are_charged_by_their_items(
    model: str, item: dict[str, Any], fee: str, status: str
) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    body = {"object": "response", "model": model, "output": [item], "usage": usage}
    cost = of_body(body, "openai", "responses")
    tokens = Decimal("0.004") if model == "gpt-5.4" else Decimal("0.0035")
    assert (cost.amount, cost.status) == (tokens + Decimal(fee), status)
    assert (cost.reason is None) == (status == "priced")


@pytest.mark.parametrize("model", ["gpt-4o-search-preview", "gpt-4o-mini-search-preview", "gpt-5-search-api"])
def test_a_model_that_searches_at_every_call_does_not_say_how_often(model: str) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    body = {"object": "chat.completion", "model": model, "choices": [], "usage": usage}
    cost = of_body(body, "openai", "chat")
    assert (cost.status, cost.flags) == ("partial", ("fee_unknown",))
    assert cost.reason == f"{model} is charged for web_search, not told in the response"
    assumed = cost_of({"input": 1000}, provider="openai", model=model, service_tier="flex").reason
    assert assumed == f"{cost.reason}; no rate for flex is known; the standard rate was taken"
    unknown = cost_of({"input": 1000, "x": 1}, provider="openai", model=model).reason
    assert unknown == f"{cost.reason}; {model} has no rate for x"
    told = cost_of({"input": 1000, "output": 100, "web_search": 2}, provider="openai", model=model)
    assert (told.status, told.reason) == ("priced", None)
    assert cost.amount is not None
    assert told.amount == cost.amount + 2 * next(
        line.amount / line.quantity for line in told.lines if line.unit == "web_search"
    )


def test_a_moderation_is_free_though_it_states_no_usage() -> None:
    body = {"id": "modr-1", "model": "omni-moderation-latest", "results": [{"flagged": False}]}
    line = {"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "body": body}}
    for each in (body, line):
        cost = of_body(each, "openai", "chat")
        assert (cost.amount, cost.status) == (Decimal(0), "free")
        assert cost.reason == "omni-moderation-latest costs nothing, and so whatever it used"
    failed = {"id": "batch_req_2", "custom_id": "b", "response": {"status_code": 500, "body": {"error": {}}}}
    assert of_body(failed, "openai", "chat").status == "unpriced"
    refused = {"model": "omni-moderation-latest", "error": {"message": "no", "type": "server_error"}}
    assert of_body(refused, "openai", "chat").status == "unpriced"
    searched = cost_of({"input": 5, "web_search": 1}, provider="openai", model="omni-moderation-latest")
    assert (searched.amount, searched.status) == (Decimal("0.01"), "priced")


def test_openai_s_preview_of_web_search_costs_more_where_nothing_reasons() -> None:
    body = {
        "object": "response",
        "model": "gpt-4.1",
        "output": [{"type": "web_search_call", "action": {"type": "search"}}],
        "tools": [{"type": "web_search_preview"}],
        "reasoning": {"effort": None},
        "usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100},
    }
    # 1,000 x 2 + 100 x 8 a million, and a search at 25 dollars a thousand
    assert of_body(body, "openai", "responses").amount == Decimal("0.0028") + Decimal("0.025")


def test_thoughts_of_gemini_are_output_and_the_tools_prompt_is_input() -> None:
    usage = {
        "promptTokenCount": 1000,
        "toolUsePromptTokenCount": 200,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 70,
        "totalTokenCount": 1300,
    }
    # gemini-2.5-pro: 1,200 x 1.25 + 100 x 10 a million
    cost = of_body({"modelVersion": "gemini-2.5-pro", "usageMetadata": usage}, "google", "generate_content")
    assert cost.amount == Decimal("0.0025")


def test_guardrails_bill_text_units_by_policy_and_patterns_alone_are_free() -> None:
    guarded = {"contentPolicyUnits": 4, "topicPolicyUnits": 2, "sensitiveInformationPolicyFreeUnits": 9}
    body = {
        "usage": {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100},
        "trace": {"guardrail": {"inputAssessment": {"g": {"invocationMetrics": {"usage": guarded}}}}},
    }
    usage = read(body, provider="bedrock", api="converse")
    assert usage.units == {"input": 1000, "output": 100, "guardrail_content": 4, "guardrail_topic": 2}
    # nova-pro: 1,000 x 0.80 + 100 x 3.20 a million; 6 text units at 0.15 a thousand
    cost = cost_of(usage, provider="bedrock", model="amazon.nova-pro-v1:0", at=SUNDAY_NOON)
    assert (cost.amount, cost.status) == (Decimal("0.00112") + Decimal("0.0009"), "priced")


def test_what_no_response_states_is_priced_where_it_is_said() -> None:
    # Pegasus 1.2: 60 seconds of film at 0.00049, 100 tokens out at 7.50 a million
    counts = {"input_video_seconds": 60, "output": 100}
    amount = Decimal("0.0294") + Decimal("0.00075")
    name = "twelvelabs.pegasus-1-2-v1:0"
    assert charge(f"bedrock/{name}", counts).amount == amount
    recorder = Recorder(Kept(), clock=SystemClock(), price=cost_of)
    assert recorder.record(provider="bedrock", model=name, usage=counts, at=SUNDAY_NOON).cost == amount


def test_a_compound_answer_of_groq_costs_what_each_of_its_models_did() -> None:
    models = [
        {"model": name, "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}}
        for name in ("llama-3.3-70b-versatile", "openai/gpt-oss-120b")
    ]
    body = {
        "model": "groq/compound",
        "usage": {"prompt_tokens": 2000, "completion_tokens": 200, "total_tokens": 2200},
        "usage_breakdown": {"models": models},
    }
    # 1,000 x 0.59 + 100 x 0.79, and 1,000 x 0.15 + 100 x 0.60, a million
    assert of_body(body, "groq", "chat").amount == Decimal("0.000669") + Decimal("0.00021")


@pytest.mark.parametrize("model", ["ollama/llama3:8b", "vllm/qwen2.5-coder"])
def test_what_runs_on_hardware_of_ones_own_has_no_list_price(model: str) -> None:
    cost = charge(model, {"input": 10})
    assert (cost.amount, cost.status) == (None, "unpriced")
    assert "hardware of your own" in str(cost.reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"type": "server_error", "message": "busy"}}, "an error"),
        ({"object": "chat.completion", "model": "gpt-4o", "choices": []}, "no usage"),
    ],
)
def test_an_answer_without_usage_is_unpriced_and_says_why(body: dict[str, Any], reason: str) -> None:
    cost = of_body(body, "openai", "chat", "gpt-4o")
    assert (cost.amount, cost.status) == (None, "unpriced")
    assert reason in str(cost.reason)


@pytest.mark.parametrize(
    ("model", "body", "amount"),
    [
        # A million tokens for 0.10: one list has that for a thousand of them.
        ("embed-multilingual-light-v3.0", {"billed_units": {"input_tokens": 1_000_000}}, "0.1"),
        # 20 x 0.10 a million, and three images at 0.0001
        ("embed-english-v3.0", {"billed_units": {"input_tokens": 20, "images": 3}}, "0.000302"),
        ("parse-v5.0", {"billed_units": {"pages": 4}}, "0.006"),  # 1.50 a thousand
        ("rerank-v5.0-pro", {"billed_units": {"input_tokens": 2000}}, "0.0001"),  # 0.05 a million
    ],
)
def test_cohere_s_embeddings_pages_and_rerankings_cost_what_is_billed(
    model: str, body: dict[str, Any], amount: str
) -> None:
    kind: dict[str, Any] = {"results": []} if model.startswith("rerank") else {"embeddings": []}
    cost = of_body({**kind, "meta": body}, "cohere", "rerank" if "results" in kind else "cohere_embed", model)
    assert (cost.amount, cost.status, cost.flags) == (Decimal(amount), "priced", ())


def test_xai_s_looking_at_images_and_films_costs_its_tokens_alone() -> None:
    used = ["SERVER_SIDE_TOOL_VIEW_IMAGE", "SERVER_SIDE_TOOL_VIEW_X_VIDEO", "SERVER_SIDE_TOOL_X_SEARCH"]
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    body = {"usage": {**usage, "server_side_tools_used": used}}
    cost = of_body(body, "xai", "grpc_chat", "grok-4.3")
    # 1000 x 1.25 and 100 x 2.50 a million, and 5 dollars for a thousand searches of X
    assert (cost.amount, cost.status) == (Decimal("0.0065"), "priced")


RESEARCHED = {
    "prompt_tokens": 33,
    "completion_tokens": 7163,
    "total_tokens": 7196,
    "citation_tokens": 20016,
    "num_search_queries": 18,
    "reasoning_tokens": 73997,
}


def test_perplexity_s_deep_research_pays_for_thoughts_and_citations_beside_its_total() -> None:
    body = {"model": "sonar-deep-research", "choices": [], "usage": RESEARCHED}
    cost = of_body(body, "perplexity", "chat")
    # 33 x 2, 7,163 x 8, 73,997 x 3 and 20,016 x 2 a million, and 18 searches at 5 dollars a thousand
    assert (cost.amount, cost.status, cost.flags) == (Decimal("0.409393"), "priced", ())
    usage = read(body, provider="perplexity", api="chat")
    assert (usage.input_tokens, usage.output_tokens, usage["reasoning"]) == (33, 81160, 73997)
    without_total = {**RESEARCHED, "total_tokens": None}
    again = read({**body, "usage": without_total}, provider="perplexity", api="chat")
    assert again.units == usage.units


def test_other_models_of_perplexity_charge_nothing_for_citations() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, "citation_tokens": 900}
    cost = of_body({"model": "sonar-pro", "choices": [], "usage": usage}, "perplexity", "chat")
    assert cost.status == "priced"
    assert [line.amount for line in cost.lines if line.unit == "citation_tokens"] == [0]


@pytest.mark.parametrize(
    ("line", "provider", "api", "units"),
    [
        (
            {
                "recordId": "R1",
                "modelInput": {},
                "modelOutput": {"usage": {"input_tokens": 9, "output_tokens": 4}},
            },
            "bedrock",
            "invoke_model",
            {"input": 9, "output": 4},
        ),
        (
            {
                "recordId": "R1",
                "modelOutput": {"usage": {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}},
            },
            "bedrock",
            "converse",
            {"input": 9, "output": 4},
        ),
        (
            {
                "status": "",
                "processed_time": "2026-11-01T18:13:16.826+00:00",
                "request": {"contents": []},
                "response": {
                    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
                },
            },
            "vertex",
            "generate_content",
            {"input": 9, "output": 4},
        ),
    ],
)  # fmt: skip
def test_a_line_of_a_cloud_s_batch_is_the_answer_in_it_at_the_rate_of_batches(
    line: dict[str, Any], provider: str, api: str, units: dict[str, int]
) -> None:
    for usage in (read(line, provider=provider, api=api), read_usual(line, provider=provider, api=api)):
        assert isinstance(usage, Usage)
        assert (usage.units, usage.term("batch"), usage.flags) == (units, "true", ())


def test_a_line_of_a_cloud_s_batch_that_failed_is_an_error() -> None:
    line = {"recordId": "R1", "modelInput": {}, "error": {"errorCode": 400, "errorMessage": "bad"}}
    usage = read(line, provider="bedrock", api="invoke_model")
    assert (usage.items, usage.flags) == ((), ("error",))
