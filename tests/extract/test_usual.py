"""The usual answer: read in one go, and never other than the whole way reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.spelled import seldom, usages

from outlay.core.usage import Usage
from outlay.extract import (
    anthropic,
    bedrock,
    chat,
    google,
    held,
    read,
    read_usual,
    responses,
    usual_of,
    usual_of_body,
)
from outlay.extract.common import PAID, RESPONSES
from outlay.extract.usual import usual_of_chunks

COUNTED = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


QUICK = (
    (chat, "common_usage"),
    (responses, "common_usage"),
    (anthropic, "message_items"),
    (google, "usual_generate_content"),
    (bedrock, "usual_converse"),
)


@contextmanager
def the_whole_way() -> Iterator[None]:
    """Let reading know no usual answer."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in QUICK:
            patch.setattr(module, name, lambda *_: None)
        yield


def body_with(usage: Any = COUNTED, **more: Any) -> dict[str, Any]:
    return {"id": "c-1", "model": "gpt-4o", "usage": usage, **more}


def test_a_usual_answer_says_units_names_terms_and_what_was_counted() -> None:
    said = usual_of_body(body_with(service_tier="Flex"), "openai", "chat")
    items = (("input", 10), ("output", 4))
    assert said == (items, ("gpt-4o", "c-1"), (("service_tier", "flex"),), COUNTED)
    assert said == usual_of(read(body_with(service_tier="Flex"), provider="openai", api="chat"))


ANSWERED = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
DRAWN = {"type": "image_generation_call", "svg_usage": {**ANSWERED, "model": "gpt-5"}}


@pytest.mark.parametrize(
    ("body", "provider", "api"),
    [
        (body_with(), "openai", "messages"),  # another family's counts
        (body_with(), "openai", "embeddings"),  # a family without a usual answer
        (body_with(), "nobody", "chat"),  # flagged by_shape
        ([body_with()], "openai", "chat"),
        (body_with(None), "openai", "chat"),
        (body_with([1]), "openai", "chat"),
        (body_with({**COUNTED, "cost": "0.1"}), "openai", "chat"),
        (body_with(dict.fromkeys(COUNTED, 0)), "openai", "chat"),  # nothing was used
        (body_with(custom_id="line-1"), "openai", "chat"),  # the line of a batch, at half the price
        (body_with(object="batch"), "openai", "chat"),
        ({"usage": ANSWERED, "output": [DRAWN]}, "openai", "responses"),  # another model's, beside the usage
    ],
)
def test_what_is_not_usual_has_to_be_read(body: Any, provider: str, api: str) -> None:
    assert usual_of_body(body, provider, api) is None


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 99},  # flagged
        {},  # with a reason
        {**COUNTED, "cost": 0.5},  # states money
    ],
)
def test_a_usage_that_says_more_is_no_usual_one(usage: dict[str, Any]) -> None:
    assert usual_of(read(body_with(usage), provider="openrouter", api="chat")) is None


@pytest.mark.parametrize(
    ("api", "body", "where"),
    [
        ("chat", body_with({**COUNTED, "latency_checkpoint": 0}), "latency_checkpoint"),
        (
            "generate_content",
            {
                "modelVersion": "gemini-3",
                "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10, "trafficType": "ON_DEMAND"},
            },
            "trafficType",
        ),
    ],
)
@pytest.mark.parametrize("value", [2**70, "x" * 300])
def test_a_huge_number_or_a_long_text_beside_the_counts_is_cut(
    api: str, body: dict[str, Any], where: str, value: object
) -> None:
    """So large a number is another one when it is read back, and no text of a stranger is kept in full."""
    provider = "openai" if api == "chat" else "google"
    usage = body.get("usage") or body["usageMetadata"]
    long = {**body, ("usage" if "usage" in body else "usageMetadata"): {**usage, where: value}}
    assert usual_of_body(held(long, api), provider, api) is None
    raw = read(long, provider=provider, api=api).raw
    assert raw is not None
    assert raw[where] == ("about 2^71" if value == 2**70 else "x" * 100)


