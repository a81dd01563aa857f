"""Every form in which the SDKs over HTTP make a call, so that each can be put through every outcome."""

from collections.abc import Callable
from typing import Any

import anthropic
import cohere
import groq
import httpx
import httpx2
import huggingface_hub
import ollama
import openai
import together
from google import genai
from google.genai import types
from mistralai.client import Mistral
from pydantic import BaseModel
from tests.support.form_bodies import (
    CHAT,
    CHUNKS,
    COHERE,
    COHERING,
    GEMINI,
    GENERATING,
    GOING,
    HUB,
    HUB_CHUNKS,
    MESSAGE,
    OLLAMA,
    RESPONDING,
    RESPONSE,
    SPEAKING,
)

UNITS = {"input": 1000, "output": 100}
Call = Callable[[Any], Any]
Forms = dict[str, tuple[Any, Call]]  # by name: the answer, and the call that gets it


class City(BaseModel):
    """What the parse forms parse."""

    city: str


ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
SPEAK: dict[str, Any] = {**ASK, "max_tokens": 10}
GENERATE: dict[str, Any] = {"model": "m", "contents": "hi"}


def _with(start: Call) -> Call:
    """Make one iterator of a stream helper, which is a context manager."""

    def chunks(api: Any) -> Any:
        with start(api) as stream:
            yield from stream

    return chunks


def _async_with(start: Call) -> Call:
    async def chunks(api: Any) -> Any:
        async with start(api) as stream:
            async for chunk in stream:
                yield chunk

    return chunks


def _both(start: Call) -> tuple[Call, Call]:
    return _with(start), _async_with(start)


def _read_raw(start: Call) -> tuple[Call, Call]:
    """Make both clients' way to an answer whose body is read inside of a block."""

    def read(api: Any) -> None:
        with start(api) as response:
            response.parse()

    async def read_later(api: Any) -> None:
        async with start(api) as response:
            await response.parse()

    return read, read_later


def _data_of(start: Call) -> tuple[Call, Call]:
    """Make one iterator of a raw stream, whose chunks are its data."""

    def chunks(api: Any) -> Any:
        with start(api) as response:
            yield from response.data

    async def chunks_later(api: Any) -> Any:
        async with start(api) as response:
            async for chunk in response.data:
                yield chunk

    return chunks, chunks_later


_RAW = _read_raw(lambda api: api.chat.completions.with_streaming_response.create(**ASK))
_RAW_MESSAGE = _read_raw(lambda api: api.messages.with_streaming_response.create(**SPEAK))
_RAW_STREAM = _data_of(lambda api: api.with_raw_response.chat_stream(**ASK))
_MESSAGES, _BETA = (
    _both(lambda api: api.messages.stream(**SPEAK)),
    _both(lambda api: api.beta.messages.stream(**SPEAK)),
)
_HELPER = _both(lambda api: api.chat.completions.stream(**ASK))
_CREATE: Forms = {
    "create": (CHAT, lambda api: api.chat.completions.create(**ASK)),
    "raw": (CHAT, lambda api: api.chat.completions.with_raw_response.create(**ASK)),
    "stream": (CHUNKS, lambda api: api.chat.completions.create(stream=True, **ASK)),
}
WHOLE: dict[str, Forms] = {
    "openai": {
        **_CREATE,
        "parse": (CHAT, lambda api: api.chat.completions.parse(response_format=City, **ASK)),
        "responses": (RESPONSE, lambda api: api.responses.create(model="m", input="hi")),
        "responses stream": (
            RESPONDING,
            lambda api: api.responses.create(model="m", input="hi", stream=True),
        ),
    },
    "anthropic": {
        "create": (MESSAGE, lambda api: api.messages.create(**SPEAK)),
        "raw": (MESSAGE, lambda api: api.messages.with_raw_response.create(**SPEAK)),
        "beta": (MESSAGE, lambda api: api.beta.messages.create(**SPEAK)),
        "parse": (MESSAGE, lambda api: api.messages.parse(output_format=City, **SPEAK)),
        "stream": (SPEAKING, lambda api: api.messages.create(stream=True, **SPEAK)),
        "beta stream": (SPEAKING, lambda api: api.beta.messages.create(stream=True, **SPEAK)),
    },
    "google": {
        "create": (GEMINI, lambda api: api.models.generate_content(**GENERATE)),
        "chat": (GEMINI, lambda api: api.chats.create(model="m").send_message("hi")),
        "parse": (
            GEMINI,
            lambda api: api.models.generate_content(config={"response_schema": City}, **GENERATE),
        ),
        "stream": (GENERATING, lambda api: api.models.generate_content_stream(**GENERATE)),
        "chat stream": (GENERATING, lambda api: api.chats.create(model="m").send_message_stream("hi")),
    },
    "groq": _CREATE,
    "together": _CREATE,
    "ollama": {
        "create": (OLLAMA, lambda api: api.chat(**ASK)),
        "parse": (OLLAMA, lambda api: api.chat(format=City.model_json_schema(), **ASK)),
        "stream": (GOING, lambda api: api.chat(stream=True, **ASK)),
        "parse stream": (GOING, lambda api: api.chat(stream=True, format=City.model_json_schema(), **ASK)),
        "generate": (OLLAMA, lambda api: api.generate(model="m", prompt="hi")),
        "generate stream": (GOING, lambda api: api.generate(model="m", prompt="hi", stream=True)),
    },
    "huggingface": {
        "create": (HUB, lambda api: api.chat_completion(ASK["messages"])),
        "as openai": (HUB, lambda api: api.chat.completions.create(messages=ASK["messages"])),
        "stream": (HUB_CHUNKS, lambda api: api.chat_completion(ASK["messages"], stream=True)),
        "stream as openai": (
            HUB_CHUNKS,
            lambda api: api.chat.completions.create(messages=ASK["messages"], stream=True),
        ),
    },
    "cohere": {
        "create": (COHERE, lambda api: api.chat(**ASK)),
        "raw": (COHERE, lambda api: api.with_raw_response.chat(**ASK)),
        "stream": (COHERING, lambda api: api.chat_stream(**ASK)),
    },
}
"""Forms that the synchronous and the asynchronous client have under the same name."""
SYNC: dict[str, Forms] = {
    "openai": {"helper": (CHUNKS, _HELPER[0]), "streaming raw": (CHAT, _RAW[0])},
    "anthropic": {
        "helper": (SPEAKING, _MESSAGES[0]),
        "beta helper": (SPEAKING, _BETA[0]),
        "streaming raw": (MESSAGE, _RAW_MESSAGE[0]),
    },
    "groq": {"streaming raw": (CHAT, _RAW[0])},
    "together": {"streaming raw": (CHAT, _RAW[0])},
    "cohere": {"raw stream": (COHERING, _RAW_STREAM[0])},
    "mistralai": {
        "create": (CHAT, lambda api: api.chat.complete(**ASK)),
        "parse": (CHAT, lambda api: api.chat.parse(response_format=City, **ASK)),
        "stream": (CHUNKS, lambda api: api.chat.stream(**ASK)),
        "parse stream": (CHUNKS, lambda api: api.chat.parse_stream(response_format=City, **ASK)),
    },
}
ASYNC: dict[str, Forms] = {
    "openai": {"helper": (CHUNKS, _HELPER[1]), "streaming raw": (CHAT, _RAW[1])},
    "anthropic": {
        "helper": (SPEAKING, _MESSAGES[1]),
        "beta helper": (SPEAKING, _BETA[1]),
        "streaming raw": (MESSAGE, _RAW_MESSAGE[1]),
    },
    "groq": {"streaming raw": (CHAT, _RAW[1])},
    "together": {"streaming raw": (CHAT, _RAW[1])},
    "cohere": {"raw stream": (COHERING, _RAW_STREAM[1])},
    "mistralai": {
        "create": (CHAT, lambda api: api.chat.complete_async(**ASK)),
        "parse": (CHAT, lambda api: api.chat.parse_async(response_format=City, **ASK)),
        "stream": (CHUNKS, lambda api: api.chat.stream_async(**ASK)),
        "parse stream": (CHUNKS, lambda api: api.chat.parse_stream_async(response_format=City, **ASK)),
    },
}


