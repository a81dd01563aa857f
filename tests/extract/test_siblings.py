"""What one reader of a family reads, its siblings read: tiers in headers, what live turns pay for."""

from decimal import Decimal
from typing import Any

import pytest

from outlay.extract import collector, read, usual_of_body
from outlay.extract.streams import body_of
from outlay.pricing import cost_of

HEADERS = {"x-amzn-bedrock-service-tier": "flex", "x-amzn-bedrock-performanceconfig-latency": "Optimized"}
ANSWERED = {"ResponseMetadata": {"HTTPHeaders": HEADERS}}
SERVED = (("latency", "optimized"), ("service_tier", "flex"))
CLAUDE = {"input_tokens": 9, "output_tokens": 4}
BODIES: list[dict[str, Any]] = [
    {"usage": {**CLAUDE, "service_tier": "standard"}},  # Anthropic's word on its own tiers, and not AWS's
    {"usage": {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}},
    {"usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}},
    {"prompt_token_count": 9, "generation_token_count": 4},
    {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 4}},
]


@pytest.mark.parametrize("body", BODIES)
def test_the_tier_that_bedrock_s_headers_name_is_that_of_every_maker_s_answer(body: dict[str, Any]) -> None:
    found = read({**body, **ANSWERED}, provider="bedrock", api="invoke_model")
    assert (found.units, found.terms) == ({"input": 9, "output": 4}, SERVED)
    assert usual_of_body({**body, **ANSWERED}, "bedrock", "invoke_model") is None


@pytest.mark.parametrize(
    "events",
    [
        [
            {"type": "message_start", "message": {"usage": {**CLAUDE, "output_tokens": 1}}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        ],
        [{"prompt_token_count": 9, "generation_token_count": 1}, {"generation_token_count": 4}],
    ],
)
def test_the_tier_of_a_stream_stands_in_what_comes_before_it(events: list[dict[str, Any]]) -> None:
    metrics = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 4}}
    stream = collector("bedrock", "invoke_model")
    for event in (ANSWERED, *events, metrics):
        stream.add(event)
    found = stream.usage()
    assert (found.units, found.terms, found.flags) == ({"input": 9, "output": 4}, SERVED, ())
    assert body_of(stream) is None


def test_headers_without_a_tier_say_nothing() -> None:
    headers = {"x-amzn-bedrock-service-tier": "", "x-amzn-requestid": "r-1"}
    body = {**BODIES[0], "ResponseMetadata": {"HTTPHeaders": headers}}
    found = read(body, provider="bedrock", api="invoke_model")
    assert found.terms == (("service_tier", "standard"),)


def turn(traffic: str | None = None, **content: Any) -> dict[str, Any]:
    usage = {"promptTokenCount": 9, "responseTokenCount": 4, "totalTokenCount": 13}
    said = {} if traffic is None else {"trafficType": traffic}
    return {"serverContent": {"turnComplete": True, **content}, "usageMetadata": {**usage, **said}}


SEARCHED = {"webSearchQueries": ["a", "b"]}
MAPPED = {"groundingChunks": [{"maps": {"placeId": "p"}}, {"maps": {"placeId": "q"}}]}
WEB, MAPS = {"web_search": 2}, {"maps_search": 1}


def test_a_live_turn_of_provisioned_throughput_is_one() -> None:
    found = read(turn("PROVISIONED_THROUGHPUT"), provider="vertex", api="live")
    assert found.terms == (("traffic_type", "provisioned_throughput"),)


def test_turns_of_a_session_have_the_terms_on_which_they_agree() -> None:
    same, other = turn("ON_DEMAND_FLEX"), turn("ON_DEMAND_PRIORITY")
    assert read([same, same], provider="vertex", api="live").term("service_tier") == "flex"
    assert read([same, other], provider="vertex", api="live").terms == ()
    assert read([other, turn()], provider="vertex", api="live").terms == ()


@pytest.mark.parametrize(("grounding", "units"), [(SEARCHED, WEB), (MAPPED, MAPS), ({}, {})])
@pytest.mark.parametrize("apart", [False, True])
def test_a_live_turn_pays_for_its_grounding(
    grounding: dict[str, Any], units: dict[str, int], *, apart: bool
) -> None:
    told: dict[str, Any] = {"groundingMetadata": grounding}
    events = [{"serverContent": told}, turn()] if apart else [turn(**told)]
    found = read(events, provider="google", api="live")
    assert found.units == {"input": 9, "output": 4, **units}
    twice = read([*events, turn()], provider="google", api="live")
    assert twice.units == {"input": 18, "output": 8, **units}


