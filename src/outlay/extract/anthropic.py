"""Anthropic's messages: cache counts beside input_tokens, iterations that are billed beyond the top level."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage, changed, merge_flags, ordered
from outlay.extract.answers import error_in, finish, inner, missing, names_in, split, usage_in
from outlay.extract.held import held
from outlay.extract.messages import LIFETIMES, TOOLS, message_copy, message_items, message_terms
from outlay.extract.plain import fields_of, name_of
from outlay.extract.streams import Kept, cut_off, merge, peek
from outlay.extract.tally import Tally, made, sum_units

_KNOWN = frozenset(
    {
        *("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
        *("cache_creation", "server_tool_use", "output_tokens_details", "iterations", "fallback_credit"),
        *("service_tier", "inference_geo", "speed", "type", "model", "amazon-bedrock-invocationMetrics"),
    }
)
_NO_GEO = frozenset({"not_available"})


def read_messages(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a message: input, cache reads and cache writes are three counts, none inside of another."""
    stated = body.get("usage")
    usage = stated if type(stated) is dict else usage_in(stated)
    if usage and (items := message_items(usage)):
        return made(items, names_in(body), message_terms(usage), message_copy(usage))
    usage = usage_in(usage)
    if usage is None:
        return missing(body)
    tally = Tally()
    count_messages(tally, usage)
    read = finish(tally, body, usage, provider, _terms(usage))
    iterations = usage.get("iterations")
    return (
        _with_iterations(read, iterations) if isinstance(iterations, list) and iterations else _summed(read)
    )


def count_messages(tally: Tally, usage: Mapping[str, Any]) -> None:
    """Count one usage object, of a message or of an iteration."""
    tally.put("input", tally.count(usage, "input_tokens"))
    tally.put("cache_read", tally.count(usage, "cache_read_input_tokens"))
    written = tally.count(usage, "cache_creation_input_tokens")
    lifetimes = inner(usage, "cache_creation")
    if written or lifetimes:
        _count_writes(tally, written, lifetimes)
    output = tally.count(usage, "output_tokens")
    for side in ("input", "output"):
        if usage.get(f"{side}_tokens") is None:
            tally.note("partial", f"the usage has no {side} tokens")
    left = output or 0
    if "output_tokens_details" in usage:
        thought = tally.count(inner(usage, "output_tokens_details"), "thinking_tokens")
        left = tally.take("reasoning", thought, left)
    tally.put("output", left)
    tools = inner(usage, "server_tool_use")
    if tools:
        tally.put("web_search", tally.count(tools, "web_search_requests"))
        tally.put("web_fetch", tally.count(tools, "web_fetch_requests"))
        tally.unknown(tools, TOOLS)
    tally.unknown(usage, _KNOWN)


def _count_writes(tally: Tally, written: int | None, lifetimes: Mapping[str, Any]) -> None:
    """Split writes by lifetime; what a stream adds beyond the split has the request's lifetime."""
    tally.unknown(lifetimes, LIFETIMES)  # a new one has a rate of its own: said, and counted as the usual one
    hour = tally.count(lifetimes, "ephemeral_1h_input_tokens") or 0
    short = tally.count(lifetimes, "ephemeral_5m_input_tokens") or 0
    if written is None:
        written = hour + short
    if hour and not short:
        hour = max(hour, written)
    left = tally.take("cache_write_1h", hour, written)
    if short > left:
        tally.flags.add("clamped")
    tally.put("cache_write", left)


def _terms(usage: Mapping[str, Any]) -> dict[str, str]:
    terms = {}
    tier = name_of(usage.get("service_tier"))
    if tier == "batch":
        terms["batch"] = "true"
    elif tier:
        terms["service_tier"] = tier
    geo = name_of(usage.get("inference_geo"))
    if geo and geo not in _NO_GEO:
        terms["geo"] = geo
    if speed := name_of(usage.get("speed")):
        terms["speed"] = speed
    credit = inner(usage, "fallback_credit")
    if credit and (status := name_of(inner(credit, "status").get("type") or credit.get("status"))):
        terms["fallback_credit"] = status
    return terms


