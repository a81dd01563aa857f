"""Bedrock InvokeModel: each model maker's own shape, and the same usage again in headers and metrics."""

import json
from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage, changed, ordered
from outlay.extract.answers import finish, missing, usage_in
from outlay.extract.anthropic import MessagesStream, read_messages
from outlay.extract.bedrock import aws_error, count_guardrails, read_converse
from outlay.extract.chat import read_chat
from outlay.extract.plain import fields_of, plain, rows_of
from outlay.extract.streams import cut_off
from outlay.extract.tally import Tally

_METRICS = "amazon-bedrock-invocationMetrics"
_TRACE = "amazon-bedrock-trace"
_HEADERS = {
    "x-amzn-bedrock-input-token-count": "inputTokenCount",
    "x-amzn-bedrock-output-token-count": "outputTokenCount",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
}
_FLAT = ("prompt_token_count", "generation_token_count", "inputTextTokenCount", "totalOutputTextTokenCount")
_FACTS = (*_FLAT, "usage", "model", "id", _TRACE, "error")
_KEPT = frozenset({*_FACTS, "metadata"})


def read_invoke(body: Mapping[str, Any], provider: str) -> Usage:
    """Read an InvokeModel answer by its maker's shape; metrics and headers only where it has nothing."""
    usage = fields_of(body.get("usage")) or {}
    tally = _guarded(body)
    if "input_tokens" in usage or "output_tokens" in usage:
        return _joined(read_messages(body, provider), tally)
    if "inputTokens" in usage:
        return _joined(read_converse(body, provider), tally)
    if "prompt_tokens" in usage:
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
        tally.put("input", tally.first(raw, "prompt_token_count", "inputTextTokenCount"))
        tally.put("output", tally.first(raw, "generation_token_count", "totalOutputTextTokenCount"))
        for row in results:
            tally.put("output", tally.count(row, "tokenCount"))
        if raw.get("inputTextTokenCount") == 0 and "embedding" in body:
            tally.put(
                "input_images", 1
            )  # Titan takes one text, one image or both: without text it was an image
        return finish(tally, body, {**raw, "results": results} if results else raw, provider)
    counted = usage_in(body.get(_METRICS)) or _from_headers(body)
    if not counted:
        return missing({**body, "error": body.get("error") or aws_error(body)})
    tally.put("input", tally.count(counted, "inputTokenCount"))
    tally.put("cache_read", tally.count(counted, "cacheReadInputTokenCount"))
    tally.put("cache_write", tally.count(counted, "cacheWriteInputTokenCount"))
    tally.put("output", tally.count(counted, "outputTokenCount"))
    return finish(tally, body, counted, provider)


def _from_headers(body: Mapping[str, Any]) -> dict[str, Any]:
    """Read boto3's ``ResponseMetadata``: some makers' bodies hold no usage, the headers do."""
    metadata = fields_of(body.get("ResponseMetadata")) or {}
    headers = fields_of(metadata.get("HTTPHeaders")) or {}
    return {key: plain(headers[name]) for name, key in _HEADERS.items() if name in headers}


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
        """Give the message that a Claude's stream amounts to; None for any other one, or with guardrails."""
        return self._messages.as_body() if self._seen and _TRACE not in self._facts else None

    def usage(self) -> Usage:
        """Read the maker's own usage; the metrics only where there is none."""
        if self._seen:
            own = self._messages.usage()
            if own.items or self._metrics is None:
                return _joined(own, _guarded(self._facts))
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
