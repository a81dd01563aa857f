"""One call under way: what wins over what, whichever way its line is made."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from tests.support.unmade import Unmade
from tests.support.wire import Kept

from outlay.capture import Call, Recorder, context
from outlay.capture.answers import FAILED
from outlay.capture.call import PARTIAL
from outlay.capture.texts import Texts
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.pricing import Book, cost_of, tariff_of

USED = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
ANSWER = {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "usage": USED}


@pytest.fixture
def unmade() -> Unmade:
    return Unmade()


@pytest.fixture
def filling(unmade: Unmade, recorder: Recorder) -> Recorder:
    """Give a recorder whose usual calls are filled into forms."""
    tariff = partial(tariff_of, book=Book.default())
    return Recorder(unmade, clock=recorder.clock, price=cost_of, tags={"service": "web"}, tariff=tariff)


def chat(recorder: Recorder) -> Call:
    return Call(recorder, provider="openai", api="chat", model="gpt-4o")


def test_the_tier_that_served_is_the_price_though_another_was_asked_for(
    recorder: Recorder, kept: Kept
) -> None:
    call = chat(recorder)
    call.terms = {"service_tier": "flex", "batch": "true"}
    call.finish(Usage.of({"input": 1000}).with_terms(service_tier="default"))
    assert dict(kept.only.usage.terms) == {"service_tier": "default", "batch": "true"}


def test_a_stated_cost_is_a_calls_though_its_tokens_are_not_told(recorder: Recorder, kept: Kept) -> None:
    chat(recorder).finish(Usage(reason="no tokens are told", reported_cost=Decimal("0.01")))
    assert (kept.only.cost, kept.only.cost_status) == (Decimal("0.01"), "reported")


def test_what_came_before_a_call_failed_is_a_part(recorder: Recorder, kept: Kept) -> None:
    chat(recorder).fail(TimeoutError("late"), Usage.of({"input": 1000}))
    assert (kept.only.status, kept.only.input_tokens) == ("error", 1000)
    assert (PARTIAL in kept.only.flags, kept.only.usage.reason) == (True, FAILED)


def test_a_call_beside_began_when_the_first_one_did(recorder: Recorder, kept: Kept) -> None:
    first = chat(recorder)
    other = first.beside()
    first.finish(Usage.of({"input": 1}))
    other.finish(Usage.of({"input": 2}))
    assert len(kept.records) == 2
    # The stopwatch was looked at for the other's own beginning, too.
    assert [each.latency_ms for each in kept.records] == [2000.0, 3000.0]


def test_each_request_after_the_first_is_a_retry(recorder: Recorder, kept: Kept) -> None:
    for attempts in (0, 1, 3):
        call = chat(recorder)
        for _ in range(attempts):
            call.attempt()
        call.finish(Usage.of({"input": 1}))
    assert [each.retries for each in kept.records] == [0, 0, 2]


def test_a_form_is_no_form_of_calls_on_other_terms(filling: Recorder, unmade: Unmade) -> None:
    for terms in ({}, {"batch": "true"}, {}):
        call = chat(filling)
        call.terms = dict(terms)
        call.answer(ANSWER)
    plain, batch, again = (each.json() for each in unmade.taken)
    assert (plain["cost"], batch["cost"], again["cost"]) == ("0.0035", "0.00175", "0.0035")


def test_a_tag_of_the_context_stands_over_the_recorders_in_a_form_too(
    filling: Recorder, unmade: Unmade
) -> None:
    for service in ("web", "mail"):
        with context(service=service):
            chat(filling).answer(ANSWER)
    assert [each.json()["tags"] for each in unmade.taken] == [{"service": "web"}, {"service": "mail"}]


def test_an_answer_that_was_billed_and_failed_is_no_success_of_its_form(
    filling: Recorder, unmade: Unmade
) -> None:
    chat(filling).answer(ANSWER)
    usage = read(ANSWER, provider="openai", api="chat")
    chat(filling).reject(ValueError("not the JSON that was asked for"), usage)
    worked, failed = (each.json() for each in unmade.taken)
    assert [each["cost"] for each in (worked, failed)] == ["0.0035"] * 2
    assert (failed["status"], failed["error_type"]) == ("error", "ValueError")


def test_words_that_are_kept_by_choice_are_in_no_form(unmade: Unmade, recorder: Recorder) -> None:
    tariff: Any = partial(tariff_of, book=Book.default())
    keeping = Recorder(unmade, clock=recorder.clock, price=cost_of, tariff=tariff, texts=Texts())
    for words in ("hello", "good bye"):
        message = {"role": "assistant", "content": words}
        chat(keeping).answer(ANSWER | {"choices": [{"index": 0, "message": message}]})
    assert [each.json().get("reply") for each in unmade.taken] == ["hello", "good bye"]
