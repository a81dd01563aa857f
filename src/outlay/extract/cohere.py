"""Cohere: what is billed stands in billed_units; ``tokens`` holds its own preamble too and is not billed."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage
from outlay.extract.answers import finish, inner, missing, usage_in
from outlay.extract.chat import read_chat
from outlay.extract.plain import fields_of
from outlay.extract.streams import cut_off, peek
from outlay.extract.tally import Tally

_ENDS = ("message-end", "stream-end")
_KNOWN = frozenset({"billed_units", "tokens", "cached_tokens", "api_version", "warnings", "is_experimental"})
_COUNTED = frozenset({"search_units", "image_tokens", "images", "classifications", "pages"})
_WITHOUT_ANSWER = frozenset({"embeddings", "results"})  # of embedding and of reranking
_KNOWN_UNITS = _COUNTED | {"input_tokens", "output_tokens", "text_tokens"}


def read_cohere(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a chat, embed or rerank answer, of version 1 (``meta``) or 2 (``usage``)."""
    inside = fields_of(body.get("response")) or body  # version 1's stream-end wraps the answer
    usage = usage_in(inside.get("usage")) or usage_in(inside.get("meta"))
    facts = {
        "model": inside.get("model"),
        "id": inside.get("id") or inside.get("response_id") or inside.get("generation_id"),
    }
    if usage is None or not (usage.get("billed_units") or usage.get("tokens")):
        return missing({**facts, "error": body.get("error") or _error_of(body)})
    tally = Tally()
    billed = inner(usage, "billed_units")
    if not billed:
        tally.note("estimated", "billed_units is absent: counted from tokens")
        billed = inner(usage, "tokens")
    given, output = _given(tally, billed), tally.count(billed, "output_tokens")
    if _WITHOUT_ANSWER.isdisjoint(inside) and _COUNTED.isdisjoint(billed):  # an answer has both
        tally.sides(given, output, None)
    tally.put("input", given)
    tally.put("input_image", tally.count(billed, "image_tokens"))
    thought, output = tally.count(inner(usage, "tokens"), "reasoning_tokens") or 0, output or 0
    tally.put("output", tally.take("reasoning", min(thought, output), output))
    for unit in ("search_units", "images", "classifications", "pages"):
        tally.put(unit, tally.amount(billed, unit))
    tally.unknown(usage, _KNOWN)
    tally.unknown(billed, _KNOWN_UNITS)
    return finish(tally, facts, usage, provider)


def _given(tally: Tally, billed: Mapping[str, Any]) -> int | None:
    """Count the text that went in: embeddings may name it beside images, alone or with the whole of both."""
    given, text = tally.count(billed, "input_tokens"), tally.count(billed, "text_tokens")
    if text is None or given is None:
        return given if text is None else text
    if given == text + (tally.count(billed, "image_tokens") or 0):
        return text
    tally.check(text, given)
    return given


def _error_of(body: Mapping[str, Any]) -> object:
    """Cohere's errors are an object with a message alone."""
    return {"type": "cohere"} if isinstance(body.get("message"), str) else None


def read_rerank(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a reranking: search units where it is billed by them, else tokens in OpenAI's shape."""
    meta = fields_of(body.get("meta")) or {}
    return read_cohere(body, provider) if meta or provider == "cohere" else read_chat(body, provider)


class CohereStream:
    """A collector of Cohere's chat events: message-end (version 2) or stream-end (1) holds the usage."""

    __slots__ = ("_end", "_provider", "_start")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._start: Any = None
        self._end: Any = None

    def add(self, event: Any) -> None:
        """Keep the first event and the one that ends the answer."""
        if self._start is None:
            self._start = event
        if (peek(event, "type") or peek(event, "event_type")) in _ENDS:
            self._end = event

    @property
    def complete(self) -> bool:
        """Whether the event that ends the answer was seen."""
        return self._end is not None

    def usage(self) -> Usage:
        """Read the ending event."""
        start = fields_of(self._start) or {}
        if self._end is None:
            return cut_off(read_cohere(start, self._provider), "the stream ended before its usage")
        end = dict(fields_of(peek(self._end, "delta")) or fields_of(self._end) or {})
        end["id"] = start.get("id")
        return read_cohere(end, self._provider)
