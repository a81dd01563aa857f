"""Ten SDKs, each with a client to the stub server, and how it is asked: whole, streamed, hastily, again."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import anthropic
import cohere
import groq
import httpx
import httpx2
import ollama
import openai
import together
from google import genai
from google.genai import types
from mistralai.client import Mistral
from tests.soak.wires import LaterBedrock, LaterGrok, NowBedrock, NowGrok
from tests.support.stub import Stub

PATIENCE = 120.0  # seconds for an answer that will come
HASTE = 0.5  # for one that will not


class Maker(NamedTuple):
    """How an SDK is made and asked; its bill is on ``label``."""

    label: str
    model: str
    rates: tuple[Decimal, Decimal] | None  # dollars a million tokens, in and out, as the provider lists them
    http: Any  # None: a wire of its own
    make: Callable[[str, Any, bool], Any]  # address, HTTP client, asynchronous
    ask: Callable[[Any, str, str, bool], Any]  # client, model, text, streamed
    patient: Callable[[Any], Any] | None = None  # the client with one retry; None: the SDK has none to set


def _said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def _chat(api: Any, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - which of two forms
    return api.chat.completions.create(model=model, messages=_said(text), stream=streamed)


def _again(api: Any) -> Any:
    return api.with_options(max_retries=1)


def _stainless(sync: Any, later: Any, base: str = "") -> Callable[[str, Any, bool], Any]:
    def make(url: str, http: Any, asynchronous: bool) -> Any:  # noqa: FBT001 - which of two clients
        kind = later if asynchronous else sync
        return kind(api_key="k", base_url=f"{url}{base}", http_client=http, max_retries=0)

    return make


def _google(url: str, http: Any, asynchronous: bool) -> Any:  # noqa: FBT001 - likewise
    named = {"httpx_async_client" if asynchronous else "httpx_client": http}
    made = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url, **named))
    return made.aio if asynchronous else made


def _mistral(url: str, http: Any, asynchronous: bool) -> Any:  # noqa: FBT001 - likewise
    named = {"async_client" if asynchronous else "client": http}
    return _Mistral(Mistral(api_key="k", server_url=url, **named), asynchronous)


class _Mistral:
    """A client of Mistral's, whose methods are named otherwise where they are asynchronous."""

    def __init__(self, api: Any, asynchronous: bool) -> None:  # noqa: FBT001 - likewise
        self._api = api
        self._end = "_async" if asynchronous else ""

    def ask(self, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - which of two forms
        name = f"{'stream' if streamed else 'complete'}{self._end}"
        return getattr(self._api.chat, name)(model=model, messages=_said(text))


def _cohere(url: str, http: Any, asynchronous: bool) -> Any:  # noqa: FBT001 - which of two clients
    kind: Any = cohere.AsyncClientV2 if asynchronous else cohere.ClientV2
    return kind(api_key="k", base_url=url, httpx_client=http, timeout=PATIENCE)


def _ask_cohere(api: Any, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - which of two forms
    once: Any = {"max_retries": 0}
    ask = api.chat_stream if streamed else api.chat
    return ask(model=model, messages=_said(text), request_options=once)


def _ollama(url: str, http: Any, asynchronous: bool) -> Any:  # noqa: FBT001 - which of two clients
    made: Any = (ollama.AsyncClient if asynchronous else ollama.Client)(host=url)
    http.base_url, http.headers = made._client.base_url, made._client.headers
    made._client = http  # it takes none
    return made


def _ask_google(api: Any, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - which of two forms
    ask = api.models.generate_content_stream if streamed else api.models.generate_content
    return ask(model=model, contents=text)


def _ask_anthropic(api: Any, model: str, text: str, streamed: bool) -> Any:  # noqa: FBT001 - likewise
    return api.messages.create(model=model, messages=_said(text), max_tokens=10, stream=streamed)


def _listed(into: str, out: str) -> tuple[Decimal, Decimal]:
    return Decimal(into), Decimal(out)


MAKERS: Mapping[str, Maker] = {
    each.label: each
    for each in (
        Maker("openai", "gpt-4o", _listed("2.50", "10"), httpx2,
              _stainless(openai.OpenAI, openai.AsyncOpenAI, "/v1"), _chat, _again),
        Maker("anthropic", "claude-sonnet-4-5", _listed("3", "15"), httpx2,
              _stainless(anthropic.Anthropic, anthropic.AsyncAnthropic), _ask_anthropic, _again),
        Maker("google", "gemini-2.5-pro", _listed("1.25", "10"), httpx2, _google, _ask_google),
        Maker("groq", "llama-3.3-70b-versatile", _listed("0.59", "0.79"), httpx,
              _stainless(groq.Groq, groq.AsyncGroq), _chat, _again),
        Maker("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", _listed("1.04", "1.04"), httpx,
              _stainless(together.Together, together.AsyncTogether, "/v1"), _chat, _again),
        Maker("mistral", "mistral-large-2512", _listed("0.50", "1.50"), httpx2, _mistral,
              lambda api, model, text, streamed: api.ask(model, text, streamed)),
        Maker("cohere", "command-a-03-2025", _listed("2.50", "10"), httpx, _cohere, _ask_cohere),
        Maker("ollama", "llama3.2", None, httpx, _ollama,
              lambda api, model, text, flow: api.chat(model=model, messages=_said(text), stream=flow)),
        Maker("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", _listed("3.30", "16.50"), None,
              lambda url, _http, later: LaterBedrock(url) if later else NowBedrock(url),
              lambda api, model, text, streamed: api.ask(model, text, streamed)),
        Maker("xai", "grok-4-0709", _listed("3", "15"), None,
              lambda url, _http, later: LaterGrok(url) if later else NowGrok(url),
              lambda api, model, text, streamed: api.ask(model, text, streamed)),
    )
}  # fmt: skip


class Client(NamedTuple):
    """One SDK's clients of one kind: that waits for its answer, and that does not."""

    maker: Maker
    waits: Any
    again: Any
    hastes: Any | None
    https: tuple[Any, ...]


def clients(server: Stub, *, asynchronous: bool) -> list[Client]:
    """Make a client of every SDK; all threads or tasks share it."""
    return [_client(maker, server.url(maker.label), asynchronous=asynchronous) for maker in MAKERS.values()]


def _client(maker: Maker, url: str, *, asynchronous: bool) -> Client:
    if maker.http is None:
        made = maker.make(url, None, asynchronous)
        return Client(maker, made, made, None, (made,))
    waits, hastes = (_http(maker.http, read, asynchronous=asynchronous) for read in (PATIENCE, HASTE))
    made = maker.make(url, waits, asynchronous)
    again = maker.patient(made) if maker.patient else made
    hasty = (
        maker.make(url, hastes, asynchronous) if maker.patient else None
    )  # others have limits of their own
    return Client(maker, made, again, hasty, (waits, hastes))


def _http(http: Any, read: float, *, asynchronous: bool) -> Any:
    limits = http.Limits(max_connections=None, max_keepalive_connections=50)
    kind = http.AsyncClient if asynchronous else http.Client
    return kind(limits=limits, timeout=http.Timeout(PATIENCE, read=read), verify=False)
