"""The common shape of OpenAI's usage, read in one go: most answers have it, and it needs no tally."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Item
from outlay.extract.plain import plain


class Names(NamedTuple):
    """How an API spells the counts of the common shape."""

    prompt: str
    output: str
    prompt_details: str
    output_details: str
    all: frozenset[str]


# Groq's times, and DeepSeek's hits beside the cached tokens of the details, which are the same ones.
_TIMES = frozenset({"queue_time", "prompt_time", "completion_time", "total_time"})
_HIT, _MISSED = "prompt_cache_hit_tokens", "prompt_cache_miss_tokens"
_BESIDE = _TIMES | {_HIT, _MISSED}
_MONEY = frozenset({"cost", "cost_details", "is_byok"})


def _names(prompt: str, output: str, *beside: str) -> Names:
    spelled = (prompt, output, f"{prompt}_details", f"{output}_details")
    return Names(*spelled, frozenset({*spelled, "total_tokens", *beside}))


CHAT = _names("prompt_tokens", "completion_tokens", *_BESIDE)
PAID = _names("prompt_tokens", "completion_tokens", *_BESIDE, "cost", "cost_details", "is_byok")
"""The same where money may stand beside the counts, which has to be read, too."""
RESPONSES = _names("input_tokens", "output_tokens")

_CACHED = frozenset({"cached_tokens", "text_tokens"})
_THOUGHT = frozenset({"reasoning_tokens", "text_tokens"})
# Inside of a count, and worth a closer look unless they are 0.
_WITH_CACHED = _CACHED | {"audio_tokens", "image_tokens", "video_tokens", "cache_write_tokens"}
_WITH_THOUGHT = _THOUGHT | {
    *("audio_tokens", "image_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"),
}


def common_items(usage: Mapping[str, Any], names: Names) -> tuple[Item, ...] | None:
    """Count a usage whose total is prompt and output, with cached and thought tokens inside of them.

    None for every other one, also for one with a key or a kind of value that needs a closer look.
    """
    prompt_name, output_name, prompt_details, output_details, known = names
    prompt, output, total = usage.get(prompt_name), usage.get(output_name), usage.get("total_tokens")
    if type(prompt) is not int or type(output) is not int or type(total) is not int:
        return None
    if total != prompt + output or prompt < 0 or output < 0 or total > MAX_QUANTITY:
        return None
    if len(usage) == 3:  # noqa: PLR2004 - the three counts alone
        return _items(prompt, 0, output, 0)
    if not known.issuperset(usage) or not (_BESIDE.isdisjoint(usage) or _can_be_passed_over(usage)):
        return None
    within, shown = usage.get(prompt_details), usage.get(output_details)
    cached = 0 if within is None else _part(within, "cached_tokens", _CACHED, _WITH_CACHED)
    thought = 0 if shown is None else _part(shown, "reasoning_tokens", _THOUGHT, _WITH_THOUGHT)
    if cached is None or thought is None or cached > prompt or thought > output:
        return None
    return _items(prompt - cached, cached, output - thought, thought)


def _can_be_passed_over(usage: Mapping[str, Any]) -> bool:
    """Whether times are numbers, and hits the same as the details' cached tokens."""
    for key in _BESIDE.intersection(usage):
        value = usage[key]
        if type(value) is not float and (type(value) is not int or not 0 <= value <= MAX_QUANTITY):
            return False
    details = usage.get("prompt_tokens_details")
    return _HIT not in usage or (type(details) is dict and type(details.get("cached_tokens")) is int)


def common_usage(usage: object, names: Names) -> tuple[tuple[Item, ...], dict[str, Any]] | None:
    """Count a usage of the common shape and copy it, for its owner may change it; None for any other one."""
    if type(usage) is not dict or (items := common_items(usage, names)) is None:
        return None
    copied = usage.copy()  # plain numbers, but for the details
    for name in (names.prompt_details, names.output_details):
        if (details := usage.get(name)) is not None:
            copied[name] = details.copy()
    for name in _MONEY.intersection(usage):
        copied[name] = plain(usage[name])
    return items, copied


def _part(details: object, name: str, looked_at: frozenset[str], known: frozenset[str]) -> int | None:
    """Give the one count that details are about; None where they hold anything else but zeros."""
    if type(details) is not dict or not known.issuperset(details):
        return None
    for key, value in details.items():
        if value is not None and (
            type(value) is not int or not 0 <= value <= MAX_QUANTITY or (value and key not in looked_at)
        ):
            return None
    part: int = details.get(name) or 0
    return part


def _items(fresh: int, cached: int, shown: int, thought: int) -> tuple[Item, ...]:
    """Give the units in the vocabulary's order, zeros left out."""
    if fresh and shown and not cached and not thought:
        return ("input", fresh), ("output", shown)
    found = (("input", fresh), ("cache_read", cached), ("output", shown), ("reasoning", thought))
    return tuple([item for item in found if item[1]])
