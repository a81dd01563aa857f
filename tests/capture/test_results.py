"""Reading what a function gave back: an SDK's response, counts under any of their names, or nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from outlay.capture.results import read_counts, read_result
from outlay.core.errors import UsageError
from outlay.core.usage import Usage

ANTHROPIC = {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 9}
OPENAI = {"prompt_tokens": 1000, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 400}}
OURS = {"input_tokens": 1000, "cached_tokens": 400, "output_tokens": 9}


@pytest.mark.parametrize("usage", [ANTHROPIC, OPENAI, OURS])
def test_usage_is_read_by_the_rules_of_its_own_names(usage: dict[str, Any]) -> None:
    plain = {"model": "m", "usage": usage}
    for result in (plain, SimpleNamespace(model="m", usage=SimpleNamespace(**usage))):
        reading = read_result(result)
        assert reading.model == "m"
        assert (reading.usage.input_tokens, reading.usage.cached_tokens) == (1000, 400)


@pytest.mark.parametrize("names", [("prompt_tokens", "completion_tokens"), ("tokens_input", "tokens_output")])
def test_counts_have_second_names(names: tuple[str, str]) -> None:
    usage = read_counts(dict(zip(names, (10, 5), strict=True)))
    assert usage.units == {"input": 10, "output": 5}


def test_a_usage_of_ours_is_taken_as_it_is() -> None:
    usage = Usage.of({"input": 1, "web_search": 2})
    assert read_counts(usage) is usage


@pytest.mark.parametrize("result", [None, "text", b"", 5, [], {}, SimpleNamespace(content="x"), object()])
def test_a_result_without_usage_says_why(result: Any) -> None:
    usage = read_result(result).usage
    assert usage.items == ()
    assert usage.reason


@pytest.mark.parametrize("usage", [{"input_tokens": -1}, {"input_tokens": 1.5, "output_tokens": 1}, {}])
def test_counts_that_cannot_be_are_refused(usage: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        read_counts(usage)
