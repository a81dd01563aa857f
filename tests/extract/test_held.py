"""A response held: what bears on its usage stays as it was, and the rest is let go."""

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.extract import collector, held

USAGES = st.sampled_from(
    [
        None,
        {},
        {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        {"prompt_tokens": 3, "completion_tokens": None, "total_tokens": None},
        {
            "prompt_tokens": 9,
            "completion_tokens": 4,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 2},
        },
        {"prompt_tokens": -1, "completion_tokens": 4, "cost": "0.5"},
    ]
)
CHOICES = st.sampled_from(
    [
        [],
        [{"delta": {"content": "a"}}],
        [{"delta": {}, "finish_reason": "stop"}],
        [{"delta": {}, "usage": {"prompt_tokens": 5, "completion_tokens": 6}}],
    ]
)
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["c-1", ""]),
        "model": st.sampled_from(["gpt-4o", "", None]),
        "service_tier": st.sampled_from([None, "flex"]),
        "choices": CHOICES,
        "usage": USAGES,
        "x_groq": st.just({"usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
        "error": st.just({"type": "overloaded"}),
    },
)


@given(st.lists(CHUNKS, max_size=8), st.sampled_from(["openai", "azure", "groq", "moonshotai"]))
def test_a_chat_stream_that_is_held_says_what_it_said(chunks: list[dict[str, Any]], provider: str) -> None:
    stream: Any = collector(provider, "chat")
    for number, chunk in enumerate(chunks):
        # as a live stream is watched: what comes after the first chunk may be taken the short way
        (stream.add if not number else getattr(stream, "rest", stream.add))(chunk)
    before = stream.complete, stream.usage(), stream.as_body()
    stream.hold()
    assert (stream.complete, stream.usage()) == before[:2]
    assert (stream.as_body() is None) == (before[2] is None)


class Chunk:
    """A chunk as an SDK makes it, of which one can tell whether it is still there."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


@pytest.mark.parametrize("along", [False, True], ids=["at the end", "with each chunk"])
@pytest.mark.parametrize("provider", ["openai", "groq"])
def test_the_chunks_of_a_stream_that_is_whole_are_let_go_before_it_is_read(
    provider: str,
    along: bool,  # noqa: FBT001  # a parameter
) -> None:
    stream: Any = collector(provider, "chat")
    counted = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    chunks = [
        Chunk(id="c-1", model="m", choices=[Chunk()], usage=Chunk(**counted) if along else None)
        for _ in range(9)
    ]
    ending = [Chunk(finish_reason="stop")] if along else []
    chunks.append(Chunk(id="c-1", model="m", choices=ending, usage=Chunk(**counted)))
    there = [weakref.ref(each) for chunk in chunks for each in (chunk, *chunk.__dict__["choices"])]
    for chunk in chunks:
        stream.add(chunk)
    stream.hold()
    del chunk, chunks, ending
    gc.collect()
    assert [one for one in there if one() is not None] == []
    assert stream.usage().units == {"input": 3, "output": 4}


@pytest.mark.parametrize("ends", [True, False])
def test_what_becomes_of_the_usages_of_a_held_stream_changes_nothing(ends: bool) -> None:  # noqa: FBT001  # a parameter
    stream: Any = collector("openai", "chat")
    usages: list[dict[str, Any]] = [
        {"prompt_tokens": 3},
        {"prompt_tokens": None, "completion_tokens": 4, "total_tokens": 7},
    ]
    stream.add({"model": "m", "choices": [{"delta": {}}], "usage": usages[0]})
    stream.add({"model": "", "choices": [] if ends else [{"delta": {}}], "usage": usages[1]})
    stream.hold()
    for each in usages:
        each.clear()
    found = stream.usage()
    assert (found.units, found.model) == ({"input": 3, "output": 4}, "m")
    assert found.flags == (() if ends else ("partial",))


def test_what_becomes_of_a_response_after_its_stream_is_held_changes_nothing() -> None:
    stream: Any = collector("openai", "responses")
    response: dict[str, Any] = {
        "model": "m",
        "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
    }
    stream.add({"type": "response.created", "response": {"model": "m", "status": "in_progress"}})
    stream.rest({"type": "response.completed", "response": response})
    stream.hold()
    response["usage"] = None
    found = stream.usage()
    assert (found.units, found.model, found.flags) == ({"input": 3, "output": 4}, "m", ())


def test_of_a_usage_with_each_chunk_only_a_few_are_held() -> None:
    stream: Any = collector("openai", "chat")
    usages = [Chunk(prompt_tokens=3, completion_tokens=each, total_tokens=3 + each) for each in range(200)]
    there = [weakref.ref(each) for each in usages]
    for each in usages:
        stream.add(Chunk(id="c-1", model="m", choices=[Chunk(finish_reason="stop")], usage=each))
    del each, usages
    gc.collect()
    assert sum(one() is not None for one in there) <= 65
    assert stream.usage().units == {"input": 3, "output": 199}


def test_a_usage_that_is_no_object_is_held_as_it_was() -> None:
    odd = [1, "x"]
    kept = held({"usage": odd}, "chat")
    odd.append(2)
    assert kept == {"usage": [1, "x"]}


def test_a_body_that_is_still_text_is_held_unless_it_is_long() -> None:
    assert held("{}", "chat") == "{}"
    assert held(b"{}", "chat") == b"{}"
    assert held("x" * 65_537, "chat") is None
    assert held("x" * 65_536, "chat") is not None


def test_what_becomes_of_the_deltas_of_a_held_message_changes_nothing() -> None:
    stream: Any = collector("anthropic", "messages")
    usage = {"output_tokens": 4}
    stream.add({"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 3}}})
    stream.add({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})
    stream.hold()
    usage.clear()
    assert stream.usage().units == {"input": 3, "output": 4}
