"""OpenAI's responses: hosted tools beside the counts, sizes that xAI states, and streams that break."""

from typing import Any

import pytest

from outlay.core.usage import ordered
from outlay.extract import collector, read
from outlay.extract.drawing import count_images
from outlay.extract.tally import Tally

USED = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}


def response(provider: str = "openai", **fields: Any) -> Any:
    return read({"model": "m", "usage": USED, **fields}, provider=provider, api="responses")


@pytest.mark.parametrize(
    ("drawing", "units"),
    [
        ({"input_tokens": 3, "output_tokens": 0}, {"input": 3}),
        ({"input_tokens": 0, "output_tokens": 5}, {"output": 5}),
        ({"input_tokens": 3, "output_tokens": 5, "output_tokens_details": {"image_tokens": 5}},
         {"input": 3, "output_image": 5}),
    ],
)  # fmt: skip
def test_what_the_image_tool_used_is_a_part_of_its_own_model(
    drawing: dict[str, Any], units: dict[str, int]
) -> None:
    tools = [
        {"type": "web_search"},
        {"type": "image_generation", "model": "painter"},
        {"type": "x", "model": "y"},
    ]
    usage = response(tool_usage={"image_gen": drawing}, tools=tools)
    own, part = usage.parts
    assert (own.model, own.units) == ("m", {"input": 10, "output": 4})
    assert (part.model, part.units) == ("painter", units)


CACHED = {"cached_tokens": 9, "cached_tokens_details": {"cached_image_tokens": 6, "cached_text_tokens": 3}}


@pytest.mark.parametrize(
    ("cached", "units", "flags"),
    [
        (CACHED, {"input": 1, "input_image": 2, "cache_read": 3, "cache_read_image": 6}, ()),
        ({"cached_tokens": 0}, {"input": 4, "input_image": 8}, ()),
        ({"cached_tokens": 3}, {"input": 1, "input_image": 8, "cache_read": 3}, ()),
        ({"cached_tokens": 13}, {"cache_read": 12}, ("clamped",)),
        ({"tokens_of_tomorrow": 3}, {"input": 4, "input_image": 8}, ("unknown_keys",)),
        ({"input_tokens_details": {"sound_tokens": 3}}, {"input": 12}, ("unknown_keys",)),
    ],
)
def test_what_the_image_tool_read_from_a_cache_is_no_fresh_input(
    cached: dict[str, Any], units: dict[str, int], flags: tuple[str, ...]
) -> None:
    drawing = {"input_tokens": 12, "input_tokens_details": {"text_tokens": 4, "image_tokens": 8}, **cached}
    drawing |= {"output_tokens": 5, "output_tokens_details": {"image_tokens": 5}, "total_tokens": 17}
    found = response(tool_usage={"image_gen": drawing})
    assert found.parts[1].units == {**units, "output_image": 5}
    assert found.flags == flags


def test_the_authoring_of_an_svg_that_a_response_drew_is_another_model_s() -> None:
    svg = {"model": "author", **USED, "output_tokens": 9, "reasoning_tokens": 2, "total_tokens": 19}
    drawn = {"type": "image_generation_call", "svg_usage": svg}
    output = [{"type": "message"}, drawn, {"type": "image_generation_call"}, drawn]
    drawing = {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}
    whole = response(output=output, tool_usage={"image_gen": drawing})
    assert [(part.model, part.units) for part in whole.parts] == [
        ("m", {"input": 10, "output": 4}),
        (None, {"input": 3, "output": 5}),
        *2 * [("author", {"input": 10, "output": 7, "reasoning": 2})],
    ]
    assert whole.units == {"input": 33, "output": 23, "reasoning": 4}
    alone = response(output=[drawn])
    assert [part.model for part in alone.parts] == ["m", "author"]
    stream = collector("openai", "responses")
    stream.add({"type": "response.completed", "response": {"model": "m", "usage": USED, "output": output}})
    assert len(stream.usage().parts) == 3


def test_a_tool_that_drew_nothing_is_no_part() -> None:
    usage = response(tool_usage={"image_gen": {"input_tokens": 0}, "web_search": {"num_requests": 2}})
    assert (usage.parts, usage.units) == ((), {"input": 10, "output": 4, "web_search": 2})


