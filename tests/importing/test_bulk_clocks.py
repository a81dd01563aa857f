"""Instants that are read the quick way are those that the pattern of all there are would give."""

from datetime import datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.importing.bulk.clocks import as_written

ODD = " +-:.TZtz09é\t\n\v"
SAMPLES = [
    f"2026-10-01{between}23:59:58{places}{zone}"
    for between in "T "
    for places in ("", ".5", ".550", ".000001")
    for zone in ("", "Z")
]


def quick(text: str, sample: str) -> Any:
    """Read a text as one that is written as a sample."""
    found = as_written("text", sample)
    assert found is not None
    with duckdb.connect() as engine:
        texts = engine.from_query("SELECT ? AS text", params=[text])
        return texts.project(found.clock).fetchall()[0][0]


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_reads_itself(sample: str) -> None:
    assert quick(sample, sample) == datetime.fromisoformat(sample.removesuffix("Z"))
    found = as_written("text", sample)
    assert found is not None
    assert found.is_local == (not sample.endswith("Z"))


@pytest.mark.parametrize(
    "sample", [None, "", "1790000000", "2026-10-01", "2026-10-01T10:00:00+02:00", "1999-10-01 10:00:00"]
)
def test_what_is_no_usual_way_is_left_to_the_pattern(sample: str | None) -> None:
    assert as_written("text", sample) is None


@pytest.mark.parametrize(
    "text",
    ["2026-10-1  23:59:58", "2026-10-01  3:59:58", "2026-10-01 23:59:5 ", "2026-10-9\t 23:59:58"],
)
def test_blanks_in_the_place_of_digits_are_no_digits(text: str) -> None:
    assert quick(text, "2026-10-01 23:59:58") is None


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 26), st.sampled_from(ODD)), max_size=3),
)
def test_no_text_is_read_that_python_reads_otherwise(sample: str, odd: list[tuple[int, str]]) -> None:
    text = list(sample)
    for place, sign in odd:
        text[place % len(text)] = sign
    read = quick("".join(text), sample)
    if read is not None:
        assert read == datetime.fromisoformat("".join(text).removesuffix("Z"))
