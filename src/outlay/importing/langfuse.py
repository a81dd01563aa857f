"""Langfuse's observations: the export of its table, and what its API gives."""

from collections.abc import Collection, Mapping
from typing import Any

from outlay.core.errors import NotACallError
from outlay.importing.langfuse_keys import APART, AS_WELL, INSIDE, LIVED, RARE, RAW
from outlay.importing.made import Call
from outlay.importing.values import between, count, first, inner, kept, stated, time_taken

CALLS = frozenset({"GENERATION", "EMBEDDING"})
_MS = 1000
CACHED = ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens", "input_cached")
REASONING = ("output_reasoning_tokens", "output_reasoning", "reasoning_tokens")
WRITTEN = ("input_cache_creation", "input_cache_creation_5m", "cache_creation_input_tokens")
WRITTEN_1H = ("input_cache_creation_1h",)
AUDIO = {
    "input_audio": ("input_audio_tokens", "input_audio"),
    "output_audio": ("output_audio_tokens", "output_audio"),
}
_PARTS = {
    "input": {"cache_read": CACHED, "cache_write": WRITTEN, "cache_write_1h": WRITTEN_1H,
              "input_audio": AUDIO["input_audio"]},
    "output": {"reasoning": REASONING, "output_audio": AUDIO["output_audio"]},
}  # fmt: skip
_READ = (*CACHED, *(name for name, unit in APART["input"].items() if unit.startswith("cache_read")))
_WITHOUT = {"input": ("inputUsage", "promptTokens"), "output": ("outputUsage", "completionTokens")}
_TIMES = ("startTime", "endTime", "completionStartTime")
TOKENS = "TOKENS"  # the unit of what is counted, where one is told


def is_langfuse(row: Collection[str]) -> bool:
    """Whether a row is one of Langfuse's observations, be it that it has the names of its table."""
    by_api = "traceId" in row and "startTime" in row
    stored = "trace_id" in row and "start_time" in row and "parent_observation_id" in row
    return "type" in row and (by_api or stored)