@pytest.mark.parametrize(("stated", "size"), [(0, None), (1, 1), (9, 9), (10, None), (11, None), ("9", None)])
def test_the_size_of_the_last_context_is_one_that_lies_below_the_sum(stated: Any, size: int | None) -> None:
    usage = {**USED, "context_details": {"input_tokens": stated}}
    assert response("xai", usage=usage).context_tokens == size


@pytest.mark.parametrize(
    ("usage", "units", "flags"),
    [
        ({"output_tokens": 5, "total_tokens": 5}, {"output": 5}, set()),
        ({"input_tokens": 5, "total_tokens": 5}, {"input": 5}, set()),
        (
            {"input_tokens": 5, "output_tokens": 2, "total_tokens": 8},
            {"input": 5, "output": 2},
            {"total_mismatch"},
        ),
    ],
)
def test_drawing_counts_the_sides_that_are_stated(
    usage: dict[str, int], units: dict[str, int], flags: set[str]
) -> None:
    tally = Tally()
    count_images(tally, usage)
    assert (dict(ordered(tally.units)), tally.flags) == (units, flags)


@pytest.mark.parametrize(
    ("status", "flags", "reason"),
    [
        ("queued", ("partial",), "the response is queued: its usage comes when it is done"),
        ("completed", (), "the response states no usage"),
    ],
)
def test_a_response_without_usage_says_whether_one_may_come(
    status: str, flags: tuple[str, ...], reason: str
) -> None:
    usage = response(usage=None, status=status)
    assert (usage.flags, usage.reason) == (flags, reason)


@pytest.mark.parametrize(
    "error",
    [{"type": "error", "code": "rate_limit"}, {"type": "error", "error": {"code": "rate_limit"}}],
)
def test_a_stream_that_breaks_says_by_which_error(error: dict[str, Any]) -> None:
    stream: Any = collector("openai", "responses")
    stream.add({"type": "response.created", "response": {"id": "r", "model": "m", "status": "in_progress"}})
    before = stream.usage()
    assert (before.model, before.flags, before.reason) == (
        "m",
        ("partial",),
        "the stream ended before its usage",
    )
    stream.add(error)
    assert (stream.complete, stream.as_body()) == (False, None)
    assert stream.usage().reason == "the provider answered with an error: rate_limit"
    assert set(stream.usage().flags) == {"error", "partial"}


@pytest.mark.parametrize(
    ("used", "flags"),
    [
        ({"num_sessions": 3}, ("unknown_keys",)),
        ({"kinds": [{"n": 1}]}, ("unknown_keys",)),
        ({"n": 0}, ()),
        (None, ()),
    ],
)
def test_a_hosted_tool_that_is_not_known_is_said_where_it_was_used(used: Any, flags: tuple[str, ...]) -> None:
    tools = {"web_search": {"num_requests": 1}, "image_gen": {"input_tokens": 0}, "shell": used}
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    found = read({"usage": usage, "tool_usage": tools}, provider="openai", api="responses")
    assert (found.units, found.flags) == ({"input": 3, "output": 4, "web_search": 1}, flags)


SEARCH = {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "a"}}
OPENED = {"type": "web_search_call", "status": "completed", "action": {"type": "open_page", "url": "u"}}
FOUND = {"type": "web_search_call", "status": "completed", "action": {"type": "find_in_page", "pattern": "p"}}
SEVERAL = {"type": "web_search_call", "action": {"type": "search", "queries": ["a", "b", "c"]}}
FILES = {"type": "file_search_call", "status": "completed", "queries": ["a", "b"]}
RAN = {"type": "code_interpreter_call", "container_id": "c1"}
SHELL = {"type": "shell_call", "environment": {"type": "container_reference", "container_id": "c1"}}
TOLD = {"web_search": {"num_requests": 2}, "image_gen": {"input_tokens": 0, "output_tokens": 0}}


