"""The bytes of the journal hold no prompt, no reply and no key, whatever SDK and form, also when it fails."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import groq
import httpx2
import openai
import pytest
import together
from google import genai
from google.genai import types
from tests.support.wire import Server, sse

import outlay
from outlay import process
from outlay.capture.guard import failures
from outlay.settings import Settings

PROMPT = "the secret plan of the moon base"
SYSTEM = "you are the keeper of the vault"
REPLY = "the answer nobody may read"
KEYS = {
    "openai": "sk-proj-T3stKeyForOpenAI0123456789abcdef",
    "anthropic": "sk-ant-api03-T3stKeyForAnthropic-0123456789",
    "google": "AIzaSyT3stKeyForGoogle0123456789abcdefghi",
    "groq": "gsk_T3stKeyForGroq0123456789abcdef",
    "together": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
}
CHAT_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
MESSAGES: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]


def chat_answer(asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    named = {"id": "c1", "created": 1, "model": asked["model"]}
    message = {"role": "assistant", "content": REPLY}
    whole = {
        **named,
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": CHAT_USAGE,
    }
    chunk = {**named, "object": "chat.completion.chunk"}
    return whole, sse(
        {**chunk, "choices": [{"index": 0, "delta": message}]},
        {**chunk, "choices": [], "usage": CHAT_USAGE},
        done=True,
    )


def messages_answer(_asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    message = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [{"type": "text", "text": REPLY}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    return message, sse(
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": REPLY}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
        named=True,
    )


def gemini_answer(_asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    body = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": REPLY}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        "modelVersion": "gemini-2.5-pro",
    }
    return body, sse(body)


def responses_answer(asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    content = {"type": "output_text", "text": REPLY, "annotations": []}
    done = {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": asked["model"],
        "status": "completed",
        "output": [
            {"type": "message", "id": "i", "role": "assistant", "status": "completed", "content": [content]}
        ],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    }
    where = {"item_id": "i", "output_index": 0, "content_index": 0, "sequence_number": 1, "logprobs": []}
    return done, sse(
        {"type": "response.output_text.delta", "delta": REPLY, **where},
        {"type": "response.completed", "response": done, "sequence_number": 2},
        named=True,
    )


def answering(make: Callable[[dict[str, Any]], tuple[dict[str, Any], bytes]], key: str) -> Any:
    """Answer as a provider does; one that refuses repeats what it was sent, the key too."""

    def answer(request: Any) -> tuple[int, str, bytes]:
        asked = json.loads(request.content)
        if "refuse" in json.dumps(asked):
            said = f"Incorrect API key provided: {key}. You asked {PROMPT}"
            return 401, "application/json", json.dumps({"error": {"message": said, "code": 401}}).encode()
        whole, stream = make(asked)
        if asked.get("stream") or "stream" in request.url.path:
            return 200, "text/event-stream", stream
        return 200, "application/json", json.dumps(whole).encode()

    return answer


def on_httpx2(answer: Any) -> Server:
    def reply(request: httpx2.Request) -> httpx2.Response:
        status, kind, body = answer(request)
        return httpx2.Response(status, headers={"content-type": kind}, content=body)

    return Server([reply])


def on_httpx(answer: Any) -> Any:
    import httpx  # noqa: PLC0415 - the older SDKs' client

    def reply(request: httpx.Request) -> httpx.Response:
        status, kind, body = answer(request)
        return httpx.Response(status, headers={"content-type": kind}, content=body)

    return httpx.MockTransport(reply)


def refused(call: Callable[[], Any]) -> None:
    with pytest.raises(Exception, match="Incorrect API key"):
        call()


def ask_openai() -> None:
    server = on_httpx2(answering(chat_answer, KEYS["openai"]))
    options: dict[str, Any] = {"api_key": KEYS["openai"], "max_retries": 0}
    client = openai.OpenAI(http_client=server.client(), **options)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES).parse()
    list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
    refused(lambda: client.chat.completions.create(model="refuse", messages=MESSAGES))

    async def later() -> None:
        other = openai.AsyncOpenAI(http_client=server.async_client(), **options)
        await other.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    asyncio.run(later())


def ask_responses() -> None:
    server = on_httpx2(answering(responses_answer, KEYS["openai"]))
    client = openai.OpenAI(api_key=KEYS["openai"], max_retries=0, http_client=server.client())
    client.responses.create(model="gpt-4o", input=PROMPT, instructions=SYSTEM)
    list(client.responses.create(model="gpt-4o", input=PROMPT, instructions=SYSTEM, stream=True))
    refused(lambda: client.responses.create(model="refuse", input=PROMPT))


def ask_anthropic() -> None:
    server = on_httpx2(answering(messages_answer, KEYS["anthropic"]))
    client = anthropic.Anthropic(api_key=KEYS["anthropic"], max_retries=0, http_client=server.client())
    ask: dict[str, Any] = {"max_tokens": 9, "system": SYSTEM, "messages": MESSAGES[1:]}
    client.messages.create(model="claude-sonnet-4-6", **ask)
    list(client.messages.create(model="claude-sonnet-4-6", stream=True, **ask))
    refused(lambda: client.messages.create(model="refuse", **ask))


def ask_google() -> None:
    server = on_httpx2(answering(gemini_answer, KEYS["google"]))
    http = types.HttpOptions(httpx_client=server.client(), httpx_async_client=server.async_client())
    client = genai.Client(api_key=KEYS["google"], http_options=http)
    config = types.GenerateContentConfig(system_instruction=SYSTEM)
    client.models.generate_content(model="gemini-2.5-pro", contents=PROMPT, config=config)
    list(client.models.generate_content_stream(model="gemini-2.5-pro", contents=PROMPT, config=config))
    refused(lambda: client.models.generate_content(model="gemini-2.5-pro", contents=f"refuse {PROMPT}"))


def ask_groq() -> None:
    transport = on_httpx(answering(chat_answer, KEYS["groq"]))
    import httpx  # noqa: PLC0415 - the older SDKs' client

    client = groq.Groq(api_key=KEYS["groq"], max_retries=0, http_client=httpx.Client(transport=transport))
    client.chat.completions.create(model="llama-3.3-70b-versatile", messages=MESSAGES)
    list(client.chat.completions.create(model="llama-3.3-70b-versatile", messages=MESSAGES, stream=True))
    refused(lambda: client.chat.completions.create(model="refuse", messages=MESSAGES))


def ask_together() -> None:
    import httpx  # noqa: PLC0415 - the older SDKs' client

    transport = on_httpx(answering(chat_answer, KEYS["together"]))
    client = together.Together(
        api_key=KEYS["together"], max_retries=0, http_client=httpx.Client(transport=transport)
    )
    client.chat.completions.create(model="meta-llama/Llama", messages=MESSAGES)
    list(client.chat.completions.create(model="meta-llama/Llama", messages=MESSAGES, stream=True))
    refused(lambda: client.chat.completions.create(model="refuse", messages=MESSAGES))


SDKS = [ask_openai, ask_responses, ask_anthropic, ask_google, ask_groq, ask_together]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Give a function that makes calls under settings and gives all that the journal's files hold."""
    failures.clear()

    def run(ask: Callable[[], None], **settings: Any) -> str:
        here = process.use(Settings(home=tmp_path, **settings))
        here.hooks.instrument()
        ask()
        assert here.flush(30)
        here.hooks.uninstrument()
        return "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "journal").iterdir())

    yield run
    process.use(None)
    assert not failures


