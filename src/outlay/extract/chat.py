"""OpenAI's chat completions and everything that copies them: inclusive counts with subsets in details."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Term, Usage
from outlay.extract.answers import finish, finish_common, inner, missing, split, tier_in, tier_terms, usage_in
from outlay.extract.common import PAID, common_usage
from outlay.extract.plain import fields_of, name_of, rows_of
from outlay.extract.tally import Tally

# What each host means; a stated total that says otherwise wins.
# docs.x.ai: completion_tokens excludes reasoning; docs.perplexity.ai: so does deep research's, and its total.
_REASONING_OUTSIDE = frozenset({"xai", "perplexity"})
_REASONING_UNTOLD = frozenset({"perplexity"})
_AUDIO_OUTSIDE = frozenset({"mistral"})  # prompt_tokens excludes audio
_REMAINDER_THOUGHT = frozenset({"google", "vertex"})  # Gemini states thoughts in the total alone

_PROMPT_DETAILS = ("prompt_tokens_details", "prompt_token_details", "input_tokens_details")
_OUTPUT_DETAILS = ("completion_tokens_details", "completion_token_details", "output_tokens_details")
_INPUT_MODALITIES = (
    ("audio_tokens", "input_audio"),
    ("image_tokens", "input_image"),
    ("video_tokens", "input_video"),
)
_OUTPUT_MODALITIES = (
    ("audio_tokens", "output_audio"),
    ("image_tokens", "output_image"),
    ("video_tokens", "output_video"),
)
_CACHED = ("cached_tokens", "num_cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens")

_SIDES = frozenset({"prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"})
_LIVED = {  # OpenAI's words, and LiteLLM's
    "30m": ("ttl_30m_tokens", "ephemeral_30m_input_tokens"),
    "1h": ("ephemeral_1h_input_tokens",),
    "12h": ("ttl_12h_tokens", "ephemeral_12h_input_tokens"),
}
_LIFETIMES = frozenset({"ephemeral_5m_input_tokens", *(key for keys in _LIVED.values() for key in keys)})
_TOOLS = frozenset({"web_search_requests", "web_fetch_requests", "tool_search_requests"})

_KNOWN = frozenset(
    {
        *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"),
        *_PROMPT_DETAILS,
        *_OUTPUT_DETAILS,
        *_CACHED,
        *("prompt_cache_miss_tokens", "cache_creation_input_tokens"),
        *("reasoning_tokens", "audio_prompt_tokens", "prompt_audio_seconds", "request_count", "service_tier"),
        *("cost", "cost_details", "is_byok", "cost_in_usd_ticks", "estimated_cost", "pydantic_ai_gateway"),
        *(
            "server_tool_use_details",
            "server_tool_use",
            "num_sources_used",
            "num_search_queries",
            "citation_tokens",
        ),
        *("search_context_size", "latency_checkpoint", "usage_breakdown"),
        *("queue_time", "prompt_time", "completion_time", "total_time", "draft_tokens"),
        *("draft_tokens_acceptance", "tokens_per_second", "prompt_tokens_per_second"),
        *("time_per_output_token_ms", "time_to_first_token_ms"),
        # xAI's responses; read there
        *("context_details", "server_side_tool_usage_details", "num_server_side_tools_used"),
        "tool_calls_details",  # Perplexity's; likewise
    }
)
_KNOWN_PROMPT = frozenset(
    {
        *(
            "cached_tokens",
            "cache_write_tokens",
            "cache_write_tokens_details",
            "multimodal_tokens",
            "messages",
        ),
        *("cache_read_input_tokens", "cache_creation_input_tokens"),  # Perplexity's agents'
        # LiteLLM's
        *("cache_creation_tokens", "cache_creation_token_details"),
        *("web_search_requests", "google_maps_grounding_requests"),
        *("text_tokens", "audio_tokens", "image_tokens", "video_tokens"),
    }
)
_KNOWN_OUTPUT = frozenset(
    {
        *("reasoning_tokens", "text_tokens", "audio_tokens", "image_tokens", "video_tokens"),
        *("accepted_prediction_tokens", "rejected_prediction_tokens"),
    }
)


def read_chat(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a chat completion, a text completion or an embedding of OpenAI's shape."""
    stated, breakdown = body.get("usage"), body.get("usage_breakdown")
    if breakdown is None and (common := common_usage(stated, PAID)) is not None:
        items, copied = common
        return finish_common(items, copied, body, _common_terms(body, copied), provider)
    usage = usage_in(stated) or usage_elsewhere(body)
    if usage is None:
        return missing(body)
    tally = Tally()
    count_chat(tally, usage, provider)
    if "choices" in body and _SIDES.isdisjoint(key for key, count in usage.items() if count is not None):
        tally.note("partial", "the usage does not tell prompt and completion tokens apart")
    whole = finish(tally, body, usage, provider, _terms(body, usage))
    if breakdown is None or not (parts := _parts(breakdown, provider)):
        return whole
    read = split(whole, parts)
    same = (read.input_tokens, read.output_tokens) == (whole.input_tokens, whole.output_tokens)
    return read if same else read.flagged("total_mismatch")