def is_trace(row: Collection[str]) -> bool:
    """Whether a row is one of Langfuse's traces, in which observations are added up."""
    return "timestamp" in row and ("observationCount" in row or ("htmlPath" in row and "observations" in row))


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row under the names of the API, its times without the quotes of JSON that its CSV has."""
    stored = "startTime" not in row  # the export to a blob storage has the names of the table
    named = {_camel(name): value for name, value in row.items()} if stored else dict(row)
    for name in _TIMES:
        if isinstance(named.get(name), str):
            named[name] = named[name].strip('"')
    return named


def _camel(name: str) -> str:
    first_word, *words = name.split("_")
    return first_word + "".join(map(str.capitalize, words))


def read_langfuse(row: Mapping[str, Any]) -> Call:
    """Read an observation.

    Only generations and embeddings are calls; spans around them repeat their figures. Its usage keys do not
    overlap, except where their sum is more than the stated total: then the parts lie inside of input and
    output. Keys of other names count by the side that they name, as Langfuse adds them up. A cost of 0 with
    tokens is none: Langfuse writes it where it knows no price, as it writes 0 tokens where none were told.

    Raises:
        NotACallError: the observation is no call of a model.
        UsageError: a count that cannot be.
    """
    row = _named(row)
    if str(row.get("type")).upper() not in CALLS:
        raise NotACallError(f"a {str(row.get('type')).lower():.20} is no call of a model")
    failed = str(row.get("level")).upper() == "ERROR"
    identity, trace = (
        None if said is None else str(said) for said in (first(row, "id"), first(row, "traceId"))
    )
    fields = {
        **_usage(row),
        **kept(
            model=first(row, "model", "providedModelName"),
            operation="embeddings" if str(row.get("type")).upper() == "EMBEDDING" else None,
            user=first(row, "userId"),
            session=first(row, "sessionId"),
            query_type=first(row, "name"),
            status="error" if failed else "success",
            error=first(row, "statusMessage") if failed else None,
            latency_ms=_latency(row),
            time_to_first_token_ms=_first_token(row),
            trace_id=trace,
            span_id=identity,
            cost=_cost(row),
            tags=_tags(row),
        ),
    }
    return Call(row.get("startTime"), fields, identity)


def _usage(row: Mapping[str, Any]) -> dict[str, Any]:
    details = inner(row.get("usageDetails"))
    told = {**inner(row.get("usage")), **details}
    if str(first(told, "unit") or first(row, "unit") or TOKENS).upper() != TOKENS:
        return {}  # characters, say
    parts = {side: _parts(told, side) for side in _PARTS}
    more = {side: _others(details, side) for side in _PARTS}
    whole, out = (_whole(row, side, (told, details), more[side]) for side in _PARTS)
    within = {side: sum(parts[side].values()) + more[side] for side in _PARTS}
    total = count(first(told, "total"), "total")
    if total == whole + out and within["input"] <= whole and within["output"] <= out:
        whole, out = whole - within["input"], out - within["output"]
    units = _added(
        {"input": whole + more["input"], "output": out + more["output"]}, *parts.values(), _inside(told)
    )
    if not any(units.values()) and str(row.get("type")).upper() == "EMBEDDING":
        units["input"] = total or 0  # an embedding has no others
    used = {unit: quantity for unit, quantity in units.items() if quantity}
    return {"usage": used} if used else {}


def _added(*counted: Mapping[str, int]) -> dict[str, int]:
    units: dict[str, int] = {}
    for each in counted:
        for unit, quantity in each.items():
            units[unit] = max(units.get(unit, 0) + quantity, 0)
    return units


def _inside(told: Mapping[str, Any]) -> dict[str, int]:
    """Count what was cached of a prompt that Gemini told whole."""
    if any(told.get(name) for name in _READ):
        return {}  # it is told beside the prompt
    cached = count(first(told, *INSIDE), INSIDE[0]) or 0
    return {"cache_read": cached, "input": -cached}


def _whole(
    row: Mapping[str, Any], side: str, told: tuple[Mapping[str, Any], Mapping[str, Any]], more: int
) -> int:
    """Count what a side's own key tells, or the one that stands for it.

    The API's older usage adds up all keys of a side, so that it says nothing more where others are read.
    """
    both, details = told
    if not both:
        return count(first(row, *_WITHOUT[side]), side) or 0
    own = count(first(details if more else both, side), side) or 0
    return own if own or more else count(first(both, *RAW[side]), side) or 0


def _parts(told: Mapping[str, Any], side: str) -> dict[str, int]:
    units = {
        unit: sum(count(told.get(name), name) or 0 for name in names) for unit, names in _PARTS[side].items()
    }
    for name in told.keys() & APART[side].keys():
        unit = APART[side][name]
        units[unit] = units.get(unit, 0) + (count(told[name], name) or 0)
    if side == "input":
        lived = min(count(told.get(LIVED), LIVED) or 0, units["cache_write"])
        units["cache_write"] -= lived
        units["cache_write_1h"] += lived
    return units


def _others(details: Mapping[str, Any], side: str) -> int:
    """Add up what is counted on a side under names of somebody's own."""
    return sum(count(value, name) or 0 for name, value in details.items() if is_other(name, side))


def is_other(name: str, side: str) -> bool:
    """Whether a key is one of a side's, and none that is known."""
    known = (side, *(each for names in _PARTS[side].values() for each in names))
    return side in name and name not in known and name not in APART[side] and name not in AS_WELL


def is_counted(name: str) -> bool:
    """Whether a key counts something, under a name that is rare or somebody's own."""
    return name in RARE or is_other(name, "input") or is_other(name, "output")


def _cost(row: Mapping[str, Any]) -> object:
    total = stated(first(inner(row.get("costDetails")), "total"))
    return stated(first(row, "calculatedTotalCost", "totalCost")) if total is None else total


def _latency(row: Mapping[str, Any]) -> float | None:
    measured = between(row.get("startTime"), row.get("endTime"))
    seconds = time_taken(row.get("latency"), "latency") if measured is None else None
    return measured if seconds is None else seconds * _MS


def _first_token(row: Mapping[str, Any]) -> float | None:
    measured = between(row.get("startTime"), row.get("completionStartTime"))
    seconds = time_taken(row.get("timeToFirstToken"), "timeToFirstToken") if measured is None else None
    return measured if seconds is None else seconds * _MS


def _tags(row: Mapping[str, Any]) -> dict[str, str] | None:
    said = {"environment": first(row, "environment"), "version": first(row, "version"),
            "release": first(row, "release"), "prompt_name": first(row, "promptName")}  # fmt: skip
    return {name: str(value) for name, value in said.items() if value} or None
