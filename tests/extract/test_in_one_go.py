"""Messages and Gemini's answers: what is read in one go is the whole Usage that the tally gives."""

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.extract import anthropic, google, read, responses
from outlay.extract.google_usual import usual_items

COUNT = st.one_of(*[st.integers(0, 9)] * 4, st.sampled_from((None, True, False, 2.0, 0.0, "", -1, 10**30)))
NAME = st.sampled_from(("standard", None, "us", "not_available", "", "batch", "é", "x" * 101, 3))
LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens") * 4 + ("ephemeral_7d",)
MESSAGE = {
    "input_tokens": COUNT,
    "output_tokens": COUNT,
    "cache_read_input_tokens": COUNT,
    "cache_creation_input_tokens": COUNT,
    "cache_creation": st.none() | st.dictionaries(st.sampled_from(LIFETIMES), COUNT),
    "service_tier": NAME,
    "inference_geo": NAME,
    "speed": st.sampled_from((None,) * 8 + ("", "fast")),
    "server_tool_use": st.none()
    | st.dictionaries(
        st.sampled_from(("web_search_requests", "web_fetch_requests", "other")),
        st.sampled_from((0, 0, None, "", 1)),
    ),
    "output_tokens_details": st.none()
    | st.dictionaries(st.sampled_from(("thinking_tokens",) * 6 + ("x",)), COUNT),
    "iterations": st.sampled_from((None,) * 8 + ([], [{"type": "compaction", "input_tokens": 3}])),
    "cost": st.sampled_from((None,) * 8 + (0, 2, "1")),
}


def same_either_way(body: dict[str, Any], provider: str, api: str, way: tuple[ModuleType, str]) -> None:
    """Read a body in one go and, with that way closed, key by key."""
    quick = read(body, provider=provider, api=api)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*way, lambda *_: None)
        whole = read(body, provider=provider, api=api)
    assert quick == whole
    assert quick.raw == whole.raw


@given(
    st.fixed_dictionaries({}, optional=MESSAGE),
    st.fixed_dictionaries({}, optional={"model": st.sampled_from(("claude-sonnet-4-5", "", None, 3))}),
    st.sampled_from(("anthropic", "bedrock", "nobody")),
)
def test_a_message_is_the_same_either_way(usage: dict[str, Any], more: dict[str, Any], provider: str) -> None:
    body = {"usage": usage, **more}
    same_either_way(body, provider, "messages", (anthropic, "message_items"))


TEXT, SOUND = {"modality": "TEXT", "tokenCount": 3}, {"modality": "AUDIO", "tokenCount": 2}
ROWS = st.lists(st.sampled_from((TEXT, TEXT, SOUND, {}, None, 7)), max_size=2)
GOOGLE = {
    "promptTokenCount": COUNT,
    "candidatesTokenCount": COUNT,
    "thoughtsTokenCount": COUNT,
    "cachedContentTokenCount": COUNT,
    "toolUsePromptTokenCount": st.sampled_from((None, 0, 2)),
    "promptTokensDetails": ROWS | st.none(),
    "candidatesTokensDetails": ROWS,
    "cacheTokensDetails": ROWS,
    "toolUsePromptTokensDetails": ROWS,
    "trafficType": st.sampled_from(("ON_DEMAND", "ON_DEMAND_FLEX", "", None, 1, "é" * 120)),
    "serviceTier": st.sampled_from(("SERVICE_TIER_FLEX", "standard", None, 3)),
    "strange": st.sampled_from((0, 4)),
}
COUNTED = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")


@given(
    st.fixed_dictionaries({}, optional=GOOGLE),
    st.sampled_from((0, 0, 0, 0, 1, None)),
    st.sampled_from(([], None, [{"groundingMetadata": {"webSearchQueries": ["a"]}}])),
    st.sampled_from(("google", "vertex", "nobody")),
)
def test_gemini_s_answer_is_the_same_either_way(
    usage: dict[str, Any], more: int | None, candidates: object, provider: str
) -> None:
    if more is not None:
        parts = [usage.get(name) for name in COUNTED]
        usage["totalTokenCount"] = sum(part for part in parts if type(part) is int) + more
    body = {"modelVersion": "gemini-2.5-pro", "usageMetadata": usage, "candidates": candidates}
    same_either_way(body, provider, "generate_content", (google, "usual_items"))


def test_gemini_s_usual_usage_is_read_in_one_go() -> None:
    usage = {
        "promptTokenCount": 30,
        "cachedContentTokenCount": 10,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 7,
        "totalTokenCount": 42,
        "promptTokensDetails": [TEXT],
    }
    units = (("input", 20), ("cache_read", 10), ("output", 5), ("reasoning", 7))
    assert usual_items(usage) == units
    assert usual_items({**usage, "totalTokenCount": 43}) is None
    heard = (("input", 18), ("input_audio", 2), *units[1:])
    assert usual_items({**usage, "promptTokensDetails": [SOUND, TEXT]}) == heard
    assert usual_items({**usage, "cacheTokensDetails": [SOUND]}) is None
    searched = {**usage, "toolUsePromptTokenCount": 6, "totalTokenCount": 48}
    assert usual_items(searched) == (("input", 26), *units[1:])
    assert usual_items({**searched, "toolUsePromptTokensDetails": [SOUND]}) is None


KIND: st.SearchStrategy[Any] = st.sampled_from(
    ("web_search_call", "web_search_call", "file_search_call", "code_interpreter_call", "shell_call",
     "image_generation_call", "message", None, [])
)  # fmt: skip
ITEM = {
    "status": st.sampled_from(("completed", "completed", "failed", None)),
    "action": st.sampled_from(({"type": "search", "queries": ["a", "b"]}, {"type": "open_page"}, None, [])),
    "container_id": st.sampled_from(("c1", "c2", "", None)),
    "environment": st.sampled_from(({"type": "container_reference", "container_id": "c3"}, None)),
    "svg_usage": st.sampled_from((None,) * 9 + ({"input_tokens": 3, "output_tokens": 2},)),
}
TOOLS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "web_search": st.fixed_dictionaries({"num_requests": COUNT}),
        "image_gen": st.sampled_from(({"input_tokens": 0}, {"input_tokens": 3}, {}, None)),
    },
)


@given(
    st.lists(st.fixed_dictionaries({"type": KIND}, optional=ITEM), max_size=4),
    TOOLS,
    st.sampled_from(([{"type": "web_search_preview"}], [{"type": "web_search"}], None)),
    st.sampled_from(({"effort": "low"}, {"effort": None}, None)),
    st.sampled_from(("openai", "azure", "xai", "nobody")),
)
def test_what_hosted_tools_leave_is_the_same_either_way(
    output: list[Any], used: Any, tools: Any, reasoning: Any, provider: str
) -> None:
    body = {
        "output": output, "tool_usage": used, "tools": tools, "reasoning": reasoning, "model": "gpt-4o",
        "usage": {"input_tokens": 30, "output_tokens": 20, "total_tokens": 50},
    }  # fmt: skip
    same_either_way(body, provider, "responses", (responses, "common_usage"))