def usage_elsewhere(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Find the usage where it stands in another place: Groq's ``x_groq``, or Moonshot's first choice."""
    groq = body.get("x_groq")
    if groq is not None and (found := fields_of(groq)):
        return usage_in(found.get("usage"))
    choices = body.get("choices")
    if isinstance(choices, list) and choices and (first := fields_of(choices[0])):
        return usage_in(first.get("usage"))
    return None


def _common_terms(body: Mapping[str, Any], usage: Mapping[str, Any]) -> tuple[Term, ...]:
    """Give the same as :func:`_terms`, sorted; most answers of the common shape have none or a tier."""
    tier = tier_in(body, usage)
    known = (("service_tier", tier),) if tier else ()
    if "provider" in body and (host := name_of(body["provider"])):
        return (*known, ("upstream", host))
    return known


def _terms(body: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, str]:
    terms = tier_terms(body, usage)
    if "search_context_size" in usage and (size := name_of(usage["search_context_size"])):
        terms["search_context_size"] = size
    if "provider" in body and (host := name_of(body["provider"])):  # OpenRouter names who served
        terms["upstream"] = host
    return terms


def _parts(breakdown: object, provider: str) -> tuple[Usage, ...]:
    """Read Groq's compound models: the top-level usage is the sum of these."""
    rows = (fields_of(breakdown) or {}).get("models")
    parts = []
    for row in rows_of(rows):
        fields = fields_of(row) or {}
        if usage := usage_in(fields.get("usage")):
            tally = Tally()
            count_chat(tally, usage, provider)
            parts.append(finish(tally, fields, usage, provider))
    return tuple(parts)


def count_chat(tally: Tally, usage: Mapping[str, Any], provider: str) -> None:
    """Count an OpenAI-shaped usage object into disjoint units."""
    prompt_details, output_details = _details(usage, _PROMPT_DETAILS), _details(usage, _OUTPUT_DETAILS)
    prompt = tally.count(usage, "prompt_tokens")
    if prompt is None:
        prompt = tally.count(usage, "input_tokens")
    completion = tally.count(usage, "completion_tokens")
    if completion is None:
        completion = tally.count(usage, "output_tokens")
    total = tally.count(usage, "total_tokens")
    reasoning = _thought(tally, usage, output_details)
    if total is None and completion is not None and provider in _REMAINDER_THOUGHT:
        tally.note("partial", "without a total nobody knows what was thought")
    if prompt is None or completion is None:
        prompt, completion = _incomplete(tally, usage, prompt, completion, total)
    gap = None if total is None else total - prompt - completion
    if gap != 0:
        audio = tally.count(prompt_details, "audio_tokens") or 0
        more_prompt, more_output = _outside(tally, gap, usage, (reasoning or 0, audio), provider)
        prompt += more_prompt
        completion += more_output
        reasoning = max(reasoning or 0, more_output)
    elif reasoning and provider in _REASONING_UNTOLD and not output_details:
        completion += reasoning
    _count_prompt(tally, usage, prompt_details, prompt)
    left = tally.take("reasoning", reasoning, completion) if reasoning else completion
    if output_details:
        for key, unit in _OUTPUT_MODALITIES:
            if output_details.get(key):
                left = tally.take(unit, tally.count(output_details, key), left)
        tally.unknown(output_details, _KNOWN_OUTPUT)
    tally.put("output", left)
    _count_extras(tally, usage)


def _thought(tally: Tally, usage: Mapping[str, Any], details: Mapping[str, Any]) -> int | None:
    reasoning = tally.count(details or usage, "reasoning_tokens")
    return tally.count(usage, "reasoning_tokens") if reasoning is None and details else reasoning


def _details(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    for name in names:
        if name in usage:
            return inner(usage, name)
    return {}


def _incomplete(
    tally: Tally, usage: Mapping[str, Any], prompt: int | None, completion: int | None, total: int | None
) -> tuple[int, int]:
    """Do what can be done where one of the two counts is absent; nothing is guessed."""
    if prompt is None:
        hit = tally.count(usage, "prompt_cache_hit_tokens")
        missed = tally.count(usage, "prompt_cache_miss_tokens")
        if hit is not None or missed is not None:  # DeepSeek: prompt = hit + miss
            prompt = (hit or 0) + (missed or 0)
            if (hit is None or missed is None) and total != prompt + (completion or 0):
                tally.note("partial", "the usage tells of a part of its prompt alone")
    if prompt is None and completion is None and total is not None:
        return total, 0  # embeddings and rerankers that state a total alone have no output
    if prompt is None:
        tally.note("partial", "the usage has no prompt tokens")
    elif completion is None and (total is None or total > prompt):
        tally.note("partial", "the usage has no completion tokens")
    return prompt or 0, completion or 0


def _outside(
    tally: Tally,
    gap: int | None,
    usage: Mapping[str, Any],
    stated: tuple[int, int],
    provider: str,
) -> tuple[int, int]:
    """Say what stands outside of prompt and completion: by the gap to the stated total, else by rule."""
    reasoning, audio = stated
    by_rule = (
        audio if provider in _AUDIO_OUTSIDE else 0,
        reasoning if provider in _REASONING_OUTSIDE else 0,
    )
    if gap is None or gap == sum(by_rule):
        return by_rule
    if gap == reasoning:
        tally.flags.add("reasoning_additive")
        return 0, reasoning
    if gap == audio:
        tally.flags.add("audio_additive")
        return audio, 0
    cache = sum(
        tally.count(usage, key) or 0 for key in ("cache_read_input_tokens", "cache_creation_input_tokens")
    )
    if gap == cache:
        tally.flags.add("cache_additive")
        return cache, 0
    if gap > 0 and provider in _REMAINDER_THOUGHT:
        tally.flags.add("reasoning_additive")
        return 0, gap
    if "partial" not in tally.flags:
        tally.flags.add("total_mismatch")
    return by_rule


def _count_prompt(tally: Tally, usage: Mapping[str, Any], details: Mapping[str, Any], prompt: int) -> None:
    cached = tally.first(details, "cached_tokens", "cache_read_input_tokens")
    if cached is None:
        cached = tally.first(usage, *_CACHED)
    left = tally.take("cache_read", cached, prompt)
    left = take_writes(tally, usage, details, left)
    if details:
        # Cached tokens may be audio or image tokens as well; the overlap is taken off once.
        for key, unit in _INPUT_MODALITIES:
            if details.get(key):
                left = tally.overlap(unit, tally.count(details, key), left, prompt)
        tally.unknown(details, _KNOWN_PROMPT)
    tally.put("input", left)


def take_writes(tally: Tally, usage: Mapping[str, Any], details: Mapping[str, Any], left: int) -> int:
    """Move cache writes out of the input, split by lifetime where it is stated."""
    written = tally.count(details, "cache_write_tokens")
    if written is None and "cache_creation_input_tokens" in usage:
        written = tally.count(usage, "cache_creation_input_tokens")
    if written is None:
        written = tally.first(details, "cache_creation_tokens", "cache_creation_input_tokens")
    if not written:
        return left
    lifetimes = inner(details, "cache_write_tokens_details") or inner(details, "cache_creation_token_details")
    room = min(written, left)
    if written > left:
        tally.flags.add("clamped")
    rest = room
    tally.unknown(lifetimes, _LIFETIMES)  # a new one has a rate of its own: said, and counted as usual
    for lifetime, keys in _LIVED.items():
        rest = tally.take(f"cache_write_{lifetime}", tally.first(lifetimes, *keys), rest)
    tally.put("cache_write", rest)
    return left - room


def _count_searches(tally: Tally, usage: Mapping[str, Any]) -> None:
    """Count searches where they are told: by OpenRouter, and by LiteLLM in one of two places or in both."""
    prompt, used = _details(usage, _PROMPT_DETAILS), inner(usage, "server_tool_use")
    for place in (inner(usage, "server_tool_use_details"), used, prompt):
        if place.get("web_search_requests") is not None:
            tally.put("web_search", tally.count(place, "web_search_requests"))
            break
    tally.put("maps_search", tally.count(prompt, "google_maps_grounding_requests"))
    tally.unknown(used, _TOOLS)


def _count_extras(tally: Tally, usage: Mapping[str, Any]) -> None:
    tally.unknown(usage, _KNOWN)
    if "prompt_audio_seconds" in usage:
        tally.put("audio_seconds", tally.amount(usage, "prompt_audio_seconds"))
    _count_searches(tally, usage)
    if "num_search_queries" in usage:
        tally.put("web_search", tally.count(usage, "num_search_queries"))
    if "citation_tokens" in usage:
        tally.put("citation_tokens", tally.count(usage, "citation_tokens"))
    if "num_sources_used" in usage:
        tally.put("sources", tally.count(usage, "num_sources_used"))