def _summed(read: Usage) -> Usage:
    """Say so where the input is a sum over a server tool's calls and no single call's size is known."""
    if read["web_search"] or read["web_fetch"]:
        return changed(read, flags=merge_flags(read.flags, ("summed_calls",)))
    return read


def _with_iterations(top: Usage, iterations: list[Any]) -> Usage:
    """Add what is billed beside the top level: compaction, advisors, and a declined hop before a fallback."""
    rows = [row for row in iterations if isinstance(row, dict)]
    server = next((row.get("model") for row in rows if row.get("type") == "fallback_message"), None)
    own: list[Usage] = [top]
    others: list[Usage] = []
    flags: set[str] = set()
    largest = 0
    for row in rows:
        tally = Tally()
        count_messages(tally, row)
        part = tally.usage(model=name_of(row.get("model")), terms=dict(top.terms))
        flags.update(part.flags)
        aside = len(others)
        match row.get("type"):
            case "message" if server and part.model and part.model != server:
                # Anthropic's release notes: what is refused before any output is not billed. It is counted
                # here all the same; the term lets its price be decided where prices are.
                when = "after_output" if part.output_tokens else "before_output"
                others.append(part.with_terms(declined=when))
                flags.add("declined_hop")
            case "message" | "fallback_message":
                pass
            case "compaction":
                own.append(part)
            case "advisor_message":
                others.append(part)
            case _:
                flags.add("unknown_keys")
        if len(others) == aside:  # another model's call says nothing of the size of this one's
            largest = max(largest, part.input_tokens)
    main = changed(top, items=ordered(sum_units(own)))
    context = largest if 0 < largest < main.input_tokens else None
    whole = changed(main, flags=merge_flags(top.flags, flags), context_tokens=context)
    return split(whole, (changed(main, context_tokens=context, raw=None), *others)) if others else whole


class MessagesStream:
    """A collector of message events: message_start overlaid with every message_delta, field by field."""

    __slots__ = ("_deltas", "_error", "_provider", "_start", "_stopped", "_told")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._start: Any = None
        self._deltas = Kept()
        self._stopped = False
        self._told = False  # whether the end says how much was answered; what came before is the count so far
        self._error: Any = None

    def add(self, event: Any) -> None:
        """Keep message_start and the usage of each message_delta."""
        kind = event.get("type") if type(event) is dict else getattr(event, "type", None)
        if kind == "content_block_delta":
            return
        if kind == "message_delta":
            usage = peek(event, "usage")
            self._deltas.append(usage)
            self._stopped = self._stopped or bool(peek(peek(event, "delta"), "stop_reason"))
            self._told = self._told or (self._stopped and peek(usage, "output_tokens") is not None)
        elif kind == "message_start":
            self._start = peek(event, "message")
        elif kind == "error":
            self._error = event

    @property
    def complete(self) -> bool:
        """Whether the delta that ends the message was seen."""
        return self._stopped

    def hold(self) -> None:
        """Copy the usage of the start and of the deltas."""
        self._start = held(self._start, "messages")
        self._deltas.hold()

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the message that a stream amounts to which came to its end; None for one that did not."""
        if not self._told:
            return None
        body = dict(fields_of(self._start) or {})
        begun = body.get("usage")
        if begun is not None and type(begun) is not dict:
            return None  # an object that was not copied yet
        body["usage"] = merge(begun or {}, self._deltas.merged())
        return body

    def usage(self) -> Usage:
        """Read start and deltas as one message."""
        body = dict(fields_of(self._start) or {})
        body["usage"] = merge(usage_in(body.get("usage")) or {}, self._deltas.merged())
        if self._error is not None:
            body["error"] = peek(self._error, "error") or self._error
        read = read_messages(body, self._provider)
        if self._error is not None and not self._told:
            return cut_off(changed(read, reason=error_in(body)), "")
        if not self._stopped or read.raw is None:
            return cut_off(read, "the stream ended before its final usage")
        return read if self._told else cut_off(read, "the stream's end has no output tokens")