def test_a_usage_with_parts_or_an_own_context_is_no_usual_one() -> None:
    usage = read(body_with(), provider="openai", api="chat")
    assert usual_of(usage) is not None
    assert usual_of(replace(usage, reason="said")) is None
    assert usual_of(replace(usage, flags=("partial",))) is None
    assert usual_of(replace(usage, parts=(usage,))) is None
    assert usual_of(replace(usage, context_tokens=7)) is None


AROUND = {
    "model": seldom(st.sampled_from(("", None, 3)), st.just("one")),
    "service_tier": seldom(st.sampled_from(("", None, 3)), st.sampled_from(("Default", "flex"))),
    "object": seldom(st.just("batch"), st.just("chat.completion")),
    "content": st.just([{"type": "text", "text": "hello"}]),
}


@st.composite
def bodies(draw: st.DrawFn, usage: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """Make bodies of which most are usual."""
    around = draw(st.sets(st.sampled_from(["model", "service_tier", "object", "content"])))
    body = {name: draw(AROUND[name]) for name in sorted(around)}
    if not draw(st.integers(0, 11)):
        body["custom_id"] = "a"
    return {**body, "usage": draw(usage)}


COUNT = seldom(st.sampled_from((None, True, False, 2.0, 0.0, "", -1, 10**30)), st.integers(0, 9))
NAME = seldom(st.sampled_from((None, "not_available", "", "batch", "é", "x" * 101, 3)), st.just("us"))
ODD = {
    "speed": st.sampled_from(("", "fast")),
    "server_tool_use": st.sampled_from(({}, {"web_search_requests": 1})),
    "output_tokens_details": st.just({"thinking_tokens": 1}),
    "iterations": st.sampled_from(([], [{"type": "compaction", "input_tokens": 3}])),
    "cost": st.sampled_from((0, 2, "1")),
    "cache_creation": st.dictionaries(
        st.sampled_from(("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "ephemeral_7d")), COUNT
    ),
}


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """Make Anthropic's usages, of which most are plain."""
    names = ("cache_read_input_tokens", "service_tier", "inference_geo")
    usage = {
        name: draw(COUNT if name.endswith("tokens") else NAME)
        for name in sorted(draw(st.sets(st.sampled_from(names))))
    }
    usage["output_tokens"] = draw(COUNT)
    if draw(seldom(st.just(value=False), st.just(value=True))):  # without it no usage is a usual one
        usage["input_tokens"] = draw(COUNT)
    if draw(st.booleans()):
        hour, short = draw(st.integers(0, 9)), draw(st.integers(0, 9))
        usage["cache_creation_input_tokens"] = draw(seldom(COUNT, st.just(hour + short)))
        usage["cache_creation"] = {"ephemeral_1h_input_tokens": hour, "ephemeral_5m_input_tokens": short}
    for name in draw(seldom(st.sets(st.sampled_from(sorted(ODD))), st.just(()))):
        usage[name] = draw(ODD[name])
    for name in draw(st.sets(st.sampled_from(sorted(ODD)), max_size=2)):
        usage.setdefault(name, None)
    return usage


ROW = seldom(
    st.sampled_from(({"modality": "DOCUMENT"}, {"modality": 2, "tokenCount": 1}, {})),
    st.sampled_from(
        (
            {"modality": "TEXT", "tokenCount": 3},
            {"modality": "IMAGE", "tokenCount": 2},
            {"modality": "AUDIO", "tokenCount": 0},
        )
    ),
)


@st.composite
def googles(draw: st.DrawFn) -> dict[str, Any]:
    """Make Gemini's answers, of which most add up."""
    counts = ("candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    usage: dict[str, Any] = {"promptTokenCount": draw(st.integers(4, 30))}
    usage.update({name: draw(st.integers(0, 9)) for name in sorted(draw(st.sets(st.sampled_from(counts))))})
    usage["totalTokenCount"] = sum(usage.values()) + draw(seldom(st.just(1), st.just(0)))
    usage["cachedContentTokenCount"] = draw(seldom(st.integers(0, usage["promptTokenCount"]), st.just(0)))
    for name in sorted(draw(st.sets(st.sampled_from(("prompt", "candidates", "cache", "toolUsePrompt"))))):
        if name in {"prompt", "candidates"} or draw(seldom(st.just(value=True), st.just(value=False))):
            usage[f"{name}TokensDetails"] = draw(st.lists(ROW, max_size=2))
    for name in draw(seldom(st.sets(st.sampled_from(sorted(usage)), max_size=1), st.just(()))):
        usage[name] = draw(COUNT)
    body = {
        "modelVersion": draw(AROUND["model"]),
        "responseId": draw(AROUND["model"]),
        "usageMetadata": usage,
    }
    usage.update(draw(seldom(st.just({"trafficType": "ON_DEMAND_FLEX", "serviceTier": "x"}), st.just({}))))
    grounding = [{"groundingMetadata": {"webSearchQueries": ["a"]}, "finishReason": "STOP"}]
    return {**body, "candidates": draw(seldom(st.just(grounding), st.just([{"finishReason": "STOP"}])))}


@st.composite
def converses(draw: st.DrawFn) -> dict[str, Any]:
    """Make Converse's answers, of which most add up."""
    names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    usage = {name: draw(st.integers(0, 9)) for name in names[: draw(st.integers(2, 4))]}
    usage["totalTokens"] = sum(usage.values()) + draw(seldom(st.integers(-9, 9), st.just(0)))
    if "cacheReadInputTokens" in usage and draw(st.booleans()):
        usage["cacheReadInputTokenCount"] = usage["cacheReadInputTokens"]
    for name in draw(seldom(st.sets(st.sampled_from(sorted(usage)), max_size=1), st.just(()))):
        usage[name] = draw(COUNT)
    rows = [{"ttl": "5m", "inputTokens": 2}, {"ttl": "1h", "inputTokens": 1}, 3]
    more: dict[str, st.SearchStrategy[Any]] = {
        "cacheDetails": st.lists(st.sampled_from([*rows[:1] * 6, *rows]), max_size=2),
        "serverToolUsage": st.sampled_from(({}, {}, None, {"web_search": 1})),
    }
    usage.update(draw(st.fixed_dictionaries({}, optional=more)))
    around: dict[str, st.SearchStrategy[Any]] = {
        "serviceTier": st.sampled_from(({"type": "Flex"}, None)),
        "performanceConfig": st.just({"latency": "optimized"}),
        "model": AROUND["model"],
        "trace": seldom(st.just({"promptRouter": {"invokedModelId": "m"}}), st.just({})),
    }
    return {"usage": usage, **draw(st.fixed_dictionaries({}, optional=around))}


@st.composite
def with_tools(draw: st.DrawFn) -> dict[str, Any]:
    """Make OpenAI's responses beside which stands what hosted tools used."""
    drawn = draw(st.sampled_from(({"input_tokens": 0, "output_tokens": 0}, {}, {"output_tokens": 3})))
    searched = {"num_requests": draw(COUNT)}
    tools = draw(seldom(st.sampled_from(({}, {"web_search": 3}, 5)), st.none()))
    told = {"image_gen": drawn, "web_search": searched} if tools is None else tools
    more = draw(st.sampled_from(({}, {}, {"tools": [{"type": "web_search_preview"}]})))
    return {**draw(bodies(usages(RESPONSES))), "tool_usage": told, **more}


HOSTS = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(("Novita", "", None)),
        "usage_breakdown": seldom(st.just({"models": [{"model": "m", "usage": COUNTED}]}), st.none()),
    },
)


@st.composite
def hosted(draw: st.DrawFn) -> dict[str, Any]:
    """Make chat completions of which some name who served."""
    return {**draw(bodies(usages(PAID))), **draw(HOSTS)}


ASKED = {
    "chat": (
        hosted(),
        ("openai", "groq", "openrouter"),
    ),
    "responses": (bodies(usages(RESPONSES)) | with_tools(), ("openai", "xai")),
    "messages": (bodies(messages()), ("anthropic", "bedrock", "vertex")),
    "invoke_model": (bodies(messages()), ("bedrock",)),
    "generate_content": (googles(), ("google", "vertex")),
    "converse": (converses(), ("bedrock",)),
}


@pytest.mark.parametrize("api", ASKED)
def test_both_ways_say_the_same(api: str) -> None:
    made, providers = ASKED[api]
    usual = 0

    @settings(max_examples=150)
    @given(made, st.sampled_from(providers))
    def agree(body: dict[str, Any], provider: str) -> None:
        nonlocal usual
        said = usual_of_body(held(body, api), provider, api)
        if said is not None:
            usual += 1
            with the_whole_way():
                assert said == usual_of(read(body, provider=provider, api=api))

    agree()
    assert usual > 10  # a third or so are; where none were, nothing would have been compared


def parts_of(value: object) -> set[int]:
    """Name every object inside of a value that somebody could change."""
    if not isinstance(value, (dict, list)):
        return set()
    within = value.values() if isinstance(value, dict) else value
    return {id(value)}.union(*(parts_of(each) for each in within))


@pytest.mark.parametrize("api", ASKED)
def test_what_is_read_is_the_same_whole_usage_both_ways_and_shares_nothing(api: str) -> None:
    made, providers = ASKED[api]

    @settings(max_examples=150)
    @given(made, st.sampled_from(providers))
    def agree(body: dict[str, Any], provider: str) -> None:
        usage = read(body, provider=provider, api=api)
        with the_whole_way():
            assert usage == read(body, provider=provider, api=api)
        assert not parts_of(usage.raw) & parts_of(body)

    agree()


BEGUN = {"input_tokens": 3, "output_tokens": 1, "service_tier": "standard"}


def cut(api: str, body: dict[str, Any], begun: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Cut a body into the events of its API's streams."""
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": body.get("usage")}
    head: dict[str, Any] = {name: body[name] for name in ("model", "service_tier") if name in body}
    made: dict[str, list[dict[str, Any]]] = {
        "chat": [{**head, "choices": [{"finish_reason": "stop"}]}, {**body, "choices": []}],
        "responses": [{"type": "response.created"}, {"type": "response.completed", "response": body}],
        "messages": [{"type": "message_start", "message": {**head, "usage": begun}}, {"type": "ping"}, stop],
        "generate_content": [{**body, "candidates": []}, body],
        "converse": [{"messageStart": {}}, {"metadata": body}],
    }
    made["invoke_model"] = made["messages"]
    return made[api]


@st.composite
def streams(draw: st.DrawFn, api: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Make the events of a stream, of which some lack their end."""
    events = cut(api, body, draw(seldom(st.none(), st.just(BEGUN))))
    return events[: len(events) - draw(seldom(st.just(1), st.just(0)))]


TOKENS = {"input_tokens": 10, "output_tokens": 4}
PLAIN: dict[str, dict[str, Any]] = {
    "chat": body_with(),
    "responses": body_with({**TOKENS, "total_tokens": 14}),
    "messages": body_with(TOKENS),
    "invoke_model": body_with(TOKENS),
    "generate_content": {
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 4, "totalTokenCount": 14},
        "candidates": [{"finishReason": "STOP"}],
    },
    "converse": {"usage": {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14}},
}


@pytest.mark.parametrize("api", ASKED)
def test_streams_say_the_same_both_ways(api: str) -> None:
    made, providers = ASKED[api]

    @settings(max_examples=250)
    @given(st.data(), made, st.sampled_from((*providers, "nobody")))
    def agree(data: st.DataObject, body: dict[str, Any], provider: str) -> None:
        events = data.draw(streams(api, body))
        with the_whole_way():
            whole = read(events, provider=provider, api=api)
        said = read_usual(events, provider=provider, api=api)
        assert said == (whole if isinstance(said, Usage) else usual_of(whole))

    agree()
    plain = read_usual(cut(api, PLAIN[api], BEGUN), provider=providers[0], api=api)
    assert not isinstance(plain, Usage)  # the quick way reads plain ones: how many were made is up to chance
    assert plain[0] == (("input", 10), ("output", 4))


@pytest.mark.parametrize(
    ("usage", "items", "terms"),
    [
        (
            {"input_tokens": 7, "output_tokens": 3, "service_tier": "standard", "server_tool_use": None},
            (("input", 7), ("output", 3)),
            (("service_tier", "standard"),),
        ),
        (
            {
                "input_tokens": 7,
                "output_tokens": 3,
                "cache_read_input_tokens": 2,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
                "inference_geo": "us",
                "service_tier": "priority",
            },
            (("input", 7), ("cache_read", 2), ("cache_write", 4), ("cache_write_1h", 5), ("output", 3)),
            (("geo", "us"), ("service_tier", "priority")),
        ),
        (
            {"input_tokens": 7, "output_tokens": 3, "cache_creation_input_tokens": 9, "cache_creation": None},
            (("input", 7), ("cache_write", 9), ("output", 3)),
            (),
        ),
    ],
)
def test_a_usual_message_says_units_and_terms(
    usage: dict[str, Any], items: tuple[Any, ...], terms: tuple[Any, ...]
) -> None:
    body = {"id": "m-1", "model": "claude-sonnet-4-5", "usage": usage}
    said = usual_of_body(body, "anthropic", "messages")
    assert said == (items, ("claude-sonnet-4-5", "m-1"), terms, usage)
    assert said == usual_of(read(body, provider="anthropic", api="messages"))


CHUNK = {"id": "c-1", "model": "gpt-4o", "choices": [{"delta": {}}]}


def test_chunks_one_of_which_states_usage_are_laid_over_each_other() -> None:
    last = {"id": "", "model": "gpt-4o-mini", "choices": [], "service_tier": "flex", "usage": COUNTED}
    said = usual_of_chunks([CHUNK, {**CHUNK, "usage": None}, last], "openai", "chat")
    items = (("input", 10), ("output", 4))
    assert said == (items, ("gpt-4o-mini", "c-1"), (("service_tier", "flex"),), COUNTED)
    assert usual_of_chunks([CHUNK, last, {"model": "o3"}], "openai", "chat") == (
        *(items, ("o3", "c-1"), (("service_tier", "flex"),)),
        COUNTED,
    )


@pytest.mark.parametrize(
    ("chunks", "api"),
    [
        ([], "chat"),
        ([CHUNK, body_with()], "responses"),  # whose streams are no chunks of the body
        ([body_with()], "chat"),  # which may be the first of more
        ([body_with(), CHUNK], "chat"),
        ([CHUNK, body_with(), body_with()], "chat"),  # the one or the other, or both
        ([CHUNK, 7, body_with()], "chat"),
        ([CHUNK, CHUNK], "chat"),
        ([CHUNK, body_with({})], "chat"),
        ([CHUNK, body_with([COUNTED])], "chat"),
    ],
)
def test_other_chunks_are_looked_at_one_by_one(chunks: list[Any], api: str) -> None:
    assert usual_of_chunks(chunks, "openai", api) is None


def test_a_body_by_itself_is_read_likewise_and_one_of_no_said_api_by_its_shape() -> None:
    usual = {"model": "gpt-4o", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
    odd = {**usual, "usage": {**usual["usage"], "total_tokens": 6}}  # type: ignore[dict-item]
    whole = read(odd, provider="openai", api="chat")
    assert read_usual(usual, provider="openai", api="chat") == usual_of_body(usual, "openai", "chat")
    assert read_usual(odd, provider="openai", api="chat") == whole
    assert read_usual(odd, provider="openai", api=None) == whole


def test_a_count_by_modality_that_is_no_object_goes_the_whole_way() -> None:
    usage = {
        "promptTokenCount": 3,
        "candidatesTokenCount": 2,
        "totalTokenCount": 5,
        "promptTokensDetails": [1],
    }
    body = {"modelVersion": "gemini-2.5-flash", "usageMetadata": usage}
    assert usual_of_body(body, "google", "generate_content") is None
    assert read_usual(body, provider="google", api="generate_content") == read(
        body, provider="google", api="generate_content"
    )
