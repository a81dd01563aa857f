"""What a function gave back, read for what it used: an SDK's response, or anything that carries counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from outlay.capture.fields import COUNTS, usage_of_counts
from outlay.capture.recorder import UNKNOWN
from outlay.core.errors import OutlayError, UsageError
from outlay.core.usage import Usage
from outlay.extract import read

NOTHING = "the result says nothing of its usage"
SECOND_NAMES: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("prompt_tokens", "tokens_input"),
    "output_tokens": ("completion_tokens", "tokens_output", "response_tokens"),
}
"""Other names under which the two plain counts are given."""
_PLAIN_VALUES = (str, bytes, int, float, bool, type(None))
_WHOLE = frozenset({"chat.completion", "text_completion", "response", "interaction"})
_PLAIN = ("input_tokens", "output_tokens", *SECOND_NAMES["input_tokens"], *SECOND_NAMES["output_tokens"])
_ALL = tuple(dict.fromkeys((*COUNTS, *_PLAIN)))
_OURS = frozenset({"cached_tokens", "cache_write_tokens", "reasoning_tokens"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a result says: which model, and what it used; without usage, why."""

    model: str | None
    usage: Usage


def read_result(result: Any, *, provider: str = UNKNOWN) -> Reading:
    """Read a result: a response of an SDK or its mapping, or an object or mapping with ``usage`` or counts.

    Raises:
        UsageError: a count that cannot be.
    """
    model = named(result, "model")
    text = model if isinstance(model, str) else None
    inside = named(result, "usage")
    if inside is None and any(_is_count(named(result, name)) for name in _PLAIN):
        return Reading(text, read_counts(result))
    if inside is not None and text is None:
        text = _text(named(result, "model_name"))
    usage = _by_shape(result, provider)
    if inside is not None and (usage is None or not usage.items or _has_more(inside, usage)):
        return Reading(text, read_counts(inside))
    if inside is not None:
        _refuse_bad(inside)
    if usage is None:
        return Reading(text, Usage(reason=NOTHING))
    return Reading(usage.model or text, usage)


def answers_in(result: Any) -> tuple[Any, ...]:
    """Give the answers that a result holds: several whole ones in a list are several, a stream's events one.

    An answer is whole by its own word (OpenAI's ``object``, Anthropic's ``type``); Gemini's, which say none,
    are where each has an id of its own: all chunks of a stream have one id.
    """
    if not isinstance(result, list | tuple) or hasattr(result, "_asdict"):
        return (result,)
    first = next((part for part in result if not isinstance(part, _PLAIN_VALUES)), None)
    if first is None or not (_is_whole(first) or _id_of(first)):
        return (result,)  # a look at one of them is enough, for a function may give back a million rows
    parts = [part for part in result if not isinstance(part, _PLAIN_VALUES)]
    whole = tuple(part for part in parts if _is_whole(part))
    ids = [_id_of(part) for part in parts]
    apart = len(parts) > 1 and None not in ids and len(set(ids)) == len(ids)
    return whole or (tuple(parts) if apart else (result,))


def _is_whole(part: Any) -> bool:
    kind = named(part, "object")
    return (isinstance(kind, str) and kind in _WHOLE) or named(part, "type") == "message"


def _id_of(part: Any) -> str | None:
    return _text(named(part, "responseId")) or _text(named(part, "response_id"))


def read_counts(counts: Any) -> Usage:
    """Read the usage of a response: an outlay Usage, an SDK's usage, or anything with counts.

    Counts by outlay's names are inclusive; an SDK's are read by that SDK's rules.

    Raises:
        UsageError: a count that cannot be, or no count at all.
    """
    if isinstance(counts, Usage):
        return counts
    _refuse_bad(counts)
    if not any(_is_count(named(counts, name)) for name in _OURS):
        usage = _by_shape({"usage": counts}, UNKNOWN)
        if usage is not None and usage.items:
            return usage
    given = plain_counts(counts)
    if not given:
        raise UsageError(
            f"no token counts in {counts!r:.80}; give input_tokens and output_tokens, or prompt_tokens and "
            "completion_tokens"
        )
    return usage_of_counts(given)


def plain_counts(source: Any) -> dict[str, Any]:
    """Collect inclusive counts under their first names, whatever names they were given by."""
    given = fields_in(source, _ALL)
    found = {name: given[name] for name in COUNTS if name in given}
    if len(found) == len(given):
        return found
    for name, others in SECOND_NAMES.items():
        found.update((name, given[other]) for other in others if other in given and name not in found)
    return found


def named(source: Any, name: str) -> Any:
    """Give an attribute of an object, or a key of a mapping; None where there is none."""
    if type(source) is dict or isinstance(source, Mapping):
        return source.get(name)
    return getattr(source, name, None)


def fields_in(source: Any, names: Iterable[str]) -> dict[str, Any]:
    """Give those of the names that an object or mapping has, without those that are None."""
    if isinstance(source, Mapping):
        return {name: value for name in names if (value := source.get(name)) is not None}
    return {name: value for name in names if (value := getattr(source, name, None)) is not None}


def _has_more(inside: Any, usage: Usage) -> bool:
    """Whether counts by outlay's own names stand beside those that an SDK's reader knew."""
    return "unknown_keys" in usage.flags and any(_is_count(named(inside, name)) for name in _OURS)


def _by_shape(result: Any, provider: str) -> Usage | None:
    if result is None or isinstance(result, str | bytes | int | float | bool):
        return None
    try:
        return read(result, provider=provider)
    except OutlayError:
        return None


def _refuse_bad(counts: Any) -> None:
    """Refuse what no provider can have meant; an SDK's own reader would clamp it and say so in a flag."""
    for name in _PLAIN:
        value = named(counts, name)
        if value is not None and not _is_count(value):
            raise UsageError(f"{name} must be a whole number of tokens, 0 or more, not {value!r:.40}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
