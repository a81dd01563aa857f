"""The common shape of OpenAI's usage, read in one go: most answers have it, and it needs no tally."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Item
from outlay.extract.plain import plain


@dataclass(frozen=True, slots=True)
class Names:
    """How an API spells the counts of the common shape."""

    prompt: str
    output: str
    prompt_details: str
    output_details: str
    all: frozenset[str]


# Groq's times; DeepSeek's hits beside the cached tokens of the details, which are the same ones; Mistral's
# cached tokens and tier; Azure's times.
_TIMES = frozenset({"queue_time", "prompt_time", "completion_time", "total_time"})
_HIT, _MISSED, _BESIDE = "prompt_cache_hit_tokens", "prompt_cache_miss_tokens", "num_cached_tokens"
_NUMBERS = _TIMES | {_HIT, _MISSED, _BESIDE}
_TIER = "service_tier"
_CHECKPOINT = "latency_checkpoint"
_LONGEST = 100  # letters of a tier; a longer one is cut by the whole way
_CUT = frozenset({int, str})  # what the whole way writes otherwise where it is large or long
_COPIED = frozenset({"cost", "cost_details", "is_byok", _CHECKPOINT})


def _names(prompt: str, output: str, *beside: str) -> Names:
    spelled = (prompt, output, f"{prompt}_details", f"{output}_details")
    return Names(*spelled, frozenset({*spelled, "total_tokens", *beside}))


CHAT = _names("prompt_tokens", "completion_tokens", *_NUMBERS, _TIER, _CHECKPOINT)
PAID = _names("prompt_tokens", "completion_tokens", *_NUMBERS, _TIER, *_COPIED)
"""The same where money may stand beside the counts, which has to be read, too."""
RESPONSES = _names("input_tokens", "output_tokens")

# Inside of a count, and worth a closer look unless they are 0, or are looked at here.
_PART_OF_PROMPT = frozenset({"cached_tokens", "cache_write_tokens", "text_tokens"})
_WITH_PROMPT = _PART_OF_PROMPT | {"audio_tokens", "image_tokens", "video_tokens"}
_PART_OF_OUTPUT = frozenset({"reasoning_tokens", "text_tokens"})
_WITH_OUTPUT = _PART_OF_OUTPUT | {
    *("audio_tokens", "image_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"),
}
_STILL = frozenset({float, bool})
_NOUGHT = 0  # the one that every JSON reader gives


def common_items(usage: Mapping[str, Any], names: Names) -> tuple[Item, ...] | None:
    """Count a usage whose total is prompt and output, with cached, written and thought tokens inside of them.

    None for every other one, also for one with a key or a kind of value that needs a closer look.
    """
    prompt, output, total = usage.get(names.prompt), usage.get(names.output), usage.get("total_tokens")
    if type(prompt) is not int or type(output) is not int or type(total) is not int:
        return None
    if total != prompt + output or prompt < 0 or output < 0 or total > MAX_QUANTITY:
        return None
    if len(usage) == 3:  # noqa: PLR2004 - the three counts alone
        return _items(prompt, 0, 0, output, 0)
    if not names.all.issuperset(usage) or (parts := _parts(usage, names)) is None:
        return None
    cached, written, thought = parts
    if cached + written > prompt or thought > output:
        return None
    return _items(prompt - cached - written, cached, written, output - thought, thought)


def _parts(usage: Mapping[str, Any], names: Names) -> tuple[int, int, int] | None:
    """Give what was cached, written and thought; None where that needs a closer look."""
    cached: int | None = None
    written = thought = 0
    unseen = len(usage) - 3
    if (within := usage.get(names.prompt_details)) is not None:
        if not _is_plain(within, _PART_OF_PROMPT, _WITH_PROMPT):
            return None
        cached, written = within.get("cached_tokens"), within.get("cache_write_tokens") or 0
        unseen -= 1
    if (shown := usage.get(names.output_details)) is not None:
        if not _is_plain(shown, _PART_OF_OUTPUT, _WITH_OUTPUT):
            return None
        thought = shown.get("reasoning_tokens") or 0
        unseen -= 1
    if unseen:
        if not _can_be_passed_over(usage, stated=cached is not None):
            return None
        cached = usage.get(_BESIDE) if cached is None else cached
    return cached or 0, written, thought


def _can_be_passed_over(usage: Mapping[str, Any], *, stated: bool) -> bool:
    """Whether what stands beside the counts are numbers, and no hits that the details do not state."""
    tier = usage.get(_TIER)
    if tier is not None and (type(tier) is not str or len(tier) > _LONGEST or not tier.isascii()):
        return False
    if type(usage.get(_CHECKPOINT)) in _CUT:
        return False
    if _NUMBERS.isdisjoint(usage):
        return True
    for key in _NUMBERS.intersection(usage):
        value = usage[key]
        if type(value) is not float and (type(value) is not int or not 0 <= value <= MAX_QUANTITY):
            return False
    return (stated or _HIT not in usage) and type(usage.get(_BESIDE)) is not float


def common_usage(usage: object, names: Names) -> tuple[tuple[Item, ...], dict[str, Any]] | None:
    """Count a usage of the common shape and copy it, for its owner may change it; None for any other one."""
    if type(usage) is not dict or (items := common_items(usage, names)) is None:
        return None
    copied = usage.copy()  # plain numbers, but for the details
    unseen = len(copied) - 3
    if unseen and (within := usage.get(names.prompt_details)) is not None:
        copied[names.prompt_details] = within.copy()
        unseen -= 1
    if unseen and (shown := usage.get(names.output_details)) is not None:
        copied[names.output_details] = shown.copy()
        unseen -= 1
    if unseen and not _COPIED.isdisjoint(copied):
        for name in _COPIED.intersection(copied):
            if type(copied[name]) not in _STILL:
                copied[name] = plain(copied[name])
    return items, copied


def _is_plain(details: object, looked_at: frozenset[str], known: frozenset[str]) -> bool:
    """Whether details hold no other count than those that are looked at, but for zeros."""
    if type(details) is not dict or not known.issuperset(details):
        return False
    for key, value in details.items():
        if (value is not _NOUGHT and value is not None) and (
            type(value) is not int or not 0 <= value <= MAX_QUANTITY or key not in looked_at
        ):
            return False
    return True


def _items(fresh: int, cached: int, written: int, shown: int, thought: int) -> tuple[Item, ...]:
    """Give the units in the vocabulary's order, zeros left out."""
    if fresh and shown and not cached and not written:
        asked, answered = ("input", fresh), ("output", shown)
        return (asked, answered, ("reasoning", thought)) if thought else (asked, answered)
    found = [("input", fresh)] if fresh else []
    if cached:
        found.append(("cache_read", cached))
    if written:
        found.append(("cache_write", written))
    if shown:
        found.append(("output", shown))
    if thought:
        found.append(("reasoning", thought))
    return tuple(found)
