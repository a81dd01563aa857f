"""Bedrock Converse: cache counts beside inputTokens, each spelt twice on the wire, and guardrail units."""

from collections.abc import Iterable, Mapping
from typing import Any

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Item, Usage, sort_terms
from outlay.extract.answers import finish, inner, missing, usage_in
from outlay.extract.plain import fields_of, name_of, plain, rows_of
from outlay.extract.streams import cut_off, peek
from outlay.extract.tally import Tally, made
from outlay.extract.usual import Usual

KNOWN = frozenset(
    {
        *("inputTokens", "outputTokens", "totalTokens", "cacheDetails", "serverToolUsage"),
        *("cacheReadInputTokens", "cacheReadInputTokenCount"),
        *("cacheWriteInputTokens", "cacheWriteInputTokenCount"),
    }
)
_WITHIN = frozenset({"cacheDetails", "serverToolUsage"})
_LIFETIMES = {"1h": "cache_write_1h"}
_USUAL_LIFETIME = "5m"
# Guardrails are billed by text unit and policy; a policy's free units cost nothing and are left out.
_GUARDRAIL_UNITS = {
    "topicPolicyUnits": "guardrail_topic",
    "contentPolicyUnits": "guardrail_content",
    "contentPolicyImageUnits": "guardrail_content_image",
    "wordPolicyUnits": "guardrail_word",
    "sensitiveInformationPolicyUnits": "guardrail_sensitive_information",
    "contextualGroundingPolicyUnits": "guardrail_contextual_grounding",
    "automatedReasoningPolicyUnits": "guardrail_automated_reasoning",
}


