"""A span's counts as disjoint units: which name was read, what its emitter means by input, what adds up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from outlay.core.usage import Usage
from outlay.otel.langfuse import read_table
from outlay.otel.names import COUNTS, OLD_CACHE_NAMES
from outlay.otel.values import Attributes, count

Meaning = Literal["inclusive", "exclusive"]
LANGFUSE = "langfuse"  # who speaks its own words, which are disjoint

# Emitters (a scope's name, or the start of it) whose input is without the cached tokens, whatever the
# conventions say. All others are taken to follow them: input holds every kind.
EXCLUSIVE_SCOPES = ("opentelemetry.instrumentation.bedrock",)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a span counts, and which reading of its input was taken."""

    usage: Usage
    reading: Meaning | None  # None: it counts nothing
    odd: tuple[str, ...] = ()  # attributes that could not be read


def read_counts(attributes: Attributes, scope: str, *, two_sides: bool = True) -> Counted:
    """Read the counts of a span; ``two_sides``: its call has input and output."""
    found, flags, odd = _found(attributes)
    if (beside := found.pop("reasoning_beside", 0)) and "reasoning" not in found:
        found |= {"reasoning": beside, "output": found.get("output", 0) + beside}
    stated = "total" in found
    if not found:
        langfuses = read_table(attributes)
        found, stated, odd = langfuses.counts, langfuses.total_stated, (*odd, *langfuses.odd)
        scope = LANGFUSE if langfuses.disjoint else "openai"
    if odd:
        flags = (*flags, "bad_count")
    if not found:
        return Counted(Usage(reason="the span counts no tokens", flags=flags), None, odd)
    meaning, told = _meaning(found, attributes, scope)
    usage, clamped = _disjoint(found, meaning)
    reason = None
    if two_sides and not odd and not (stated and "total_mismatch" not in told):
        reason = _lacking(found)
    flags = tuple(dict.fromkeys((*flags, *told, *clamped, *(("partial",) if reason else ()))))
    if not usage.items:
        nothing = (
            "the span tells a total of tokens alone" if found.get("total") else "the span counts 0 tokens"
        )
        return Counted(Usage(reason=nothing, flags=flags), meaning, odd)
    return Counted(replace(usage.flagged(*flags), reason=reason), meaning, odd)


def _lacking(found: Mapping[str, int]) -> str | None:
    """Say which side nothing is told of; that is not to say that there was nothing on it."""
    absent = next((side for side in ("input", "output") if side not in found), None)
    return None if absent is None else f"the span counts no {absent} tokens"


def _found(attributes: Attributes) -> tuple[dict[str, int], tuple[str, ...], tuple[str, ...]]:
    """Take one name of each count; others of the same count must agree."""
    found: dict[str, int] = {}
    flags: set[str] = set()
    odd = []
    for what, names in COUNTS.items():
        values = []
        for name in names:
            if name not in attributes:
                continue
            value = count(attributes[name])
            if value is None:
                odd.append(name)
            else:
                values.append(value)
        if values:
            found[what] = values[0]
            if len(set(values)) > 1:
                flags.add("names_differ")
    return found, tuple(sorted(flags)), tuple(odd)


def _meaning(found: Mapping[str, int], attributes: Attributes, scope: str) -> tuple[Meaning, tuple[str, ...]]:
    """Decide by emitter whether input holds the cached tokens, then let the sums object."""
    cached = found.get("cache_read", 0) + found.get("cache_write", 0)
    whole = found.get("input", 0)
    said: Meaning = "inclusive"
    old_names = bool(OLD_CACHE_NAMES & attributes.keys())
    if scope == LANGFUSE or scope.startswith(EXCLUSIVE_SCOPES) or old_names:
        said = "exclusive"
    if not cached:
        return said, _total_flags(found, whole)
    if "total" in found:
        return _by_total(found, said, cached)
    if said == "inclusive" and cached > whole:
        return "exclusive", ("cache_additive",)
    return said, ()


def _by_total(found: Mapping[str, int], said: Meaning, cached: int) -> tuple[Meaning, tuple[str, ...]]:
    """Take the reading that the span's own total bears out; its emitter's where both or none do."""
    whole = found.get("input", 0)
    sums: dict[Meaning, int] = {"inclusive": whole, "exclusive": whole + cached}
    possible = [meaning for meaning, read in sums.items() if not _total_flags(found, read)]
    if whole < cached and "inclusive" in possible:
        possible.remove("inclusive")
    if said in possible:
        return said, _total_flags(found, sums[said])
    if possible:
        flag = "cache_additive" if possible[0] == "exclusive" else "cache_inside_input"
        return possible[0], (flag, *_total_flags(found, sums[possible[0]]))
    if said == "inclusive" and cached > whole:
        return "exclusive", ("cache_additive", "partial", "total_mismatch")
    return said, ("partial", "total_mismatch")


def _total_flags(found: Mapping[str, int], read: int) -> tuple[str, ...]:
    """Say whether the total is what was read and written; thoughts beside the output are told apart later."""
    if "total" not in found:
        return ()
    written = found.get("output", 0)
    if found["total"] in {read + written, read + written + found.get("reasoning", 0)}:
        return ()
    return ("partial", "total_mismatch")


def _disjoint(found: Mapping[str, int], meaning: Meaning) -> tuple[Usage, tuple[str, ...]]:
    flags = set()
    read, written = found.get("cache_read", 0), found.get("cache_write", 0)
    whole = found.get("input", 0) + (read + written if meaning == "exclusive" else 0)
    cached, beside = _by_modality(found, read)
    plain = whole - read - written - sum(beside.values())
    if plain < 0:
        # cached audio is counted twice by some: what is no text is then taken to be among the cached
        beside, plain = dict.fromkeys(beside, 0), whole - read - written
        flags.add("clamped")
    long = min(written, found.get("cache_write_1h", 0))
    thought = found.get("reasoning", 0)
    output = found.get("output", 0)
    if thought and _thoughts_beside(found, whole):
        flags.add("reasoning_additive")
        output += thought
    spoken = {unit: found.get(unit, 0) for unit in ("output_audio", "output_image")}
    shown = output - thought - sum(spoken.values())
    if shown < 0:
        spoken, shown = dict.fromkeys(spoken, 0), output - thought
        flags.add("clamped")
    units = {"input": max(0, plain), **cached, "cache_write": written - long, "cache_write_1h": long}
    units |= {**beside, "output": max(0, shown), "reasoning": thought, **spoken}
    return Usage.of(units | {"web_search": found.get("web_search", 0)}), tuple(flags)


def _by_modality(found: Mapping[str, int], read: int) -> tuple[dict[str, int], dict[str, int]]:
    """Split what was read from a cache, and give what is no text and came afresh: its count holds both."""
    cached = {f"cache_read_{kind}": found.get(f"cache_read_{kind}", 0) for kind in ("audio", "image")}
    if sum(cached.values()) > read:
        cached = dict.fromkeys(cached, 0)
    fresh = {
        unit: max(0, found.get(unit, 0) - cached[unit.replace("input", "cache_read")])
        for unit in ("input_audio", "input_image")
    }
    return {"cache_read": read - sum(cached.values()), **cached}, fresh


def _thoughts_beside(found: Mapping[str, int], whole: int) -> bool:
    """Whether output is without the thoughts, as Gemini counts: by the total, else if it cannot hold them."""
    output, thought = found.get("output", 0), found["reasoning"]
    if "total" in found and found["total"] != whole + output:
        return found["total"] == whole + output + thought
    return thought > output