@pytest.mark.parametrize(
    ("output", "more", "units"),
    [
        ([SEARCH, OPENED, FOUND, SEARCH], {}, {"web_search": 2}),
        ([OPENED, FOUND], {}, {}),
        ([{"type": "web_search_call", "status": "searching", "action": {}}], {}, {"web_search": 1}),
        ([SEVERAL], {}, {"web_search": 1, "uncertain_searches": 2}),
        ([{**SEARCH, "status": "failed"}], {}, {"uncertain_searches": 1}),
        ([SEARCH, SEVERAL, OPENED], {"tool_usage": TOLD}, {"web_search": 2}),
        ([SEARCH], {"tool_usage": {"web_search": {"num_requests": 0}}}, {}),
        ([{"type": "web_search_call", "action": {"type": "find", "pattern": "p"}}], {}, {}),
        ([FILES, FILES], {"tool_usage": TOLD}, {"web_search": 2, "file_search": 2}),
        ([FILES], {"tool_usage": {"web_search": {"num_requests": 0}}}, {"file_search": 1}),
        ([RAN, RAN, {**RAN, "container_id": "c2"}, SHELL], {}, {"code_interpreter": 2}),
        ([{"type": "code_interpreter_call"}, {"type": "code_interpreter_call"}], {}, {"code_interpreter": 1}),
        ([{"type": "shell_call", "environment": {"type": "local"}}, {"type": "shell_call"}], {}, {}),
        ([{"type": "mcp_call"}, {"type": "function_call"}, None, "x"], {}, {}),
        ([{"type": "image_generation_call", "status": "completed"}], {}, {"image_generation": 1}),
        ([{"type": "image_generation_call", "status": "failed"}], {}, {}),
    ],
)  # fmt: skip
def test_calls_of_hosted_tools_are_counted_by_the_answer_s_items(
    output: list[Any], more: dict[str, Any], units: dict[str, int]
) -> None:
    whole = {"model": "m", "usage": USED, "output": output, **more}
    assert read(whole, provider="openai", api="responses").units == {"input": 10, "output": 4, **units}
    stream = collector("openai", "responses")
    stream.add({"type": "response.completed", "response": whole})
    assert stream.usage().units == {"input": 10, "output": 4, **units}


@pytest.mark.parametrize(
    ("provider", "effort", "unit"),
    [
        ("openai", None, "web_search_preview"),
        ("openai", "medium", "web_search"),
        ("openai", "none", "web_search"),
        ("azure", None, "web_search"),
    ],
)
@pytest.mark.parametrize("told", [None, {"web_search": {"num_requests": 1}}])
def test_the_preview_of_web_search_is_a_tool_of_its_own_where_nothing_reasons(
    provider: str, effort: str | None, unit: str, told: Any
) -> None:
    tools = [{"type": "function"}, {"type": "web_search_preview_2025_03_11"}]
    usage = response(provider, output=[SEARCH], tools=tools, reasoning={"effort": effort}, tool_usage=told)
    assert usage.units == {"input": 10, "output": 4, unit: 1}


def test_perplexity_s_agent_tells_its_cache_and_its_tools_in_words_of_its_own() -> None:
    """Cached tokens were told as fresh ones, and its tools were unknown keys."""
    usage = {
        **USED,
        "input_tokens_details": {"cache_read_input_tokens": 6, "cache_creation_input_tokens": 1},
        "tool_calls_details": {"web_search": {"invocation": 2}, "fetch_url": {"invocation": 3}, "x": {}},
    }
    found = response("perplexity", usage=usage, output=[SEARCH])
    assert found.units == {
        "input": 3,
        "cache_read": 6,
        "cache_write": 1,
        "output": 4,
        "web_search": 2,
        "web_fetch": 3,
    }
    assert found.flags == ()


def test_a_total_alone_is_no_input_of_a_response() -> None:
    usage = response(usage={"total_tokens": 14})
    assert usage.flags == ("partial",)
    assert usage.reason == "the usage does not tell input and output tokens apart"
    assert response(usage={"input_tokens": 10, "total_tokens": 10}).reason is None


def test_a_response_whose_counts_have_the_names_of_chat_is_whole() -> None:
    """As some gateways write them: nothing is missing, and it had been flagged as partial."""
    found = response(usage={"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14})
    assert (found.units, found.flags, found.reason) == ({"input": 10, "output": 4}, (), None)


def test_hosted_tools_that_xai_counts_itself_are_not_counted_again() -> None:
    usage = {**USED, "server_side_tool_usage_details": {"web_search_calls": 2}}
    assert response("xai", usage=usage, output=[SEARCH, SEARCH]).units["web_search"] == 2
    assert response("xai", usage={**USED, "num_server_side_tools_used": 1}, output=[FILES]).units == {
        "input": 10,
        "output": 4,
        "server_side_tools": 1,
    }
