"""What every family of answers has: names, a tier, an error, and what is said where no usage is."""

from typing import Any

import pytest

from outlay.extract import known_operation, read
from outlay.extract.answers import names_in, tier_in

LONG = "x" * 257


@pytest.mark.parametrize(
    ("name", "read_as"),
    [("m", "m"), ("", None), (None, None), (7, None), (["m"], None), ("é", "é"), (LONG, LONG[:256])],
)
def test_a_name_is_a_text_of_at_most_256_letters(name: Any, read_as: str | None) -> None:
    assert names_in({"model": name, "id": "r"}) == (read_as, "r")
    assert names_in({"model": "m", "id": name}) == ("m", read_as)


@pytest.mark.parametrize(
    ("tier", "read_as"),
    [("Flex", "flex"), ("", "scale"), (7, "scale"), (None, "scale"), (LONG, LONG[:256]), ("É", "é")],
)
def test_the_tier_is_the_first_that_is_stated_in_small_letters(tier: Any, read_as: str) -> None:
    assert tier_in({"service_tier": tier}, {"service_tier": "Scale"}) == read_as
    assert tier_in({"service_tier": tier}) == (None if read_as == "scale" else read_as)


def test_an_answer_without_usage_has_its_names_and_its_tier() -> None:
    usage = read({"model": "m", "id": "r", "service_tier": "flex"}, provider="openai", api="chat")
    assert (usage.model, usage.response_id, usage.terms) == ("m", "r", (("service_tier", "flex"),))
    assert (usage.reason, usage.flags) == ("the response states no usage", ())
    assert read({"model": "m"}, provider="openai", api="chat").terms == ()


def test_an_api_has_an_operation_where_it_is_known() -> None:
    assert [known_operation(api) for api in ("messages", "chatt", None, 7, ["chat"])] == ["chat", *[None] * 4]


def test_a_line_of_a_batch_by_its_key_is_read_by_what_is_in_it() -> None:
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 4, "totalTokenCount": 14}
    line = {"key": "k-1", "response": {"usageMetadata": counts}}
    usage = read(line, provider="google", api="generate_content")
    assert usage.units == {"input": 10, "output": 4}
    assert usage.terms == (("batch", "true"),)
