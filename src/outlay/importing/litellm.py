"""LiteLLM's spend logs: rows of its table LiteLLM_SpendLogs, as JSON or CSV."""

from collections.abc import Iterable, Mapping
from typing import Any

from outlay.capture.fields import usage_of_counts
from outlay.core.errors import UsageError
from outlay.importing.made import Call
from outlay.importing.values import between, count, first, inner, kept, stated

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
AUDIO = "audio_tokens"
WRITES = "cache_creation_token_details"
LIVED = {f"ephemeral_{lifetime}_input_tokens": f"cache_write_{lifetime}" for lifetime in ("30m", "1h", "12h")}


def is_litellm(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of LiteLLM's spend logs."""
    return "spend" in row and "startTime" in row and ("request_id" in row or "call_type" in row)


def read_litellm(row: Mapping[str, Any]) -> Call:
    """Read a spend log.

    A spend of 0 with tokens is what LiteLLM writes for a model whose price it does not know: such a call is
    priced anew; of a failed one without spend nobody knows what it used, nor of one without any token, which
    it writes where an answer tells no usage. An answer from LiteLLM's own cache cost nothing. Tokens include
    cached and written ones.

    Raises:
        UsageError: a count that cannot be.
    """
    metadata = inner(row.get("metadata"))
    cached = str(first(row, "cache_hit") or "").lower() == "true"
    failed = _failed(row, metadata)
    fields = {
        **({} if failed and not _spent(row) else _tokens(row, metadata)),
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
    read = _any((more, behind), CACHED)
    lived = _written(places)
    written = _any((more, behind), WRITTEN) or sum(lived.values())
    counts = kept(
        input_tokens=prompt,
        output_tokens=completion,
        cached_tokens=read or None,
        cache_write_tokens=written or None,
        reasoning_tokens=reasoning or None,
    )
    apart = {**lived, **_heard(places)}
    return {"usage": _split(counts, apart)} if apart else counts


def _any(places: Iterable[Mapping[str, Any]], names: tuple[str, ...]) -> int:
    """Give the first count other than 0 that a place tells; versions without a usage object have another."""
    return next(filter(None, (count(first(place, *names), names[-1]) for place in places)), 0)


def _written(places: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count what was written to a cache for longer than the usual five minutes."""
    found = (inner(inner(place.get("prompt_tokens_details")).get(WRITES)) for place in places)
    lifetimes: Mapping[str, Any] = next(filter(None, found), {})
    return {unit: lasted for name, unit in LIVED.items() if (lasted := count(lifetimes.get(name), name))}


def _heard(places: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count sound, which costs more than text."""
    sides = {"input_audio": "prompt_tokens_details", "output_audio": "completion_tokens_details"}
    found = {
        unit: next(filter(None, (count(inner(place.get(key)).get(AUDIO), AUDIO) for place in places)), 0)
        for unit, key in sides.items()
    }
    return {unit: tokens for unit, tokens in found.items() if tokens}


def _split(counts: Mapping[str, int], apart: Mapping[str, int]) -> dict[str, int]:
    """Take what has a price of its own out of what it is a part of.

    Raises:
        UsageError: a part is larger than the whole.
    """
    units: dict[str, Any] = dict(usage_of_counts(counts).items)
    for unit, tokens in apart.items():
        whole = "input" if unit == "input_audio" else "output" if unit == "output_audio" else "cache_write"
        left = units.get(whole, 0)
        most = counts.get("input_tokens", 0) if unit == "input_audio" else left
        if tokens > most:
            raise UsageError(f"{unit} {tokens} is a part of {whole}, which is only {most}")
        taken = min(tokens, left)  # of sound, the rest was read from a cache
        units |= {whole: left - taken, unit: taken}
    return {unit: tokens for unit, tokens in units.items() if tokens}


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