def test_each_grounded_turn_of_a_session_is_a_prompt_that_is_charged() -> None:
    found = read(
        [turn(groundingMetadata=SEARCHED), turn(), turn(groundingMetadata=SEARCHED)],
        provider="google",
        api="live",
    )
    assert found.units == {"input": 27, "output": 12, "web_search": 4}
    cost = cost_of(found, provider="google", model="gemini-2.5-flash")
    # 27 x 0.30 + 12 x 2.50 dollars a million, and twice 35 dollars a thousand prompts
    assert cost.amount == Decimal("0.0700381")


@pytest.mark.parametrize(("grounding", "units"), [(SEARCHED, WEB), (MAPPED, MAPS)])
def test_an_answer_from_maps_pays_for_it_as_one_from_the_web_does(
    grounding: dict[str, Any], units: dict[str, int]
) -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
    body = {"candidates": [{"groundingMetadata": grounding}], "usageMetadata": usage}
    assert usual_of_body(body, "google", "generate_content") is None
    found = read(body, provider="google", api="generate_content")
    assert found.units == {"input": 9, "output": 4, **units}


def answer(*groundings: dict[str, Any]) -> dict[str, Any]:
    """Give a body of so many candidates, each with what it was grounded by."""
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
    said = [{"groundingMetadata": each, "finishReason": "STOP"} for each in groundings]
    return {"candidates": said, "usageMetadata": usage}


TWICE = {"webSearchQueries": ["a", "", "b", "a", None]}
MORE = {"webSearchQueries": ["b", "c"]}


@pytest.mark.parametrize(
    ("groundings", "units"),
    [
        ((TWICE,), {"web_search": 2}),
        ((SEARCHED, MORE), {"web_search": 3}),
        ((MAPPED, MAPPED), MAPS),
        (({"imageSearchQueries": ["a", "", "b"]}, {"image_search_queries": ["b"]}), {"image_search": 2}),
        (({**SEARCHED, "imageSearchQueries": ["a"]},), {"web_search": 2, "image_search": 1}),
        (({"webSearchQueries": [{"of": "tomorrow"}, {"of": "tomorrow"}]},), {"web_search": 1}),
    ],
)
def test_searches_are_charged_by_the_query_that_is_unlike_others(
    groundings: tuple[dict[str, Any], ...], units: dict[str, int]
) -> None:
    expected = {"input": 9, "output": 4, **units}
    assert read(answer(*groundings), provider="google", api="generate_content").units == expected
    # the same told chunk by chunk, the end without any
    chunks = [*(answer(each) for each in groundings), answer({})]
    assert read(chunks, provider="google", api="generate_content").units == expected
    told = [{"serverContent": {"groundingMetadata": each}} for each in groundings]
    assert read([*told, turn()], provider="google", api="live").units == expected


def test_a_search_for_images_whose_price_nobody_tells_is_said() -> None:
    """It was not counted: the call was told as priced."""
    found = read(answer({"imageSearchQueries": ["a"]}), provider="google", api="generate_content")
    cost = cost_of(found, provider="google", model="gemini-3.8-flash")
    # 9 x 0.75 + 4 x 3.75 dollars a million
    assert (cost.amount, cost.status) == (Decimal("0.00002175"), "partial")
    assert "image_search" in (cost.reason or "")


def test_what_a_stream_was_grounded_by_is_that_of_when_it_was_told() -> None:
    stream, queries = collector("google", "generate_content"), ["a"]
    stream.add(answer({"webSearchQueries": queries}))
    queries.append("b")
    assert stream.usage()["web_search"] == 1


def test_an_interaction_pays_for_its_grounding() -> None:
    usage = {
        "total_input_tokens": 9,
        "total_output_tokens": 4,
        "total_tokens": 13,
        "initial_input_tokens": 9,
        "grounding_tool_count": [
            {"type": "google_search", "count": 2},
            {"type": "google_maps", "count": 1},
        ],
    }
    found = read({"usage": usage}, provider="google", api="interactions")
    assert (found.units, found.flags) == ({"input": 9, "output": 4, **WEB, **MAPS}, ())
    usage["grounding_tool_count"] = [{"type": "of_tomorrow", "count": 1}, {"type": "retrieval"}, 3]
    found = read({"usage": usage}, provider="google", api="interactions")
    assert (found.units, found.flags) == ({"input": 9, "output": 4}, ("unknown_keys",))


