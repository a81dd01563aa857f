"""The usual answer: nothing about it is odd, and a few facts say all of its usage.

Most answers are such ones, and a line of the journal is made of these facts without a Usage in between. What
is read here is what the whole way (:func:`outlay.extract.read`) reads; a test holds both equal.
"""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Item, Term, Usage
from outlay.extract.answers import NOTHING, names_in, tier_in
from outlay.extract.common import CHAT, RESPONSES, Names, common_items
from outlay.extract.messages import message_items, message_terms
from outlay.extract.table import KNOWN_PROVIDERS

Usual = tuple[tuple[Item, ...], tuple[str | None, str | None], tuple[Term, ...], Mapping[str, Any] | None]
"""Units; the names of the model that served and of the answer; billing terms; the provider's own usage."""

_SPELLED: Mapping[str, Names] = {"chat": CHAT, "completions": CHAT, "responses": RESPONSES}
# What makes a body a line of a batch, or its usage one that more than the usage object says.
_MORE = frozenset({"custom_id", "key", "usage_breakdown", "provider", "tool_usage"})


def usual_of_body(body: Any, provider: str, api: str) -> Usual | None:
    """Read a body whose usage is a copy already, as :func:`held` makes it; None where it has to be read."""
    names = _SPELLED.get(api)
    if names is None and api != "messages":
        return None
    if type(body) is not dict or provider not in KNOWN_PROVIDERS:
        return None
    usage = body.get("usage")
    if type(usage) is not dict or not _MORE.isdisjoint(body) or body.get("object") == "batch":
        return None
    if names is None:
        items = message_items(usage)
        return (items, names_in(body), message_terms(usage), usage) if items else None
    items = common_items(usage, names)
    if not items:
        return None
    tier = tier_in(body, usage if names is CHAT else NOTHING)
    return items, names_in(body), (("service_tier", tier),) if tier else (), usage


def usual_of(usage: Usage) -> Usual | None:
    """Give the facts of a usage that has been read; None where it is odd, or says more than these."""
    if usage.flags or usage.reason or usage.parts or not usage.items:
        return None
    if usage.reported_cost is not None or usage.context_tokens is not None:
        return None
    return usage.items, (usage.model, usage.response_id), usage.terms, usage.raw