def forms_of(sdk: str, *, asynchronous: bool) -> Forms:
    """Give the forms of one SDK's client."""
    return {**WHOLE.get(sdk, {}), **(ASYNC if asynchronous else SYNC).get(sdk, {})}


SDKS = ("openai", "anthropic", "google", "groq", "together", "mistralai", "cohere", "ollama", "huggingface")
HTTP: dict[str, Any] = dict.fromkeys(("groq", "together", "cohere", "ollama"), httpx)


def http_of(sdk: str) -> Any:
    """Give the HTTP client's module that an SDK is on."""
    return HTTP.get(sdk, httpx2)


def client_of(sdk: str, http: Any, *, asynchronous: bool) -> Any:  # noqa: PLR0911 - one return for each SDK
    """Make an SDK's client over an HTTP client of that kind."""
    if sdk == "huggingface":
        return _hub(http, asynchronous=asynchronous)
    if sdk == "ollama":
        api: Any = ollama.AsyncClient() if asynchronous else ollama.Client()
        http.base_url, api._client = api._client.base_url, http
        return api
    key: dict[str, Any] = {"api_key": "k"}
    once: dict[str, Any] = {**key, "http_client": http, "max_retries": 0}
    if sdk == "openai":
        return openai.AsyncOpenAI(**once) if asynchronous else openai.OpenAI(**once)
    if sdk == "anthropic":
        return anthropic.AsyncAnthropic(**once) if asynchronous else anthropic.Anthropic(**once)
    if sdk == "groq":
        return groq.AsyncGroq(**once) if asynchronous else groq.Groq(**once)
    if sdk == "together":
        return together.AsyncTogether(**once) if asynchronous else together.Together(**once)
    if sdk == "cohere":
        named = {**key, "httpx_client": http}
        return cohere.AsyncClientV2(**named) if asynchronous else cohere.ClientV2(**named)
    if sdk == "mistralai":
        return Mistral(**key, **({"async_client": http} if asynchronous else {"client": http}))
    options = types.HttpOptions(**{"httpx_async_client" if asynchronous else "httpx_client": http})
    made = genai.Client(**key, http_options=options)
    return made.aio if asynchronous else made


def _hub(http: Any, *, asynchronous: bool) -> Any:
    """Make a client of the hub's; the HTTP clients that it shares are its module's."""
    if asynchronous:
        huggingface_hub.set_async_client_factory(lambda: http)
        return huggingface_hub.AsyncInferenceClient("https://router.huggingface.co/v1")
    huggingface_hub.close_session()
    huggingface_hub.set_client_factory(lambda: http)
    return huggingface_hub.InferenceClient("https://router.huggingface.co/v1")
