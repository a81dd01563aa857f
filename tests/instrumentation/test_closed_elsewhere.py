"""A coroutine closed in another context than it ran in, as one is whose loop has gone."""

import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any

import cohere
import httpx
import mistralai.client
import ollama
import openai
import pytest
from google import genai
from tests.support.wire import Kept

MESSAGES: Any = [{"role": "user", "content": "hi"}]

pytestmark = pytest.mark.usefixtures("hooks")


class _Pause:
    """Waits for ever."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def _never(*_: Any, **__: Any) -> Any:
    await _Pause()


def _openai(monkeypatch: pytest.MonkeyPatch) -> Any:
    client = openai.AsyncOpenAI(api_key="sk-test")
    monkeypatch.setattr(client, "_platform", "Linux")
    monkeypatch.setattr(client, "_prepare_options", _never)
    return client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


def _mistral(monkeypatch: pytest.MonkeyPatch) -> Any:
    client = mistralai.client.Mistral(api_key="k")
    monkeypatch.setattr(client.chat, "do_request_async", _never)
    return client.chat.complete_async(model="mistral-small-latest", messages=MESSAGES)


def _google(monkeypatch: pytest.MonkeyPatch) -> Any:
    client = genai.Client(api_key="k")
    monkeypatch.setattr(client._api_client, "_async_request", _never)
    return client.aio.models.generate_content(model="gemini-2.5-flash", contents="hi")


def _google_stream(monkeypatch: pytest.MonkeyPatch) -> Any:
    client = genai.Client(api_key="k")
    monkeypatch.setattr(client._api_client, "_async_request", _never)
    return client._api_client.async_request_streamed(
        "post", "models/gemini-2.5-flash:streamGenerateContent", {}
    )


def _ollama_stream(monkeypatch: pytest.MonkeyPatch) -> Any:
    client = ollama.AsyncClient()
    monkeypatch.setattr(client._client, "send", _never)

    async def read() -> None:
        stream: AsyncIterator[Any] = await client.chat(model="llama3", messages=MESSAGES, stream=True)
        async for _ in stream:
            pass

    return read()


def _cohere_stream(monkeypatch: pytest.MonkeyPatch) -> Any:
    http = httpx.AsyncClient()
    monkeypatch.setattr(http, "send", _never)
    client = cohere.AsyncClientV2(api_key="k", httpx_client=http)

    async def read() -> None:
        async for _ in client.chat_stream(model="command-a-03-2025", messages=MESSAGES):
            pass

    return read()


@pytest.mark.parametrize(
    ("ask", "error_type"),
    [
        (_openai, "GeneratorExit"),
        (_mistral, "GeneratorExit"),
        (_google, "GeneratorExit"),
        (_google_stream, "GeneratorExit"),
        (_ollama_stream, None),  # a stream of which nobody reads the rest was left
        (_cohere_stream, "GeneratorExit"),
    ],
)
def test_a_call_closed_elsewhere_is_one_record_and_nothing_of_ours_is_raised(
    ask: Callable[[pytest.MonkeyPatch], Coroutine[Any, Any, Any]],
    error_type: str | None,
    kept: Kept,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", raised.append)
    asking = ask(monkeypatch)
    copy_context().run(asking.send, None)
    asking.close()
    del asking
    gc.collect()
    assert not raised
    assert (kept.only.error_type, kept.only.cost) == (error_type, None)
