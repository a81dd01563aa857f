"""Real instrumentations of others, alone and beside our own hook: a call is one record, of the same usage."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLlmetry
from tests.support.wire import Kept, Server

from outlay import process

# One of them still writes pydantic models the old way.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")

for _resource in ("completions", "embeddings", "images", "responses", "chat.completions", "beta.assistants"):
    importlib.import_module(f"openai.resources.{_resource}")  # loaded late, else not there to be looked at

USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 400},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
NAMED = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4o-2024-08-06"}
COUNTS, COUNTED = "count_tokens", {"input_tokens": 5}
MESSAGES: Any = [{"role": "user", "content": "hi"}]
# 600 x 2.50, 400 x 1.25 and 100 x 10.00, each a million
COST = Decimal("0.003")


def answer(request: httpx2.Request) -> httpx2.Response:
    asked = json.loads(request.content)
    if asked["model"] == "bad":
        return httpx2.Response(400, json={"error": {"message": "bad key sk-abcdefghijklmnop"}})
    message = {"role": "assistant", "content": "hi"}
    if not asked.get("stream"):
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return httpx2.Response(
            200, json={**NAMED, "object": "chat.completion", "choices": [choice], "usage": USAGE}
        )
    chunk = {**NAMED, "object": "chat.completion.chunk"}
    events = [
        {**chunk, "choices": [{"index": 0, "delta": message}]},
        {**chunk, "choices": [], "usage": USAGE},
    ]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=text)


def clients() -> dict[type, dict[str, Any]]:
    """Give every class of the SDK that makes requests, with what stands on it."""
    modules = [
        module for name, module in sys.modules.items() if name.startswith(("openai._client", "openai.res"))
    ]
    return {
        kind: dict(vars(kind))
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type)
    }


@pytest.fixture(autouse=True)
def leave_no_trace() -> Iterator[None]:
    """Take away what they leave on the SDK's classes, for they do not take all of it away themselves."""
    before = clients()
    yield
    for kind, now in clients().items():
        for name in now.keys() - before.get(kind, now).keys():
            delattr(kind, name)
        for name, value in before.get(kind, {}).items():
            if now.get(name) is not value:
                setattr(kind, name, value)


@pytest.fixture(params=[OpenInference, OpenLlmetry], ids=["openinference", "openllmetry"])
def client(request: pytest.FixtureRequest, provider: Any) -> Iterator[openai.OpenAI]:
    """Give a client that another instrumentation watches, whose spans come to us."""
    instrumentor = request.param()
    instrumentor.instrument(tracer_provider=provider)
    yield openai.OpenAI(api_key="x", max_retries=0, http_client=Server([answer]).client())
    instrumentor.uninstrument()


def ask(client: openai.OpenAI) -> None:
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


def ask_raw(client: openai.OpenAI) -> None:
    client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES).parse()


def stream(client: openai.OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = client.chat.completions.create(
        model="gpt-4o", messages=MESSAGES, stream=True, stream_options=options
    )
    assert len(list(chunks)) == 2


def fail(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="bad", messages=MESSAGES)


@pytest.mark.parametrize("form", [ask, stream])
def test_their_spans_alone_give_the_usage_and_cost(
    client: openai.OpenAI, kept: Kept, form: Callable[[openai.OpenAI], None]
) -> None:
    form(client)
    assert (kept.only.model, kept.only.response_id) == ("gpt-4o-2024-08-06", "chatcmpl-1")
    assert (kept.only.input_tokens, kept.only.cached_tokens, kept.only.output_tokens) == (1000, 400, 100)
    assert kept.only.cost == COST


def test_a_failed_call_of_theirs_has_no_key_in_it(client: openai.OpenAI, kept: Kept) -> None:
    fail(client)
    assert (kept.only.status, kept.only.error_type, kept.only.model) == ("error", "BadRequestError", "bad")
    assert "sk-" not in str(kept.only)


@pytest.mark.parametrize("form", [ask, ask_raw, stream, fail])
@pytest.mark.parametrize("request_span", ["alone", "in a request"])
@pytest.mark.parametrize("order", ["ours first", "theirs first"])
@pytest.mark.parametrize("instrumentor", [OpenInference, OpenLlmetry])
def test_beside_our_hook_a_call_is_one_record(
    instrumentor: Any,
    order: str,
    request_span: str,
    form: Callable[[openai.OpenAI], None],
    provider: Any,
    kept: Kept,
) -> None:
    theirs = instrumentor()
    if order == "ours first":
        process.current().hooks.instrument("openai")
    theirs.instrument(tracer_provider=provider)
    process.current().hooks.instrument("openai")
    try:
        client = openai.OpenAI(api_key="x", max_retries=0, http_client=Server([answer]).client())
        with (
            provider.get_tracer("web").start_as_current_span("request")
            if request_span != "alone"
            else nullcontext()
        ):
            form(client)
    finally:
        theirs.uninstrument()
    assert kept.only.status == ("error" if form is fail else "success")
    assert kept.only.cost == (None if form is fail else COST)
    assert kept.only.api == "chat"  # our hook's own record: no span says it


@pytest.mark.parametrize("first", [OpenInference, OpenLlmetry])
def test_two_instrumentations_of_others_and_ours_are_one_record(
    provider: Any, kept: Kept, first: Any
) -> None:
    second = OpenLlmetry if first is OpenInference else OpenInference
    instrumentors = [first(), second()]
    for each in instrumentors:
        each.instrument(tracer_provider=provider)
    try:
        client = openai.OpenAI(api_key="x", max_retries=0, http_client=Server([answer]).client())
        ask(client)
        assert kept.only.cost == COST
        process.current().hooks.instrument("openai")
        fail(client)
        assert len(kept.records) == 2
    finally:
        for each in reversed(instrumentors):
            each.uninstrument()


@pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")
def test_the_spans_of_anthropics_own_sdk_tell_what_its_answers_cost(kept: Kept, provider: Any) -> None:
    """A cache of an hour, and the tier, stand under names of its own; counting tokens is no call."""
    used = {
        "input_tokens": 100,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 3000,
        "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
        "output_tokens": 50,
        "service_tier": "standard",
    }
    named = {"id": "msg_01abfe", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
    body = {**named, "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "usage": used}
    server = Server([lambda asked: httpx2.Response(200, json=COUNTED if COUNTS in asked.url.path else body)])
    api = anthropic.Anthropic(
        api_key="k", http_client=server.client(), open_telemetry={"tracer_provider": provider}
    )
    api.messages.count_tokens(model="claude-sonnet-4-5", messages=MESSAGES)
    api.messages.create(model="claude-sonnet-4-5", messages=MESSAGES, max_tokens=9)
    provider.force_flush()
    assert kept.only.usage.units == {
        "input": 100,
        "cache_read": 2000,
        "cache_write": 1000,
        "cache_write_1h": 2000,
        "output": 50,
    }
    # 100 x 3, 2000 x 0.30, 1000 x 3.75, 2000 x 6 and 50 x 15, each a million
    assert kept.only.cost == Decimal("0.0174")
    assert kept.only.usage.term("service_tier") == "standard"
