"""Drawing: tokens of images, read from a cache or not, and those of the model that authored an SVG."""

from collections.abc import Iterable, Mapping
from typing import Any

from outlay.core.usage import Usage
from outlay.extract.answers import inner, usage_in
from outlay.extract.chat import count_chat
from outlay.extract.modality import count_input
from outlay.extract.plain import name_of
from outlay.extract.streams import peek
from outlay.extract.tally import Tally

_MODALITIES = frozenset({"text_tokens", "image_tokens"})
_CACHED = frozenset({"cached_text_tokens", "cached_image_tokens"})
_KNOWN = frozenset(
    {
        *("input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"),
        *("cached_tokens", "cached_tokens_details"),
        *("cost", "cost_details", "is_byok", "cost_in_usd_ticks", "estimated_cost", "pydantic_ai_gateway"),
    }
)


def count_images(tally: Tally, usage: Mapping[str, Any]) -> None:
    """Count the tokens of drawing: input and output, each with its image part, the rest text."""
    total = tally.count(usage, "total_tokens")
    given, shown = tally.sides(tally.count(usage, "input_tokens"), tally.count(usage, "output_tokens"), total)
    asked, cached = inner(usage, "input_tokens_details"), inner(usage, "cached_tokens_details")
    count_input(
        tally,
        given,
        tally.count(usage, "cached_tokens") or 0,
        {"image": tally.count(asked, "image_tokens") or 0},
        {"image": tally.count(cached, "cached_image_tokens") or 0},
    )
    answered = inner(usage, "output_tokens_details")
    tally.put("output", tally.take("output_image", tally.count(answered, "image_tokens"), shown))
    tally.check(total, given + shown)
    tally.unknown(usage, _KNOWN)
    tally.unknown(asked, _MODALITIES)
    tally.unknown(answered, _MODALITIES)
    tally.unknown(cached, _CACHED)


def drafts_in(drawings: Iterable[Any]) -> list[Usage]:
    """Give what authoring each SVG took: it is beside the response's usage, and another model's."""
    return [drafted(svg) for item in drawings if (svg := usage_in(peek(item, "svg_usage")))]


def drafted(svg: Mapping[str, Any]) -> Usage:
    """Read what authoring an SVG took; it names its model."""
    tally = Tally()
    count_chat(tally, {**svg, "output_tokens_details": svg}, "")
    tally.flags.discard("unknown_keys")
    return tally.usage(model=name_of(svg.get("model")), raw=svg)
