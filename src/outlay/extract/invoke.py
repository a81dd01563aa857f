"""Bedrock InvokeModel: each model maker's own shape, and the same usage again in headers and metrics."""

import json
from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage, changed, ordered
from outlay.extract.answers import finish, missing, usage_in
from outlay.extract.anthropic import MessagesStream, read_messages
from outlay.extract.bedrock import aws_error, count_guardrails, read_converse
from outlay.extract.chat import read_chat
from outlay.extract.plain import fields_of, name_of, plain, rows_of
from outlay.extract.streams import cut_off
from outlay.extract.tally import Tally

_METRICS = "amazon-bedrock-invocationMetrics"
_TRACE = "amazon-bedrock-trace"
_ANSWERED = "ResponseMetadata"
_HEADERS = {
    "x-amzn-bedrock-input-token-count": "inputTokenCount",
    "x-amzn-bedrock-output-token-count": "outputTokenCount",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
}
_SERVED = {
    "x-amzn-bedrock-service-tier": "service_tier",
    "x-amzn-bedrock-performanceconfig-latency": "latency",
}
_FLAT = ("prompt_token_count", "generation_token_count", "inputTextTokenCount", "totalOutputTextTokenCount")
_FACTS = (*_FLAT, "usage", "model", "id", _TRACE, "error", _ANSWERED)
_EMBEDDED = frozenset({"embedding", "embeddings", "embeddingsByType"})
_TITAN_EMBEDDING = {"inputTextTokenCount"}  # is all that those say; texts have results
_KEPT = frozenset({*_FACTS, "metadata"})


def read_invoke(body: Mapping[str, Any], provider: str) -> Usage:
    """Read an InvokeModel answer by its maker's shape; metrics and headers only where it has nothing."""
    return _by_maker(body, provider).with_terms(**_served(body))


def _by_maker(body: Mapping[str, Any], provider: str) -> Usage:
    usage = fields_of(body.get("usage")) or {}
    tally = _guarded(body)
    if "input_tokens" in usage or "output_tokens" in usage:
        return _joined(read_messages(body, provider), tally)
    if "inputTokens" in usage or "outputTokens" in usage:
        return _joined(read_converse(body, provider), tally)
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        return _joined(read_chat(body, provider), tally)
    return _read_flat(body, provider, tally)


def _guarded(body: Mapping[str, Any]) -> Tally:
    """Count what guardrails charge by the trace of an answer."""
    tally = Tally()
    count_guardrails(tally, fields_of(body.get(_TRACE)) or {})
    return tally


def _joined(read: Usage, guardrails: Tally) -> Usage:
    if not guardrails.units:
        return read
    return changed(read, items=ordered({**read.units, **guardrails.units}))


def _read_flat(body: Mapping[str, Any], provider: str, tally: Tally) -> Usage:
    raw = {key: plain(body[key]) for key in _FLAT if body.get(key) is not None}
    rows = [fields_of(row) or {} for row in rows_of(body.get("results"))]
    results = [{"tokenCount": plain(row["tokenCount"])} for row in rows if row.get("tokenCount") is not None]
    if raw or results:
        _count_flat(tally, body, raw, results)
        if 0 < len(results) < len(rows):
            tally.note("partial", "not every result states its tokens")
        return finish(tally, body, {**raw, "results": results} if results else raw, provider)
    counted = usage_in(body.get(_METRICS)) or _from_headers(body)
    if not counted:
        return missing({**body, "error": body.get("error") or aws_error(body)})
    given, shown = tally.count(counted, "inputTokenCount"), tally.count(counted, "outputTokenCount")
    _put_sides(tally, given, shown, answers=_EMBEDDED.isdisjoint(body))
    tally.put("cache_read", tally.count(counted, "cacheReadInputTokenCount"))
    tally.put("cache_write", tally.count(counted, "cacheWriteInputTokenCount"))
    return finish(tally, body, counted, provider)


