"""Of which kind each field of an entry is, said once: by hand, in lines and in a ledger's columns.

What follows from it differs: a value of another kind is refused at the call (``capture/kinds``), is a fault
of its line (``core/documents``), or has its line looked at alone (``ledger/kinds``).
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

Kind = Literal["text", "instant", "number", "count", "truth", "amount", "object", "labels", "list", "nested"]
"""A ``number`` is finite, a ``count`` whole, an ``amount`` money, ``labels`` are texts by name, a ``list`` is
one of texts; ``nested`` is an object, or a list of them, with kinds of its own."""

KINDS: Final[Mapping[str, Kind]] = {
    # whose call it was, and how it went
    "id": "text",
    "at": "instant",
    "provider": "text",
    "model": "text",
    "model_requested": "text",
    "operation": "text",
    "api": "text",
    "status": "text",
    "error_type": "text",
    "error": "text",
    "latency_ms": "number",
    "time_to_first_token_ms": "number",
    "streamed": "truth",
    "retries": "count",
    "user": "text",
    "session": "text",
    "query_type": "text",
    "agent": "text",
    "action": "text",
    "workspace": "text",
    "tags": "labels",
    "trace_id": "text",
    "span_id": "text",
    "prompt_length": "count",
    "prompt": "text",
    "reply": "text",
    "quality_score": "number",
    "user_rating": "number",
    "correct": "truth",
    "extra": "object",
    # what was used
    "usage": "object",
    "flags": "list",
    "usage_reason": "text",
    "usage_model": "text",
    "response_id": "text",
    "raw": "object",
    "terms": "labels",
    "context_tokens": "count",
    "reported_cost": "amount",
    "reported_currency": "text",
    "parts": "nested",
    # what it cost
    "cost": "amount",
    "currency": "text",
    "cost_status": "text",
    "cost_reason": "text",
    "cost_flags": "list",
    "computed_cost": "amount",
    "lines": "nested",
    "price": "nested",
    # of other entries than calls
    "schema": "count",
    "score": "text",
    "revision": "text",
    "lost": "count",
    "why": "text",
}


def fields_of(*kinds: Kind, but: Iterable[str] = ()) -> tuple[str, ...]:
    """Give the fields of these kinds."""
    aside = frozenset(but)
    return tuple(name for name, kind in KINDS.items() if kind in kinds and name not in aside)
