"""The vocabulary of units: its order, and what their names are made of."""

import pytest

from outlay.core.units import rank, split_unit


def test_units_are_shown_in_the_order_of_the_vocabulary_and_strange_ones_behind_by_name() -> None:
    units = ["zebras", "pages", "reasoning", "apples", "output", "cache_read_audio", "cache_read", "input"]
    assert sorted(units, key=rank) == [
        *("input", "cache_read", "cache_read_audio", "output", "reasoning"),
        *("pages", "apples", "zebras"),
    ]


@pytest.mark.parametrize(
    ("unit", "parts"),
    [
        ("input", ("input", None)),
        ("cache_read_audio", ("cache_read", "audio")),
        ("cache_write_1h_video", ("cache_write_1h", "video")),
        ("cache_write_1h", ("cache_write_1h", None)),
        ("web_search", ("web_search", None)),
        ("my_audio", ("my_audio", None)),  # a count of one's own, of no kind of token
    ],
)
def test_a_token_unit_is_a_kind_and_a_modality(unit: str, parts: tuple[str, str | None]) -> None:
    assert split_unit(unit) == parts