def read_converse(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a Converse answer, or the metadata event of its stream."""
    if (usual := usual_converse(body)) is not None:
        items, names, terms, stated = usual
        return made(items, names, terms, usage_in(stated))
    usage = usage_in(body.get("usage"))
    trace = fields_of(body.get("trace")) or {}
    facts = {"model": _routed_model(trace) or body.get("model"), "error": body.get("error")}
    if usage is None:
        return missing({**facts, "error": facts["error"] or aws_error(body)})
    tally = Tally()
    count_converse(tally, usage)
    count_guardrails(tally, trace)
    return finish(tally, facts, usage, provider, _terms(body))


def usual_converse(body: Mapping[str, Any]) -> Usual | None:
    """Read a usual answer and give its very usage; None for one that needs a closer look."""
    usage = body.get("usage")
    if type(usage) is not dict or "trace" in body or not (items := converse_items(usage)):
        return None
    terms = sort_terms(_terms(body)) if "serviceTier" in body or "performanceConfig" in body else ()
    return items, (name_of(body.get("model")), None), terms, usage


def _routed_model(trace: Mapping[str, Any]) -> str | None:
    router = fields_of(trace.get("promptRouter")) or {}
    return name_of(router.get("invokedModelId"))


def aws_error(body: Mapping[str, Any]) -> object:
    """Give what tells of an error of AWS itself: an object with a message, and mostly a ``__type``."""
    if not isinstance(body.get("message"), str) or "finishReason" in body:  # so does Pegasus answer
        return None
    return {"type": body.get("__type", "AWS error")}


def _terms(body: Mapping[str, Any]) -> dict[str, str]:
    terms = {}
    tier = fields_of(body.get("serviceTier")) or {}
    if kind := name_of(tier.get("type")):
        terms["service_tier"] = kind.lower()
    speed = fields_of(body.get("performanceConfig")) or {}
    if latency := name_of(speed.get("latency")):
        terms["latency"] = latency.lower()
    return terms


def count_converse(tally: Tally, usage: Mapping[str, Any]) -> None:
    """Count Converse's usage: total = input + output + cache read + cache write, unless it says otherwise."""
    given = tally.count(usage, "inputTokens")
    output = tally.count(usage, "outputTokens")
    read = tally.first(usage, "cacheReadInputTokens", "cacheReadInputTokenCount") or 0
    written = tally.first(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount") or 0
    total = tally.count(usage, "totalTokens")
    if given is None:
        tally.note("partial", "the usage has no input tokens")
    elif output is None:
        tally.note("partial", "the usage has no output tokens")
    fresh, shown = given or 0, output or 0
    if read + written and total == fresh + shown and read + written <= fresh:
        tally.flags.add("cache_inside_input")
        fresh -= read + written
    elif output is not None and given is not None:
        tally.check(total, fresh + shown + read + written)
    tally.put("input", fresh)
    tally.put("cache_read", read)
    _count_writes(tally, usage, written)
    tally.put("output", shown)
    tools = inner(usage, "serverToolUsage")
    for key in tools:
        tally.put("web_search" if "search" in key.lower() else "server_tool", tally.count(tools, key))
    tally.unknown(usage, KNOWN)


def converse_items(usage: Mapping[str, Any]) -> tuple[Item, ...] | None:
    """Count a usage of tokens that add up, of the usual lifetime; None for one that needs a closer look."""
    if not KNOWN.issuperset(usage):
        return None
    for key, value in usage.items():
        if key not in _WITHIN:
            plain = type(value) is int and 0 <= value <= MAX_QUANTITY
        else:
            plain = not value or (key == "cacheDetails" and _is_short_lived(value))
        if not plain:
            return None
    given, shown = usage.get("inputTokens"), usage.get("outputTokens")
    read = usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount", 0))
    written = usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount", 0))
    if given is None or shown is None or usage.get("totalTokens") != given + shown + read + written:
        return None
    found = (("input", given), ("cache_read", read), ("cache_write", written), ("output", shown))
    return tuple([item for item in found if item[1]])


def _is_short_lived(rows: object) -> bool:
    return type(rows) is list and all(type(row) is dict and row.get("ttl") == _USUAL_LIFETIME for row in rows)


def _count_writes(tally: Tally, usage: Mapping[str, Any], written: int) -> None:
    left = written
    rows = usage.get("cacheDetails")
    for row in rows_of(rows):
        if not isinstance(row, dict) or row.get("ttl") == _USUAL_LIFETIME:
            continue
        count = tally.count(row, "inputTokens")
        if unit := _LIFETIMES.get(str(row.get("ttl"))):
            left = tally.take(unit, count, left)
        elif count:  # it has a rate of its own: said, and counted as the usual one
            tally.flags.add("unknown_keys")
    tally.put("cache_write", left)


def count_guardrails(tally: Tally, trace: Mapping[str, Any]) -> None:
    """Add up the units of each guardrail policy over all assessments of input and output."""
    guardrail = fields_of(trace.get("guardrail")) or {}
    for side in ("inputAssessment", "outputAssessments", "input", "outputs"):
        for assessment in _assessments(guardrail.get(side)):
            metrics = fields_of(assessment.get("invocationMetrics")) or {}
            used = plain(metrics.get("usage"))
            for key, unit in _GUARDRAIL_UNITS.items() if isinstance(used, dict) else ():
                tally.put(unit, tally.count(used, key))


def _assessments(found: object) -> Iterable[Mapping[str, Any]]:
    """Give the assessments of one side: by guardrail id, one or a list, sometimes in a list of such."""
    for group in found if isinstance(found, list) else (found,):
        for one in (fields_of(group) or {}).values():
            for assessment in one if isinstance(one, list) else (one,):
                if fields := fields_of(assessment):
                    yield fields


class ConverseStream:
    """A collector of ConverseStream events: the metadata event holds the usage."""

    __slots__ = ("_metadata", "_provider")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._metadata: Any = None

    def add(self, event: Any) -> None:
        """Keep the metadata event."""
        metadata = peek(event, "metadata")
        if metadata is not None:
            self._metadata = metadata

    @property
    def complete(self) -> bool:
        """Whether the metadata event was seen."""
        return self._metadata is not None

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the metadata event, which is read as an answer; None where it was not seen."""
        return fields_of(self._metadata)

    def usage(self) -> Usage:
        """Read the metadata event."""
        if self._metadata is None:
            return cut_off(Usage(), "the stream ended before its metadata event")
        return read_converse(fields_of(self._metadata) or {}, self._provider)
