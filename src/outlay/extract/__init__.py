"""Extraction: a provider's response, as a body, SDK object, stream or text -> Usage in disjoint units.

``terms`` that a usage may carry, each with the words of the provider in lower case:
``service_tier`` (the one that served), ``batch`` ("true"), ``geo`` (Anthropic's inference_geo), ``speed``,
``fallback_credit``, ``declined``, ``traffic_type`` (Vertex), ``latency`` (Bedrock), ``search_context_size``,
``size`` and ``quality`` (images), ``upstream`` (who served behind OpenRouter).

``flags``:

- ``clamped``: a part was larger than its whole, or a count negative
- ``bad_count``: no number, or an absurd one; left out
- ``partial``: the stream or the usage is not whole
- ``total_mismatch``: the provider's own total differs from what was counted
- ``reasoning_additive``, ``audio_additive``, ``cache_additive``, ``cache_inside_input``: as the total says
- ``unknown_keys``: the usage holds counts that this reader does not know
- ``by_shape``: an unknown provider, read by its API's shape
- ``error``: an error body
- ``summed_calls``: the input is a sum over a server tool's calls, of which no single size is known
- ``declined_hop``: a part is a hop that declined; its term ``declined`` is ``before_output``, which Anthropic
  says it does not bill, or ``after_output``
- ``estimated_cost``: the stated cost is an estimate
"""

import json
from collections.abc import Mapping
from typing import Any

from outlay.core.errors import ResponseError
from outlay.core.providers import provider_id
from outlay.core.usage import Usage, changed, merge_flags
from outlay.extract.answers import error_in, missing
from outlay.extract.batch import LINE_KEYS, response_inside, whole_batch
from outlay.extract.held import held
from outlay.extract.plain import fields_of
from outlay.extract.shapes import api_of_body, api_of_event
from outlay.extract.sse import events_of
from outlay.extract.streams import NO_USAGE, Collector, body_of
from outlay.extract.table import KNOWN_PROVIDERS, ROWS, Reader, reader_of
from outlay.extract.usual import Usual, usual_of, usual_of_body, usual_of_chunks

__all__ = [
    "APIS",
    "NO_USAGE",
    "Collector",
    "Usual",
    "body_of",
    "closing_of",
    "collector",
    "held",
    "known_operation",
    "operation_of",
    "read",
    "read_usual",
    "usual_of",
    "usual_of_body",
    "words_of",
]

_TEXTS = (str, bytes, bytearray, memoryview)

APIS = tuple(ROWS)
"""The names of the APIs that are read."""


def read(body: Any, *, provider: str, api: str | None = None) -> Usage:
    """Read what a response used.

    ``body`` is a mapping, an SDK object, a list of stream events, or text (JSON, server-sent events, JSON
    lines), also the line of a batch result. Without ``api`` its shape decides. A provider may be written in
    any known way; an unknown one is read by its API's shape and flagged ``by_shape``.

    Raises:
        ResponseError: nothing can be read: not an object, no event in the text, or an API that is not known.
    """
    if provider not in KNOWN_PROVIDERS:
        provider = provider_id(provider) or provider
    if type(body) is dict and api and body.keys().isdisjoint(LINE_KEYS):  # so: these are few
        if body.get("object") != "batch":  # most calls: what follows would find nothing odd either
            return _known(_reader(api).body(body, provider), provider)
    elif type(body) is not dict:
        if isinstance(body, _TEXTS):
            text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
            body = _parsed(text, api)
        if isinstance(body, (list, tuple)) and not hasattr(body, "_asdict"):
            return _read_events(list(body), provider, api)
    fields = fields_of(body)
    if fields is None:
        raise ResponseError(f"a response must be an object or a list of events, not {type(body).__name__}")
    inside = response_inside(fields)
    fields = fields if inside is None else inside
    if (batch := whole_batch(fields)) is not None:
        return _known(batch, provider)
    name = api or api_of_body(fields)
    usage = _known(_reader(name).body(fields, provider) if name else _shapeless(fields), provider)
    return usage if inside is None else usage.with_terms(batch="true")


