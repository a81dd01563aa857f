"""Helicone's requests: what its API and its export give."""

from collections.abc import Mapping
from typing import Any

from outlay.core.errors import OutlayError
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


def is_helicone(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of Helicone's requests."""
    return "request_created_at" in row and ("request_id" in row or "response_id" in row)


def read_helicone(row: Mapping[str, Any]) -> Call:
    """Read a request.

    Where the provider's body is there, its usage is read by the provider's rules; else Helicone's counts
    are, whose cached tokens lie outside of prompt_tokens. An answer from Helicone's cache cost nothing.

    Raises:
        UsageError: a count that cannot be.
    """
    status = int(number(first(row, "response_status", "status"), "status") or 0)
    count(abs(status), "status")
    failed = status >= FAILED or status in _OWN
    cached = first(row, "cache_reference_id") not in {None, NO_CACHE}
    provider = first(row, "provider", "model_provider")
    properties = inner(first(row, "request_properties", "properties"))
    fields = {
        **_usage(row, provider),
        **kept(
            provider=None if provider is None else str(provider).lower(),
            model=first(row, "response_model", "request_model", "model", "model_override"),
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
    identity = first(row, "request_id", "response_id")  # a table of its exporter names the response alone
    return Call(row.get("request_created_at"), fields, None if identity is None else str(identity))


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
    reasoning = min(count(row.get("reasoning_tokens"), "reasoning_tokens") or 0, completion or 0)
    units = {"input": prompt or 0, "cache_read": read_tokens, "cache_write": written,
             "output": (completion or 0) - reasoning, "reasoning": reasoning}  # fmt: skip
    used = {unit: quantity for unit, quantity in units.items() if quantity}
    return {"usage": used} if used else {}  # it writes 0 where an answer tells no usage


def _cost(row: Mapping[str, Any]) -> object:
    return stated(first(row, "cost", "costUSD", "cost_usd"))
