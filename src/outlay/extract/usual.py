"""The usual answer: nothing about it is odd, and a few facts say all of its usage.

Most answers are such ones, and a line of the journal is made of these facts without a Usage in between. What
is read here is what the whole way (:func:`outlay.extract.read`) reads; a test holds both equal.
"""

from collections.abc import Callable, Mapping
from typing import Any

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Item, Term, Usage
from outlay.extract.answers import NOTHING, names_in, tier_in
from outlay.extract.batch import LINE_KEYS
from outlay.extract.common import CHAT, RESPONSES, common_items
from outlay.extract.hosted import charged_items
from outlay.extract.messages import message_items, message_terms
from outlay.extract.plain import name_of
from outlay.extract.table import CHUNKED, KNOWN_PROVIDERS, usual_reader_of

Usual = tuple[tuple[Item, ...], tuple[str | None, str | None], tuple[Term, ...], Mapping[str, Any] | None]
"""Units; the names of the model that served and of the answer; billing terms; the provider's own usage."""

_TOOLS = 2  # that a response tells of: searches and drawing


def usual_of_body(body: Any, provider: str, api: str) -> Usual | None:
    """Read a body whose usage is a copy already, as :func:`held` makes it; None where it has to be read."""
    if type(body) is not dict or provider not in KNOWN_PROVIDERS:
        return None
    usual = _READERS.get(api) or usual_reader_of(api)
    if usual is None or not LINE_KEYS.isdisjoint(body) or body.get("object") == "batch":
        return None  # of a batch, or the batch itself
    return usual(body)


def usual_of_chunks(chunks: list[Any], provider: str, api: str) -> Usual | None:
    """Read chunks, decoded from JSON, one of which, and not the first, states usage; None of all others.

    They are laid over each other as :class:`outlay.extract.streams.LastUsage` does it.
    """
    if api not in CHUNKED:
        return None
    carrier: dict[str, Any] | None = None
    for chunk in chunks:
        if type(chunk) is not dict:
            return None
        if chunk.get("usage") is not None:
            if carrier is not None:
                return None
            carrier = chunk
    if carrier is None or carrier is chunks[0]:
        return None
    body: dict[str, Any] = chunks[0].copy()
    for chunk in (carrier,) if carrier is chunks[-1] else (carrier, chunks[-1]):
        for key, value in chunk.items():
            if value or key not in body:
                body[key] = value
    return usual_of_body(body, provider, api)


def _chat(body: Mapping[str, Any]) -> Usual | None:
    usage = body.get("usage")
    if type(usage) is not dict or body.get("usage_breakdown") is not None:
        return None
    items = common_items(usage, CHAT)
    if not items:
        return None
    tier = tier_in(body, usage)
    terms = (("service_tier", tier),) if tier else ()
    if "provider" in body and (host := name_of(body["provider"])):  # as OpenRouter names who served
        terms = (*terms, ("upstream", host))
    return items, names_in(body), terms, usage


def _responses(body: Mapping[str, Any]) -> Usual | None:
    usage, tools = body.get("usage"), body.get("tool_usage")
    if type(usage) is not dict or not (items := common_items(usage, RESPONSES)):
        return None
    if (output := body.get("output")) and charged_items(output):
        return None
    if tools is not None:
        if searches_of(tools) != 0:  # of which kind, the whole way looks at
            return None
        usage = {**usage, "tool_usage": tools}
    tier = tier_in(body, NOTHING)
    return items, names_in(body), (("service_tier", tier),) if tier else (), usage


def searches_of(tools: object) -> int | None:
    """Count what hosted tools searched; None where they drew, or where that needs a closer look."""
    if type(tools) is not dict or len(tools) != _TOOLS:
        return None
    web, drawing = tools.get("web_search"), tools.get("image_gen")
    if type(web) is not dict or type(drawing) is not dict:
        return None
    if drawing.get("input_tokens") or drawing.get("output_tokens"):
        return None
    count = web.get("num_requests", 0)
    return count if type(count) is int and 0 <= count <= MAX_QUANTITY else None


def _messages(body: Mapping[str, Any]) -> Usual | None:
    usage = body.get("usage")
    if type(usage) is not dict or not (items := message_items(usage)):
        return None
    return items, names_in(body), message_terms(usage), usage


def _invoke(body: Mapping[str, Any]) -> Usual | None:
    """Read Bedrock's answer of a Claude without guardrails or headers, which is a message."""
    return None if "amazon-bedrock-trace" in body or "ResponseMetadata" in body else _messages(body)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Usual | None]] = {
    "chat": _chat,
    "completions": _chat,
    "responses": _responses,
    "messages": _messages,
    "invoke_model": _invoke,
}
"""Those that need no further module; the others' rows in the table name theirs."""


def usual_of(usage: Usage) -> Usual | None:
    """Give the facts of a usage that has been read; None where it is odd, or says more than these."""
    if usage.flags or usage.reason or usage.parts or not usage.items:
        return None
    if usage.reported_cost is not None or usage.context_tokens is not None:
        return None
    return usage.items, (usage.model, usage.response_id), usage.terms, usage.raw