@pytest.mark.parametrize(
    ("billed", "units", "flags"),
    [
        ({"text_tokens": 5, "image_tokens": 100}, {"input": 5, "input_image": 100}, ()),
        ({"input_tokens": 5, "text_tokens": 5, "image_tokens": 100}, {"input": 5, "input_image": 100}, ()),
        ({"input_tokens": 105, "text_tokens": 5, "image_tokens": 100}, {"input": 5, "input_image": 100}, ()),
        ({"input_tokens": 7, "text_tokens": 5}, {"input": 7}, ("total_mismatch",)),
        ({"input_tokens": 7, "text_tokens": None, "image_tokens": 0}, {"input": 7}, ()),
    ],
)
def test_cohere_s_embeddings_state_text_beside_images(
    billed: dict[str, Any], units: dict[str, int], flags: tuple[str, ...]
) -> None:
    """As its SDK names them since 7; text alone had been left out, and flagged as an unknown key."""
    body = {"id": "e", "embeddings": {"float": [[0.5]]}, "meta": {"billed_units": billed}}
    usage = read(body, provider="cohere", api="cohere_embed")
    assert (usage.units, usage.flags) == (units, flags)


@pytest.mark.parametrize(
    ("usage", "units", "flags"),
    [
        (
            {"text_tokens": 5, "image_pixels": 2_000_000, "total_tokens": 3576},
            {"input": 5, "pixels": 2_000_000},
            (),
        ),
        (
            {"text_tokens": 0, "image_pixels": 560, "video_pixels": 5600, "total_tokens": 11},
            {"pixels": 6160},
            (),
        ),
        ({"text_tokens": 7, "image_pixels": 0, "total_tokens": 7}, {"input": 7}, ()),
        ({"image_pixels": 560, "total_tokens": 1}, {"pixels": 560}, ("partial",)),
    ],
)
def test_voyage_s_pictures_are_pixels_and_no_tokens(
    usage: dict[str, Any], units: dict[str, int], flags: tuple[str, ...]
) -> None:
    """Its total has a token for each 560 of them; priced as text an embedding cost a third of its price."""
    body = {"object": "list", "data": [], "model": "voyage-multimodal-3", "usage": usage}
    found = read(body, provider="voyage", api="embeddings")
    assert ({unit: count for unit, count in found.units.items() if count}, found.flags) == (units, flags)
    charge = cost_of(found, provider="voyage", model="voyage-multimodal-3")
    priced = "partial" if "input" in units else "unpriced"
    assert charge.status == (priced if "pixels" in units else "priced")


@pytest.mark.parametrize(
    ("api", "body", "units"),
    [
        ("rerank", {"results": [], "meta": {"billed_units": {"input_tokens": 120}}}, {"input": 120}),
        ("cohere_chat", {"usage": {"billed_units": {"pages": 2}}}, {"pages": 2}),
        ("cohere_chat", {"meta": {"billed_units": {"pages": 2, "input_tokens": 0}}}, {"pages": 2}),
    ],
)
def test_cohere_s_rerankers_are_billed_by_tokens_too_and_its_parser_by_pages(
    api: str, body: dict[str, Any], units: dict[str, int]
) -> None:
    found = read(body, provider="cohere", api=api)
    assert (found.units, found.flags, found.reason) == (units, (), None)


@pytest.mark.parametrize("written", ["google", "gemini", "google-genai", "Vertex_AI", "vertex"])
def test_a_provider_may_be_written_in_any_known_way(written: str) -> None:
    """Gemini states its thoughts in the total alone; by another of its names they had been left out."""
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}
    body = {"object": "chat.completion", "model": "gemini-2.5-flash", "choices": [], "usage": usage}
    streamed = [{**body, "object": "chat.completion.chunk"}]
    for found in (read(body, provider=written), read(streamed, provider=written)):
        assert found.units == {"input": 10, "output": 5, "reasoning": 25}
        assert "by_shape" not in found.flags
    assert "by_shape" in read(body, provider="acme").flags