def read_usual(body: Any, *, provider: str, api: str | None) -> Usual | Usage:
    """Read a body or stream events that JSON was decoded to, as :func:`read` does; the usual ones in one go.

    Raises:
        ResponseError: as :func:`read` raises it.
    """
    provider = _id_of(provider)
    if api is None:
        return read(body, provider=provider)
    if type(body) is not list:
        usual = usual_of_body(body, provider, api)
        return read(body, provider=provider, api=api) if usual is None else usual
    if (usual := usual_of_chunks(body, provider, api)) is not None:
        return usual
    kept = _collected(body, provider, api)
    usual = usual_of_body(body_of(kept), provider, api)
    return _known(kept.usage(), provider) if usual is None else usual


def collector(provider: str, api: str) -> Collector:
    """Make the collector of one live stream: hand it every event, then ask it for the usage.

    Raises:
        ResponseError: an API that is not known.
    """
    return _reader(api).stream(_id_of(provider))


def words_of(api: str | None) -> tuple[str, ...] | None:
    """Give the words of which an event of an API's streams must hold one to bear on usage; see Row.bears."""
    row = ROWS.get(api) if api else None
    return None if row is None else row.bears


def closing_of(api: str | None) -> tuple[str, ...]:
    """Give the types of an event that says all of a stream of an API that ends with it."""
    row = ROWS.get(api) if api else None
    return () if row is None else row.closing


def operation_of(api: str) -> str:
    """Give OpenTelemetry's gen_ai.operation.name for an API.

    Raises:
        ResponseError: an API that is not known.
    """
    row = ROWS.get(api)
    if row is None:
        raise _no_api(api)
    return row.operation


def known_operation(api: object) -> str | None:
    """Give the operation of an API, or None where what is named so is none that is known."""
    row = ROWS.get(api) if isinstance(api, str) else None
    return None if row is None else row.operation


def _reader(api: str) -> Reader:
    try:
        return reader_of(api)
    except KeyError:
        raise _no_api(api) from None


def _no_api(api: str) -> ResponseError:
    return ResponseError(f"no API is named {api!r:.40}; name one of {', '.join(ROWS)}")


def _shapeless(fields: Mapping[str, Any]) -> Usage:
    """Say that nothing is known of a response's shape; its usage, if it has one, is not taken for zero."""
    read = missing(fields, error_in(fields) or "the response has no known shape: name its api")
    return read.flagged("unknown_keys") if fields.get("usage") else read


def _read_events(events: list[Any], provider: str, api: str | None) -> Usage:
    if api is None:
        usable = _usable(events)
        api = api_of_event(usable)
        if api is None:
            return _known(_shapeless(fields_of(usable[-1]) or {}), provider)
    return _known(_collected(events, provider, api).usage(), provider)


def _collected(events: list[Any], provider: str, api: str) -> Collector:
    usable = _usable(events)
    kept = collector(provider, api)
    for event in usable:
        kept.add(event)
    return kept


def _usable(events: list[Any]) -> list[Any]:
    usable = [event for event in events if type(event) is dict or fields_of(event) is not None]
    if not usable:
        raise ResponseError("a list of stream events must hold objects")
    return usable


def _id_of(provider: str) -> str:
    """Give the one id of a provider that may be written in another way."""
    return provider if provider in KNOWN_PROVIDERS else provider_id(provider) or provider


def _known(usage: Usage, provider: str) -> Usage:
    if provider in KNOWN_PROVIDERS:
        return usage
    return changed(usage, flags=merge_flags(usage.flags, ("by_shape",)))


def _parsed(text: str, api: str | None) -> Any:
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return events_of(text, bears=words_of(api), closing=closing_of(api))
