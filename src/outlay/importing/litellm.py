"""LiteLLM's spend logs: rows of its table LiteLLM_SpendLogs, as JSON or CSV."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from outlay.core.errors import NotACallError
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.importing.made import Call
from outlay.importing.values import between, count, first, inner, kept, stated


def _both(*names: str) -> frozenset[str]:
    """Give names of calls, and those that they have in asynchronous programs."""
    return frozenset((*names, *(f"a{name}" for name in names)))


OPERATIONS = (
    ("embedding", "embeddings"),
    ("image", "generate_content"),
    ("transcription", "generate_content"),
    ("speech", "generate_content"),
    ("text_completion", "text_completion"),
)
CACHED = ("cache_read_input_tokens", "cached_tokens")
WRITTEN = ("cache_creation_input_tokens", "cache_write_tokens")
THOUGHT = ("reasoning_tokens",)
PLACES = ("usage_object", "additional_usage_values")
WRITES = "cache_creation_token_details"
LIVED = tuple(f"ephemeral_{lifetime}_input_tokens" for lifetime in ("30m", "1h", "12h"))
SIDES = ("prompt_tokens_details", "completion_tokens_details")
APART = ("audio_tokens", "image_tokens", "video_tokens")  # of either side
SEARCHES = ("web_search_requests", "google_maps_grounding_requests")
TERMS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "service_tier": {
        "batch": ("batch", "true"),
        **{tier: ("service_tier", tier) for tier in ("flex", "priority")},
    },
    "inference_geo": {"us": ("geo", "us")},
    "speed": {"fast": ("speed", "fast")},
}
"""Words that a price depends on, as LiteLLM writes them; by any other the usual one holds."""
_KEPT = ("create", "retrieve", "list", "update", "delete")
READS = _both(
    *(f"{done}_responses" for done in ("get", "delete", "cancel")),
    "list_input_items",
    *(f"vector_store_{done}" for done in _KEPT),
    *(f"vector_store_file_{done}" for done in (*_KEPT, "content")),
)
"""Calls whose tokens, where some are told, are those of the call that made what they read."""
OTHERS = READS | _both(
    "call_mcp_tool", "list_mcp_tools", "vector_store_search", "create_file", "create_skill", "run_code",
    *(f"file_{done}" for done in ("retrieve", "delete", "list", "content")),
    *(f"{done}_batch" for done in ("create", "retrieve", "cancel")),
    *(f"video_{done}" for done in ("retrieve", "retrieve_job", "content", "list", "delete", "get_character")),
    *(f"{done}_container" for done in ("create", "retrieve", "delete")),
    "list_containers", "list_container_files", "upload_container_file", "create_sandbox", "delete_sandbox",
    "get_assistants", "create_assistants", "delete_assistant", "create_thread", "get_thread", "get_messages",
    "create_fine_tuning_job", "cancel_fine_tuning_job", "retrieve_fine_tuning_job", "list_fine_tuning_jobs",
)  # fmt: skip
"""What calls no model, as long as it tells neither spend nor tokens."""
ITS_CACHE = "_cache_hit"  # in the id of what its cache answered, whatever else is told
_PROXY = "litellm-proxy"  # whose answers tell usage in the same words


def is_litellm(row: Collection[str]) -> bool:
    """Whether a row is one of LiteLLM's spend logs."""
    return "spend" in row and "startTime" in row and ("request_id" in row or "call_type" in row)


def read_litellm(row: Mapping[str, Any]) -> Call:
    """Read a spend log.

    A spend of 0 with tokens is what LiteLLM writes for a model whose price it does not know: such a call is
    priced anew; of a failed one without spend nobody knows what it used, nor of one without any token, which
    it writes where an answer tells no usage. An answer from LiteLLM's own cache cost nothing. Tokens include
    cached and written ones. What calls no model, such as a tool or a look at a file, is no call.

    Raises:
        NotACallError: no model was called.
        UsageError: a count that cannot be.
    """
    metadata = inner(row.get("metadata"))
    cached = str(first(row, "cache_hit") or "").lower() == "true" or ITS_CACHE in str(row.get("request_id"))
    failed = _failed(row, metadata)
    tokens = {} if failed and not _spent(row) else _tokens(row, metadata)
    _check(row, tokens)
    fields = {
        **tokens,
        **kept(
            provider=first(row, "custom_llm_provider"),
            model=first(row, "model"),
            model_requested=first(row, "model_group"),
            operation=_operation(str(row.get("call_type") or "")),
            user=first(row, "end_user", "user"),
            session=first(row, "session_id"),
            status="error" if failed else "success",
            **(_error(metadata) if failed else {}),
            latency_ms=between(row.get("startTime"), row.get("endTime")),
            time_to_first_token_ms=_first_token(row),
            cost=_cost(row, cached=cached),
            tags=_tags(row, cached=cached),
        ),
    }
    identity = first(row, "request_id")
    return Call(row.get("startTime"), fields, None if identity is None else str(identity))


def _check(row: Mapping[str, Any], tokens: Mapping[str, Any]) -> None:
    """Raise NotACallError where a row tells of no call of a model."""
    kind = str(row.get("call_type"))
    if kind in OTHERS and not _spent(row) and (kind in READS or not tokens):
        raise NotACallError(f"{kind} calls no model")


