"""Helicone's requests: what its API and its export give."""

from collections.abc import Collection, Mapping
from typing import Any

from outlay.core.errors import NotACallError, OutlayError
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.importing.made import Call
from outlay.importing.values import count, first, inner, kept, number, stated, time_taken

FAILED = 400  # HTTP
_OWN = {
    -1: "timeout",
    -3: "cancelled",
    -4: "threat",
}  # Helicone's codes; -2 is a request without an answer yet
NO_CACHE = "00000000-0000-0000-0000-000000000000"
OTHERS = ("vector_db", "assistant-polling")  # what it writes as the model of what is no call of one
OTHERS_OF = ("tool:", "data:")  # likewise, before a name
PAGE = "heliconeMetadata"  # under which its page's export has what counts
_OF_PAGE = {
    "request_id": "requestId", "request_created_at": "createdAt", "request_user_id": "user",
    "request_properties": "customProperties", "provider": "provider", "delay_ms": "latency", "cost": "cost",
    "time_to_first_token": "timeToFirstToken", "cache_reference_id": "cacheReferenceId",
    "prompt_tokens": "promptTokens", "completion_tokens": "completionTokens", "total_tokens": "totalTokens",
    "prompt_cache_read_tokens": "promptCacheReadTokens",
    "prompt_cache_write_tokens": "promptCacheWriteTokens",
}  # fmt: skip
AUDIO = {"prompt_audio_tokens": "input_audio", "completion_audio_tokens": "output_audio"}
_NANO = "e-9"  # money in its own table, which counts in billionths


def is_helicone(row: Collection[str]) -> bool:
    """Whether a row is one of Helicone's requests, of its API, its table or its page."""
    return PAGE in row or ("request_created_at" in row and ("request_id" in row or "response_id" in row))


def read_helicone(row: Mapping[str, Any]) -> Call:
    """Read a request.

    Where the provider's body is there, its usage is read by the provider's rules; else Helicone's counts
    are, whose cached tokens lie outside of prompt_tokens, whose thought ones outside of completion_tokens,
    and whose audio ones outside of both. An answer from Helicone's cache cost nothing. Tools and searches
    that a program logs there are no calls.

    Raises:
        NotACallError: no model was called.
        UsageError: a count that cannot be.
    """
    row = _of_page(row) if PAGE in row else row
    status = int(number(first(row, "response_status", "status"), "status") or 0)
    count(abs(status), "status")
    failed = status >= FAILED or status in _OWN
    reference = first(row, "cache_reference_id")
    cached = isinstance(reference, str) and reference != NO_CACHE
    model = first(row, "response_model", "request_model", "model", "model_override")
    provider = first(row, "provider", "model_provider")
    properties = _properties(first(row, "request_properties", "properties"))
    fields = {
        **_usage(row, provider),
        **kept(
            provider=None if provider is None else str(provider).lower(),
            model=model,
            user=first(row, "request_user_id", "helicone_user", "user_id"),
            session=first(properties, "Helicone-Session-Id"),
            status="error" if failed else "success",
            error=_OWN.get(status, f"HTTP {status}") if failed else None,
            latency_ms=time_taken(first(row, "delay_ms", "latency"), "delay_ms"),
            time_to_first_token_ms=time_taken(row.get("time_to_first_token"), "time_to_first_token"),
            cost=0 if cached else _cost(row),
            tags={str(name): str(value) for name, value in properties.items()} or None,
        ),
    }
    if is_other(model) and "usage" not in fields and not fields.get("cost"):
        raise NotACallError(f"{str(model)!r:.40} is no model")
    identity = first(row, "request_id", "response_id")  # a table of its exporter names the response alone
    return Call(row.get("request_created_at"), fields, None if identity is None else str(identity))


def _of_page(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row of its page under the names of its API."""
    told = inner(row[PAGE])
    return {
        **{name: told.get(other) for name, other in _OF_PAGE.items()},
        "response_status": inner(told.get("status")).get("code"),
        "request_model": row.get("model"),
        "response_body": inner(row.get("raw")).get("response"),
    }


def _properties(said: object) -> Mapping[str, Any]:
    """Read what a program says of a call; its exporter's CSV has each quotation mark twice."""
    read_once = inner(said)
    return read_once or inner(said.replace('""', '"')) if isinstance(said, str) else read_once


def is_other(model: object) -> bool:
    """Whether what stands for a model names a tool, or what else a program logs."""
    return isinstance(model, str) and (model in OTHERS or model.startswith(OTHERS_OF))


def _usage(row: Mapping[str, Any], provider: object) -> dict[str, Any]:
    body = inner(row.get("response_body"))
    if body.get("usage") or body.get("usageMetadata"):
        try:
            usage = read(body, provider=str(provider or "unknown").lower())
        except OutlayError:
            usage = Usage()
        if usage.items:
            return {"usage": usage}
    prompt = count(row.get("prompt_tokens"), "prompt_tokens")
    completion = count(row.get("completion_tokens"), "completion_tokens")
    read_tokens = count(row.get("prompt_cache_read_tokens"), "prompt_cache_read_tokens") or 0
    written = count(row.get("prompt_cache_write_tokens"), "prompt_cache_write_tokens") or 0
    reasoning = count(row.get("reasoning_tokens"), "reasoning_tokens") or 0
    within = reasoning if reasoning and _is_within(row, prompt or 0, completion or 0) else 0
    units = {"input": prompt or 0, "cache_read": read_tokens, "cache_write": written,
             "output": max((completion or 0) - within, 0), "reasoning": reasoning}  # fmt: skip
    units |= {unit: count(row.get(name), name) or 0 for name, unit in AUDIO.items()}
    used = {unit: quantity for unit, quantity in units.items() if quantity}
    return {"usage": used} if used else {}  # it writes 0 where an answer tells no usage


def _is_within(row: Mapping[str, Any], prompt: int, completion: int) -> bool:
    """Whether thought tokens lie within the completion, as the total of older versions says."""
    return count(row.get("total_tokens"), "total_tokens") == prompt + completion


def is_stored(row: Collection[str]) -> bool:
    """Whether a row is one of its own table, and not of its API."""
    return ("status" in row or "organization_id" in row) and "response_status" not in row


def _cost(row: Mapping[str, Any]) -> object:
    said = stated(first(row, "cost", "costUSD", "cost_usd"))
    whole = str(said).removesuffix(".0")
    return f"{whole}{_NANO}" if is_stored(row) and whole.isdecimal() else said