@pytest.mark.parametrize("ask", SDKS)
def test_nothing_that_was_said_and_no_key_is_stored(journal: Callable[..., str], ask: Any) -> None:
    text = journal(ask)
    records = [json.loads(line) for line in text.splitlines()]
    assert len(records) >= 3
    assert sum(record.get("status") == "error" for record in records) == 1
    for secret in (PROMPT, SYSTEM, REPLY, *KEYS.values()):  # though the provider repeats them in its error
        assert secret not in text


@pytest.mark.parametrize("ask", SDKS)
def test_by_choice_prompt_and_reply_are_stored_and_still_no_key(
    journal: Callable[..., str], ask: Any
) -> None:
    text = journal(ask, store_prompts=True)
    records = [json.loads(line) for line in text.splitlines()]
    good = [record for record in records if record.get("status", "success") == "success"]
    for record in good:
        assert PROMPT in record["prompt"]
        assert record["prompt"].startswith(f"system: {SYSTEM}\n")
        assert record["prompt_length"] == len(record["prompt"])
        if not record.get("extra", {}).get("raw_response"):
            assert record["reply"] == REPLY
    for key in KEYS.values():
        assert key not in text


def test_by_hand_a_prompt_is_a_length_unless_prompts_are_stored(journal: Callable[..., str]) -> None:
    def ask() -> None:
        record = outlay.record(model="m", prompt=PROMPT, reply=REPLY, error=f"bad key {KEYS['openai']}")
        assert (record.prompt, record.reply, record.prompt_length) == (None, None, len(PROMPT))
        with outlay.measure(model="m") as call:
            call.prompt(PROMPT)
            call.response({"choices": [{"message": {"content": REPLY}}], "usage": CHAT_USAGE})

    text = journal(ask)
    assert len(text.splitlines()) == 2
    for secret in (PROMPT, REPLY, KEYS["openai"]):
        assert secret not in text
    text = journal(ask_by_choice, store_prompts=True)
    assert PROMPT in text
    assert REPLY in text


def ask_by_choice() -> None:
    with outlay.measure(model="m") as call:
        call.prompt(PROMPT)
        call.response({"choices": [{"message": {"content": REPLY}}], "usage": CHAT_USAGE})
