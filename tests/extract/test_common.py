"""The common shape of OpenAI's usage, read in one go: as the tally reads it, or left to the tally."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.spelled import usages

from outlay.core.usage import ordered
from outlay.extract import chat
from outlay.extract.answers import usage_in
from outlay.extract.chat import count_chat, read_chat
from outlay.extract.common import CHAT, PAID, RESPONSES, Names, common_items, common_usage
from outlay.extract.tally import Tally


def agrees(usage: dict[str, Any], names: Names, provider: str) -> None:
    quick = common_items(usage, names)
    if quick is None:
        return
    tally = Tally()
    count_chat(tally, usage, provider)
    assert (quick, set(), None) == (ordered(tally.units), tally.flags, tally.reason)


@given(usages(CHAT), st.sampled_from(["openai", "xai", "mistral", "google", "a stranger"]))
@example({"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": True}, "openai")
def test_a_chat_that_is_read_in_one_go_has_the_units_of_the_tally(
    usage: dict[str, Any], provider: str
) -> None:
    agrees(usage, CHAT, provider)


@given(usages(RESPONSES))
def test_a_response_that_is_read_in_one_go_has_the_units_of_the_tally(usage: dict[str, Any]) -> None:
    agrees(usage, RESPONSES, "")


def test_what_most_answers_state_is_read_in_one_go() -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 10,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    units = (("input", 600), ("cache_read", 400), ("output", 90), ("reasoning", 10))
    assert common_items(usage, CHAT) == units
    assert common_items({**usage, "total_tokens": 1101}, CHAT) is None
    assert common_items({**usage, "citation_tokens": 5}, CHAT) is None


@given(
    usages(PAID),
    st.sampled_from(["openai", "openrouter", "deepseek", "groq", "xai", "google"]),
    st.dictionaries(
        st.sampled_from(["id", "model", "service_tier", "provider"]), st.sampled_from(["a", "B", ""])
    ),
)
def test_an_answer_that_is_read_in_one_go_is_the_same_whole_usage(
    usage: dict[str, Any], provider: str, around: dict[str, str]
) -> None:
    body = {**around, "usage": usage}
    quick = read_chat(body, provider)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat, "common_usage", lambda *_: None)
        assert quick == read_chat(body, provider)


@given(usages(PAID))
def test_the_copy_is_plain_and_the_callers_own_object_is_not_kept(usage: dict[str, Any]) -> None:
    common = common_usage(usage, PAID)
    if common is None:
        return
    assert common[1] == usage_in(usage)
    kept = [common[1], *(value for value in common[1].values() if isinstance(value, dict))]
    theirs = [usage, *(value for value in usage.values() if isinstance(value, dict))]
    assert not {id(each) for each in kept} & {id(each) for each in theirs}


@pytest.mark.parametrize("details", ["prompt_tokens_details", "completion_tokens_details"])
def test_what_was_cached_is_found_beside_details_that_do_not_say_it(details: str) -> None:
    counts = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
    usage = {**counts, details: {"audio_tokens": 0}, "num_cached_tokens": 6}
    assert common_items(usage, CHAT) == (("input", 4), ("cache_read", 6), ("output", 4))


@pytest.mark.parametrize("details", ["prompt_tokens_details", "completion_tokens_details"])
def test_what_a_cost_is_made_of_is_copied_beside_details(details: str) -> None:
    counts: dict[str, Any] = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
    of_cost = {"upstream_inference_cost": 1}
    found = common_usage({**counts, details: {}, "cost_details": of_cost}, PAID)
    of_cost.clear()
    assert found is not None
    assert found[1]["cost_details"] == {"upstream_inference_cost": 1}
