"""What drawing used: sides, images, caches, keys that are known and those that are not, authors of SVGs."""

from typing import Any

import pytest

from outlay.extract.drawing import count_images, drafts_in
from outlay.extract.tally import Tally

USED: dict[str, Any] = {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}
MONEY = ("cost", "cost_details", "cost_in_usd_ticks", "estimated_cost", "pydantic_ai_gateway")


def counted(**more: Any) -> Tally:
    """Count what was used, with more said about it."""
    tally = Tally()
    count_images(tally, {**USED, **more})
    return tally


def test_images_and_what_was_read_from_a_cache_are_units_of_their_own() -> None:
    tally = counted(
        input_tokens_details={"text_tokens": 30, "image_tokens": 70},
        output_tokens_details={"text_tokens": 10, "image_tokens": 40},
        cached_tokens=60,
        cached_tokens_details={"cached_text_tokens": 20, "cached_image_tokens": 40},
    )
    assert tally.units == {
        "cache_read_image": 40,
        "cache_read": 20,
        "input_image": 30,
        "input": 10,
        "output_image": 40,
        "output": 10,
    }
    assert not tally.flags


def test_a_cache_that_tells_no_images_was_read_for_text() -> None:
    assert counted(cached_tokens=60).units == {"cache_read": 60, "input": 40, "output": 50}


def test_text_alone_has_no_image() -> None:
    assert counted().units == {"input": 100, "output": 50}


@pytest.mark.parametrize("name", MONEY)
def test_money_beside_the_tokens_is_no_unknown_count(name: str) -> None:
    assert not counted(**{name: 7}).flags


@pytest.mark.parametrize("place", ["input_tokens_details", "output_tokens_details", "cached_tokens_details"])
def test_a_count_of_a_new_kind_is_said(place: str) -> None:
    tally = counted(**{place: {"glyph_tokens": 3}})
    assert tally.flags == {"unknown_keys"}
    assert tally.units == {"input": 100, "output": 50}


def test_a_new_count_beside_the_sides_is_said() -> None:
    assert counted(glyph_tokens=3).flags == {"unknown_keys"}


def test_a_total_that_differs_is_said() -> None:
    assert counted(total_tokens=151).flags == {"total_mismatch"}


def test_each_svg_is_its_author_s_with_thoughts_and_images_apart() -> None:
    first = {"model": "a", **USED, "reasoning_tokens": 20, "glyph_tokens": 5}
    second = {**USED, "image_tokens": 9}
    drafts = drafts_in([{"svg_usage": first}, {"type": "message"}, {"svg_usage": second}])
    assert [(draft.model, dict(draft.items)) for draft in drafts] == [
        ("a", {"input": 100, "output": 30, "reasoning": 20}),
        (None, {"input": 100, "output": 41, "output_image": 9}),
    ]
    assert [draft.flags for draft in drafts] == [(), ()]
    assert [draft.raw for draft in drafts] == [first, second]
