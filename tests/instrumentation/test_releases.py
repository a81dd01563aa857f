"""What every release of an SDK must do, over a socket: here the newest, by tools/tried.py older ones.

It needs the SDK alone, whatever HTTP client that is on.
"""

import asyncio
import gc
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.stub import Stub, stub
from tests.support.wire import Kept

from outlay.capture import Recorder, SystemClock, context
from outlay.llm import Llm, LlmConfig
from outlay.pricing import cost_of

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of SDKs that are years old
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # and leave connections to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # likewise
]
HELD: list[Any] = []
MODELS = {"openai": "gpt-4o", "anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-pro"}
UNITS = {"input": 1000, "output": 100}
MODULES = {"openai": "openai", "anthropic": "anthropic", "google": "google.genai", "mistral": "mistralai"}


@pytest.fixture
def server() -> Iterator[Stub]:
    with stub() as running:
        yield running
        HELD.clear()
    gc.collect()  # here, and not in another test's time


def said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def openai(url: str, *, later: bool, text: str, stream: bool) -> Any:
    sdk = importlib.import_module("openai")
    kind = sdk.AsyncOpenAI if later else sdk.OpenAI
    api = kind(base_url=f"{url}/v1", api_key="k", max_retries=0)
    return api.chat.completions.create(model="gpt-4o", messages=said(text), stream=stream)


def anthropic(url: str, *, later: bool, text: str, stream: bool) -> Any:
    sdk = importlib.import_module("anthropic")
    kind = sdk.AsyncAnthropic if later else sdk.Anthropic
    api = kind(base_url=url, api_key="k", max_retries=0)
    return api.messages.create(model="claude-sonnet-4-5", messages=said(text), max_tokens=9, stream=stream)


def google(url: str, *, later: bool, text: str, stream: bool) -> Any:
    sdk = importlib.import_module("google.genai")
    made = sdk.Client(api_key="k", http_options={"base_url": url})
    HELD.append(made)  # a client that is let go of closes what it has open
    models = made.aio.models if later else made.models
    ask = models.generate_content_stream if stream else models.generate_content
    return ask(model="gemini-2.5-pro", contents=text)


def mistral(url: str, *, later: bool, text: str, stream: bool) -> Any:
    try:
        sdk = importlib.import_module("mistralai.client")
        kind = sdk.Mistral
    except (ImportError, AttributeError):  # before version 2
        kind = importlib.import_module("mistralai").Mistral
    made = kind(api_key="k", server_url=url)
    HELD.append(made)  # likewise
    chat = made.chat
    name = f"{'stream' if stream else 'complete'}{'_async' if later else ''}"
    return getattr(chat, name)(model="mistral-large-2512", messages=said(text))


ASK: dict[str, Callable[..., Any]] = {
    "openai": openai,
    "anthropic": anthropic,
    "google": google,
    "mistral": mistral,
}


def act(name: str, url: str, form: str) -> None:
    """Make a call in one form, and read or leave what comes."""
    mode = {"error": "error", "left": "hold"}.get(form, "ok")
    stream = form in {"stream", "left", "async stream"}
    asked = {"text": f"outlay:{mode}:1000:100:x hi", "stream": stream}
    if not form.startswith("async"):
        result = ASK[name](url, later=False, **asked)
        if form == "left":
            chunks = iter(result)
            next(chunks)
            if hasattr(result, "close") or hasattr(chunks, "close"):
                (result if hasattr(result, "close") else chunks).close()
            else:
                result.__exit__(None, None, None)
        elif stream:
            list(result)
        return

    async def main() -> None:
        result = await ASK[name](url, later=True, **asked)
        if stream:
            async for _ in result:
                pass

    asyncio.run(main())


@pytest.mark.parametrize("form", ["whole", "stream", "left", "error", "async whole", "async stream"])
@pytest.mark.parametrize("name", ASK)
def test_each_form_is_one_record(name: str, form: str, server: Stub, kept: Kept) -> None:
    pytest.importorskip(MODULES[name], reason=f"{name} is not installed here")
    with context(user="u1"):
        if form == "error":
            with pytest.raises(Exception, match="it broke"):
                act(name, server.url(name), form)
        else:
            act(name, server.url(name), form)
    gc.collect()
    record = kept.only
    assert (record.provider, record.user) == (name, "u1")
    if form == "error":
        assert (record.status, record.cost) == ("error", None)
    elif form == "left":
        assert "partial" in record.flags
    else:
        assert (record.usage.units, record.flags, record.streamed) == (UNITS, (), "stream" in form)


@pytest.mark.parametrize("name", ["openai", "anthropic", "google"])
def test_the_small_client_works_over_it(name: str, server: Stub, kept: Kept) -> None:
    pytest.importorskip(MODULES[name], reason=f"{name} is not installed here")
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
    url = f"{server.url(name)}{'/v1' if name == 'openai' else ''}"
    llm = Llm(LlmConfig(name, "k", MODELS[name], base_url=url), recorder=lambda: recorder)
    assert llm.complete("hi") == "".join(llm.stream("hi")) == '{"city": "Oslo"}'
    assert [record.usage.units for record in kept.records] == [UNITS, UNITS]
