"""Stream text into events, by the rules of the HTML standard and what servers make of them."""

import pytest

from outlay.core.errors import ResponseError
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