def _count_flat(
    tally: Tally, body: Mapping[str, Any], raw: Mapping[str, Any], results: list[dict[str, Any]]
) -> None:
    """Count Llama's and Titan's words; Bedrock's metrics behind a stream have to say the same."""
    given = tally.first(raw, "prompt_token_count", "inputTextTokenCount")
    shown = tally.first(raw, "generation_token_count", "totalOutputTextTokenCount")
    for row in results:
        shown = (shown or 0) + (tally.count(row, "tokenCount") or 0)
    _put_sides(tally, given, shown, answers="results" in body or raw.keys() != _TITAN_EMBEDDING)
    if given == 0 and "embedding" in body:
        # Titan takes one text, one image or both: without text it was an image.
        tally.put("input_images", 1)
    metrics = usage_in(body.get(_METRICS)) or {}
    tally.check(tally.count(metrics, "inputTokenCount"), given or 0)
    tally.check(tally.count(metrics, "outputTokenCount"), shown or 0)


def _put_sides(tally: Tally, given: int | None, shown: int | None, *, answers: bool) -> None:
    """Count prompt and answer; an embedding has no answer, any other body that tells of none is not whole."""
    if answers:
        tally.sides(given, shown, None)
    tally.put("input", given)
    tally.put("output", shown)


def _headers_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the headers that boto3 hands out beside a body."""
    metadata = fields_of(body.get(_ANSWERED)) or {}
    return fields_of(metadata.get("HTTPHeaders")) or {}


def _from_headers(body: Mapping[str, Any]) -> dict[str, Any]:
    """Read counts of the headers: some makers' bodies hold no usage."""
    headers = _headers_of(body)
    return {key: plain(headers[name]) for name, key in _HEADERS.items() if name in headers}


def _served(body: Mapping[str, Any]) -> dict[str, str]:
    """Read the tier that served, and how fast, of the headers: Converse says them in its body."""
    headers = _headers_of(body) if _ANSWERED in body else {}
    named = {term: name_of(headers.get(name)) for name, term in _SERVED.items() if name in headers}
    return {term: name.lower() for term, name in named.items() if name}


class InvokeStream:
    """A collector of InvokeModelWithResponseStream chunks, decoded or as boto3 hands them out."""

    __slots__ = ("_facts", "_messages", "_metrics", "_provider", "_seen")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._messages = MessagesStream(provider)
        self._facts: dict[str, Any] = {}
        self._metrics: Any = None
        self._seen = False

    def add(self, event: Any) -> None:
        """Keep what bears on usage; Claude's events go to the collector of messages."""
        chunk = _decoded(event)
        if chunk is None:
            return
        if _METRICS in chunk:
            self._metrics = chunk[_METRICS]
        if chunk.get(_TRACE) is not None:
            self._facts[_TRACE] = chunk[_TRACE]
        if "type" in chunk:
            self._seen = True
            self._messages.add(chunk)
            return
        if _KEPT.isdisjoint(chunk):
            return
        for key in _FACTS:
            if chunk.get(key) is not None:
                self._facts[key] = chunk[key]
        metadata = fields_of(chunk.get("metadata"))
        if metadata and metadata.get("usage"):
            self._facts["usage"] = metadata["usage"]

    @property
    def complete(self) -> bool:
        """Whether the metrics, which end each such stream, or a message's end were seen."""
        return self._metrics is not None or self._messages.complete

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the message that a Claude's stream amounts to; None for others, or where more is said."""
        more = _TRACE in self._facts or _served(self._facts)
        return self._messages.as_body() if self._seen and not more else None

    def usage(self) -> Usage:
        """Read the maker's own usage; the metrics only where there is none."""
        if self._seen:
            own = self._messages.usage()
            if own.items or self._metrics is None:
                return _joined(own, _guarded(self._facts)).with_terms(**_served(self._facts))
        read = read_invoke({**self._facts, _METRICS: self._metrics}, self._provider)
        return read if self.complete else cut_off(read, "the stream ended before its metrics")


def _decoded(event: Any) -> Mapping[str, Any] | None:
    fields = fields_of(event)
    inner = fields_of(fields.get("chunk")) if fields else None
    if not inner or "bytes" not in inner:
        return fields
    content = inner["bytes"]
    # Text deltas are most of a stream and hold no usage: not worth decoding.
    if not isinstance(content, bytes) or b'"content_block_delta"' in content:
        return None
    try:
        return fields_of(json.loads(content))
    except (ValueError, RecursionError):
        return None
