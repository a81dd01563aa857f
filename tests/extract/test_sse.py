"""Stream text into events, by the rules of the HTML standard and what servers make of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.core.errors import ResponseError
from outlay.core.usage import Usage
from outlay.extract import APIS, closing_of, read, words_of
from outlay.extract.sse import events_of


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_ends_a_line(ending: str) -> None:
    text = ending.join(['data: {"a": 1}', "", 'data: {"a": 2}', "", "data: [DONE]", "", ""])

    assert events_of(text) == [{"a": 1}, {"a": 2}]


def test_data_over_several_lines_is_one_event() -> None:
    assert events_of('data: {"a":\ndata: 1}\n\n') == [{"a": 1}]


def test_names_ids_and_comments_are_passed_over() -> None:
    assert events_of(': ping\nevent: x\nid: 7\nretry: 10\ndata: {"a": 1}\n\n') == [{"a": 1}]


def test_a_mark_of_byte_order_is_passed_over() -> None:
    assert events_of('\ufeffdata: {"a": 1}\n\n') == [{"a": 1}]


def test_no_space_after_the_colon_is_needed() -> None:
    assert events_of('data:{"a": 1}\n\n') == [{"a": 1}]


def test_the_last_event_needs_no_blank_line() -> None:
    assert events_of('data: {"a": 1}\n\ndata: {"a": 2}') == [{"a": 1}, {"a": 2}]


def test_events_without_blank_lines_between_them() -> None:
    assert events_of('data: {"a": 1}\ndata: {"a": 2}\ndata: [DONE]\n') == [{"a": 1}, {"a": 2}]


def test_an_event_that_was_cut_off_is_left_out() -> None:
    assert events_of('data: {"a": 1}\n\ndata: {"a": ') == [{"a": 1}]


def test_json_lines() -> None:
    assert events_of('{"a": 1}\n\n{"a": 2}\n{"a": ') == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("text", ["", "hello", "data: [DONE]\n\n", "data: x\n\n"])
def test_text_without_an_event_is_refused(text: str) -> None:
    with pytest.raises(ResponseError, match="no event in this text"):
        events_of(text)


PIECES = st.sampled_from(
    [
        {"id": "a", "model": "m", "choices": [{"index": 0, "delta": {"content": "x"}}], "usage": None},
        {"model": "m", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
        {"choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
        {"type": "message_start", "message": {"model": "c", "usage": {"input_tokens": 5}}},
        {"type": "content_block_delta", "delta": {"text": '"usage" "message_delta"'}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        {"type": "response.created", "response": {"model": "r", "status": "in_progress"}},
        {"type": "response.output_text.delta", "delta": "x"},
        {"type": "response.completed", "response": {"usage": {"input_tokens": 3, "output_tokens": 1}}},
        {"type": "error", "error": {"type": "overloaded"}},
        {"candidates": [{"content": {}}], "usageMetadata": {"promptTokenCount": 4}},
        {"candidates": [{"groundingMetadata": {"webSearchQueries": ["q"]}}]},
        {"candidates": [{"finishReason": "STOP"}], "modelVersion": "g"},
        {"type": "message-start", "id": "k"},
        {"type": "message-end", "delta": {"usage": {"billed_units": {"input_tokens": 2}}}},
        {"metadata": {"usage": {"inputTokens": 6, "outputTokens": 1, "totalTokens": 7}}},
        {"interaction": {"model": "i", "usage": {"total_input_tokens": 8}}},
        {"type": "transcript.text.done", "usage": {"type": "duration", "seconds": 3}},
        {"type": "response.done", "response": {"usage": {"input_tokens": 2, "output_tokens": 2}}},
        {"chunk": {"usage": {"promptTokens": 2}}},
        {"done": True, "prompt_eval_count": 3, "eval_count": 2},
        {"caf\u00e9": '"usage"'},
        7,
    ]
)
FRAMES = st.sampled_from(
    ["data: {}\n\n", "event: x\ndata: {}\n\n", "data:{}\n\n\n", "data: {}\n", ": ping\n\ndata: {}\n\n"]
)
TAILS = st.sampled_from(
    [
        *("", "data: [DONE]\n\n", 'data: {"usage": {"prompt', "\n\n", "event: end\n\n", "event: end"),
        *("data: [DONE]", "\ndata: [DONE]\n\n\n", "data: [DONE]\n\ndata: [DONE]\n\n", "data:[DONE]\n\n"),
    ]
)


@given(
    st.sampled_from(APIS),
    st.lists(st.tuples(PIECES, FRAMES, st.booleans()), min_size=1, max_size=8),
    TAILS,
)
def test_events_that_say_nothing_of_usage_can_be_left_undecoded(
    api: str, pieces: list[tuple[Any, str, bool]], tail: str
) -> None:
    text = ""
    for event, frame, spaced in pieces:
        written = json.dumps(event, separators=None if spaced else (",", ":"))
        text += frame.replace("{}", written)
    text += tail
    few = events_of(text, bears=words_of(api), closing=closing_of(api))
    assert answer(few, api) == answer(events_of(text), api)


def answer(events: list[Any], api: str) -> Usage | str:
    try:
        return read(events, provider="openai", api=api)
    except ResponseError as error:
        return str(error)


def test_only_the_ends_and_what_bears_on_usage_are_decoded() -> None:
    texts = ['{"first":1}', '{"delta":1}', '{"usage":null}', '{"usage":{}}', '{"delta":2}', '{"last":1}']
    text = "".join(f"data: {each}\n\n" for each in texts)
    assert events_of(text, bears=('"usage"',)) == [{"first": 1}, {"usage": {}}, {"last": 1}]
    assert events_of(text, bears=()) == [{"first": 1}, {"last": 1}]
    assert len(events_of(text)) == len(texts)


def test_an_event_that_says_all_is_decoded_alone() -> None:
    end = '{"type":"response.completed","response":{}}'
    text = f'data: {{"type":"response.created"}}\n\ndata: {end}\n\ndata: [DONE]\n\n'
    assert events_of(text, bears=(), closing=closing_of("responses")) == [json.loads(end)]
    assert len(events_of(text, bears=(), closing=closing_of("chat"))) == 2
    other = text + 'data: {"type":["response.completed"]}\n\n'
    assert len(events_of(other, bears=words_of("responses"), closing=closing_of("responses"))) == 3


@pytest.mark.parametrize(
    ("blocks", "found"),
    [
        (['{"first":1}', '{"last":1}', "7"], [{"first": 1}, {"last": 1}]),  # a number is no last event
        (['{"first":1}', '{"mid":1}', '7\ndata: {"last":1}'], [{"first": 1}, 7, {"last": 1}]),
        (['{"first":1}', '{"usage":{}}', '{"last":1}'], [{"first": 1}, {"usage": {}}, {"last": 1}]),
        (
            ['{"first":1}', '{"usage":{}}', '{"usage":1}', "{}"],
            [{"first": 1}, {"usage": {}}, {"usage": 1}, {}],
        ),
    ],
)
@pytest.mark.parametrize("head", ["", "event: x\n"])
def test_each_event_that_bears_on_usage_is_found_once(blocks: list[str], found: list[Any], head: str) -> None:
    text = "".join(f"{head}data: {each}\n\n" for each in blocks)
    assert events_of(text, bears=('"usage"',)) == found


@pytest.mark.parametrize(
    "text",
    [
        'event: x\ndata: {"a": 1}\n\n',
        'event: x\ndata:{"a": 1}\n\n',
        'event: x\ndata: {"a":\ndata\ndata: 1}\n\n',
        'retry: 3\ndata: {"a": 1}\n\n',
        '\n\nid: 3\ndata: {"a": 1}\n\nevent: end\n\n',
        "\ndata\n\n" + 'data: {"a": 1}\n\n',
        'data: {"a": 1}\n\ndata: [DONE]\n\n',
        'broken\n{"a": 1}\n',
        'id: 123456\ndata: {"a": 1}\n\n',
    ],
)
def test_every_way_of_writing_one_event(text: str) -> None:
    assert events_of(text) == [{"a": 1}]


def test_odd_frames_around_few_events() -> None:
    assert events_of("data: [1]\n\n") == [[1]]
    pinged = ': ping\n\ndata: {"first":1}\n\ndata: {"mid":1}\n\ndata: {"last":1}\n\n'
    assert events_of(pinged, bears=('"usage"',)) == [{"first": 1}, {"last": 1}]
    joined = 'data: {"first":1}\n\ndata: 7\ndata: {"type":"end"}\n\n'
    assert events_of(joined, bears=(), closing=("end",)) == [7, {"type": "end"}]


def test_a_word_that_is_written_with_an_escape_is_found() -> None:
    texts = ['{"first":1}', '{"delta":1}', '{"us\\u0061ge":{}}', '{"delta":"\\n"}', '{"last":1}']
    text = "".join(f"data: {each}\n\n" for each in texts)
    assert events_of(text, bears=('"usage"',)) == [{"first": 1}, {"usage": {}}, {"last": 1}]