def _tokens(row: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    places = tuple(inner(metadata.get(key)) for key in PLACES)
    usage, beside = places
    inside, behind = (inner(place.get("prompt_tokens_details")) for place in places)
    more = {**inside, **usage, **beside}
    prompt = count(row.get("prompt_tokens"), "prompt_tokens")
    completion = count(row.get("completion_tokens"), "completion_tokens")
    if not prompt and not completion:
        return {}
    reasoning = _any((inner(place.get("completion_tokens_details")) for place in places), THOUGHT)
    cached = _any((more, behind), CACHED)
    lived = _written(places)
    written = _any((more, behind), WRITTEN) or sum(lived.values())
    counts = kept(
        input_tokens=prompt,
        output_tokens=completion,
        cached_tokens=cached or None,
        cache_write_tokens=written or None,
        reasoning_tokens=reasoning or None,
    )
    terms = kept(terms=_terms((*places, inner(metadata.get("cost_breakdown")))) or None)
    apart = _apart(places)
    if not lived and not any(apart.values()) and _fits(counts):
        return {**counts, **terms}
    return {"usage": _as_answered(row, counts, lived, apart), **terms}


def _fits(counts: Mapping[str, int]) -> bool:
    """Whether no part is more than its whole."""
    within = counts.get("cached_tokens", 0) + counts.get("cache_write_tokens", 0)
    thought = counts.get("reasoning_tokens", 0)
    return within <= counts.get("input_tokens", within) and thought <= counts.get("output_tokens", thought)


def _any(places: Iterable[Mapping[str, Any]], names: tuple[str, ...]) -> int:
    """Give the first count other than 0 that a place tells; versions without a usage object have another."""
    return next(filter(None, (count(first(place, *names), names[-1]) for place in places)), 0)


def _written(places: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count what was written to a cache for longer than the usual five minutes."""
    found = (inner(inner(place.get("prompt_tokens_details")).get(WRITES)) for place in places)
    lifetimes: Mapping[str, Any] = next(filter(None, found), {})
    return {name: lasted for name in LIVED if (lasted := count(lifetimes.get(name), name))}


def _apart(places: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Count by side what has a price of its own: sound, pictures, films, and searches."""
    sides = {side: [inner(place.get(side)) for place in places] for side in SIDES}
    found = {
        side: {name: tokens for name in APART if (tokens := _any(within, (name,)))}
        for side, within in sides.items()
    }
    tools = [*(inner(place.get("server_tool_use")) for place in places), *sides[SIDES[0]]]
    found[SIDES[0]] |= {name: searches for name in SEARCHES if (searches := _any(tools, (name,)))}
    return found


def _terms(places: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Give what else the price depends on: the tier that served, where, and how fast."""
    told = ((words, str(place.get(name)).lower()) for place in places for name, words in TERMS.items())
    return dict(words[word] for words, word in told if word in words)


def _as_answered(
    row: Mapping[str, Any], counts: Mapping[str, int], lived: Mapping[str, int], apart: Mapping[str, Any]
) -> Usage:
    """Read counts as those of an answer of the proxy; a part that is more than its whole is flagged."""
    prompt, completion = ({**apart[side]} for side in SIDES)
    prompt |= {"cached_tokens": counts.get("cached_tokens", 0), WRITES: lived}
    prompt["cache_write_tokens"] = counts.get("cache_write_tokens", 0)
    completion["reasoning_tokens"] = counts.get("reasoning_tokens", 0)
    told = {
        "prompt_tokens": counts.get("input_tokens", 0),
        "completion_tokens": counts.get("output_tokens", 0),
        **kept(total_tokens=count(row.get("total_tokens"), "total_tokens") or None),
        **dict(zip(SIDES, (prompt, completion), strict=True)),
    }
    return replace(read({"usage": told}, provider=_PROXY, api="chat"), raw=None)


def _operation(call_type: str) -> str | None:
    return next((name for word, name in OPERATIONS if word in call_type), None)


def _failed(row: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    status = first(row, "status") or metadata.get("status")
    return str(status).lower() == "failure"


def _error(metadata: Mapping[str, Any]) -> dict[str, str | None]:
    told = inner(metadata.get("error_information"))
    kind = first(told, "error_class")
    return {
        "error": str(first(told, "error_message", "error_class", "error_code") or "the call failed"),
        "error_type": None if kind is None else str(kind),
    }


def _first_token(row: Mapping[str, Any]) -> float | None:
    begun = row.get("completionStartTime")
    return None if begun in {None, "", row.get("endTime")} else between(row.get("startTime"), begun)


def _cost(row: Mapping[str, Any], *, cached: bool) -> object:
    return 0 if cached else _spent(row)


def _spent(row: Mapping[str, Any]) -> object:
    return stated(first(row, "spend"))


def _tags(row: Mapping[str, Any], *, cached: bool) -> dict[str, str] | None:
    asked = row.get("request_tags")
    listed = asked if isinstance(asked, list) else str(asked or "").strip('[]{}"').replace('"', "").split(",")
    said = {
        "team": first(row, "team_id"),
        "organization": first(row, "organization_id"),
        "request_tags": ",".join(str(tag).strip() for tag in listed if str(tag).strip()),
        "cache_hit": "true" if cached else None,
    }
    return {name: str(value) for name, value in said.items() if value} or None
