"""Counts by modality: each token once."""

import pytest

from outlay.extract.modality import by_modality, count_input, count_output
from outlay.extract.tally import Tally


def test_rows_of_modalities_add_up_and_those_that_say_none_are_passed_over() -> None:
    rows = [
        "odd",
        {"modality": "audio", "tokenCount": 3},
        {"modality": 4, "token_count": 2},  # as protobuf numbers it
        {"modality": "TEXT", "tokenCount": 9},
        {"modality": None, "tokenCount": 9},
        {"modality": "IMAGE", "tokens": 7},
        {"modality": "VIDEO"},
    ]
    assert by_modality(Tally(), rows) == {"audio": 5, "image": 7}


@pytest.mark.parametrize(
    ("counts", "listed", "cached_listed", "units", "flags"),
    [
        ((10, 0), {}, {}, {"input": 10}, set()),
        ((10, 10), {}, {}, {"cache_read": 10}, set()),
        ((10, 11), {}, {}, {"cache_read": 10}, {"clamped"}),
        (  # 4 of 10 are cached, 3 of these are audio; of 5 audio tokens 2 are fresh, which leaves 4 of text
            (10, 4),
            {"audio": 5},
            {"audio": 3},
            {"cache_read": 1, "cache_read_audio": 3, "input": 4, "input_audio": 2},
            set(),
        ),
        (  # the cache is said to hold more audio than there is: none of it is fresh
            (10, 4),
            {"audio": 2},
            {"audio": 4},
            {"cache_read_audio": 4, "input": 6},
            set(),
        ),
        (  # the cache holds images alone: all audio is fresh
            (10, 4),
            {"audio": 5},
            {"image": 4},
            {"cache_read_image": 4, "input": 1, "input_audio": 5},
            set(),
        ),
        (  # no more of the audio is cached than is cached at all
            (10, 2),
            {"audio": 6},
            {"audio": 5},
            {"cache_read_audio": 2, "input": 4, "input_audio": 4},
            {"clamped"},
        ),
    ],
)
def test_an_input_by_modality_counts_each_token_once(
    counts: tuple[int, int],
    listed: dict[str, int],
    cached_listed: dict[str, int],
    units: dict[str, int],
    flags: set[str],
) -> None:
    tally = Tally()
    count_input(tally, *counts, listed, cached_listed)
    assert (tally.units, tally.flags) == (units, flags)
    assert sum(units.values()) == counts[0]


def test_protobuf_numbers_modalities_as_google_does() -> None:
    rows = [{"modality": number, "tokenCount": 10 + number} for number in range(7)]
    assert by_modality(Tally(), rows) == {"image": 12, "video": 13, "audio": 14, "document": 15}


def test_what_is_left_of_an_output_is_text() -> None:
    tally = Tally()
    assert count_output(tally, "output", 10, {"audio": 3, "image": 9}) == 0
    assert (tally.units, tally.flags) == ({"output_audio": 3, "output_image": 7}, {"clamped"})
