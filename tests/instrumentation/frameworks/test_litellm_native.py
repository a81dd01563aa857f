"""litellm's other ways out: its Rust core and its handler on aiohttp, over a server on loopback."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.support.form_bodies import CHAT, MESSAGE, SPEAKING
from tests.support.forms import UNITS
from tests.support.wire import Kept

from outlay.capture import context
from outlay.instrumentation import Hooks

litellm = pytest.importorskip("litellm", reason="litellm is not installed: `uv sync --group frameworks`")
bridge = pytest.importorskip("litellm.rust_bridge", reason="this litellm has no core of its own")

pytestmark = [
    pytest.mark.usefixtures("layers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # litellm's own
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),  # of types that litellm makes when first used
]
PAGES = {
    "pages": [{"index": 0, "markdown": "x", "images": [], "dimensions": None}],
    "model": "mistral-ocr-2505",
    "usage_info": {"pages_processed": 3, "doc_size_bytes": 10},
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server.asked.append((self.path, body))
        content, kind = server.answer(self.path, body)
        self.send_response(server.status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, bytes]] = []

    def answer(self, path: str, body: bytes) -> tuple[bytes, str]:
        """Give the answer of the API at a path."""
        if self.status != 200:
            return (
                b'{"type": "error", "error": {"type": "api_error", "message": "it broke"}}',
                "application/json",
            )
        if path.endswith("/ocr"):
            return json.dumps(PAGES).encode(), "application/json"
        if path.endswith("/chat/completions"):
            return json.dumps(CHAT).encode(), "application/json"
        if b'"stream":true' in body.replace(b" ", b""):
            return SPEAKING, "text/event-stream"
        return json.dumps(MESSAGE).encode(), "application/json"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[_Server]:
    with serving() as running:
        yield running


@pytest.fixture
def rust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the core send what it can."""
    monkeypatch.setenv("LITELLM_RUST", "1")


def document(server: _Server, **more: Any) -> dict[str, Any]:
    page = {"type": "document_url", "document_url": "https://example.org/a.pdf"}
    return {
        "model": "mistral/mistral-ocr-latest",
        "document": page,
        "api_base": server.url,
        "api_key": "k",
        **more,
    }


def message(server: _Server, **more: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": "hi"}]
    named = {"model": "anthropic/claude-sonnet-4-5", "api_base": server.url, "api_key": "k", "max_tokens": 10}
    return {**named, "messages": said, **more}


async def read(chunks: Any) -> None:
    async for _ in chunks:
        pass


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_document_read_by_the_core_is_one_call(asynchronous: bool, server: _Server, kept: Kept) -> None:  # noqa: FBT001 - a parameter
    asked = document(server, metadata={"user_id": "u1", "tenant": "acme"})
    if asynchronous:
        asyncio.run(litellm.aocr(**asked))
    else:
        litellm.ocr(**asked)
    record = kept.only
    assert len(server.asked) == 1
    assert (record.provider, record.api, record.model) == ("mistral", "ocr", "mistral-ocr-2505")
    assert (record.model_requested, record.usage.units) == ("mistral-ocr-latest", {"pages": 3})
    assert (record.user, record.tags) == ("u1", {"tenant": "acme"})


@pytest.mark.usefixtures("rust")
def test_a_message_by_the_core_is_one_call(server: _Server, kept: Kept) -> None:
    with context(user="u1"):
        made = asyncio.run(litellm.anthropic.messages.acreate(**message(server)))
    assert made["_hidden_params"]["additional_headers"]["x-litellm-rust"] == "true"
    assert (kept.only.provider, kept.only.user, kept.only.usage.units) == ("anthropic", "u1", UNITS)


class Speaking:
    """What the core does for a stream, without the packages of the proxy that litellm asks for around it."""

    def __init__(self, *, breaks: bool = False) -> None:
        end = ConnectionError("gone") if breaks else bridge.execution.Complete(None)
        parts = [part + b"\n\n" for part in SPEAKING.split(b"\n\n") if part]
        chunks = [bridge.execution.StreamChunk(part) for part in (parts[:1] if breaks else parts)]
        self.steps: list[Any] = [bridge.execution.StreamOpen({}), *chunks, end]

    def send(self, _value: object) -> Any:
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def throw(self, error: BaseException) -> Any:
        return bridge.execution.Complete(error)

    def close(self) -> None:
        """Let go of nothing."""


def stream_of(execution: Speaking) -> Any:
    """Give the stream of a call that the core takes."""
    catalog = bridge.catalog
    binding: Any = bridge.bindings.NativeBinding(
        "messages", validate=lambda _value: bridge.execution.synchronous(lambda _call: execution)
    )
    return bridge.runtime.run(
        catalog.RouteContext(
            catalog.Route.MESSAGES, provider="anthropic", model="anthropic/claude-sonnet-4-5"
        ),
        binding=binding,
        native=lambda hook: hook(None),
        python=bridge.runtime.NO_PYTHON,
        rules=(catalog.RouteRule(catalog.Route.MESSAGES, bridge.configuration.Rollout.RUST_REQUIRED),),
    )


def test_a_stream_by_the_core_is_one_call_when_it_ends(kept: Kept) -> None:
    stream = stream_of(Speaking())
    assert not kept.records
    assert b"".join(stream) == SPEAKING
    assert (kept.only.streamed, kept.only.usage.units, kept.only.flags) == (True, UNITS, ())
    assert kept.only.time_to_first_token_ms is not None


def test_an_asynchronous_stream_by_the_core_likewise(kept: Kept) -> None:
    async def main() -> None:
        execution = Speaking()
        await read(
            await bridge.runtime.arun(
                bridge.catalog.RouteContext(bridge.catalog.Route.MESSAGES, provider="anthropic"),
                binding=bridge.bindings.NativeBinding("amessages", validate=lambda _value: execution),
                native=lambda core: bridge.execution.drive(core, bridge.execution.AsyncStream),
                python=bridge.runtime.NO_PYTHON,
                rules=(
                    bridge.catalog.RouteRule(
                        bridge.catalog.Route.MESSAGES, bridge.configuration.Rollout.RUST_REQUIRED
                    ),
                ),
            )
        )

    asyncio.run(main())
    assert (kept.only.streamed, kept.only.usage.units, kept.only.flags) == (True, UNITS, ())


@pytest.mark.parametrize("way", ["closed", "dropped"])
def test_a_stream_by_the_core_that_is_left_is_one_partial_call(way: str, kept: Kept) -> None:
    stream = stream_of(Speaking())
    next(stream)
    if way == "closed":
        stream.close()
    del stream
    assert (kept.only.status, "partial" in kept.only.flags, kept.only.usage.units["input"]) == (
        "success",
        True,
        1000,
    )


def test_a_stream_by_the_core_that_breaks_is_one_failed_call(kept: Kept) -> None:
    stream = stream_of(Speaking(breaks=True))
    with pytest.raises(ConnectionError, match="gone"):
        list(stream)
    assert (kept.only.status, kept.only.error_type) == ("error", "ConnectionError")


@pytest.mark.parametrize("what", ["ocr", "messages"])
def test_what_the_provider_refuses_is_one_failed_call(
    what: str, server: _Server, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_RUST", "1")
    server.status = 400

    def ask() -> Any:
        if what == "ocr":
            return litellm.ocr(**document(server))
        return asyncio.run(litellm.anthropic.messages.acreate(**message(server)))

    with pytest.raises(Exception, match="it broke"):
        ask()
    assert (kept.only.status, kept.only.cost) == ("error", None)


@pytest.mark.usefixtures("rust")
def test_what_the_core_declines_is_counted_where_python_sends_it(server: _Server, kept: Kept) -> None:
    async def declining(_call: Any) -> Any:
        raise bridge._native.RustBridgeDeclined("not this one")

    entry = bridge.messages.entrypoints.NATIVE_AMESSAGES
    entry.override(declining)
    try:
        asyncio.run(litellm.anthropic.messages.acreate(**message(server)))
    finally:
        entry.reset()
    assert (kept.only.provider, kept.only.usage.units) == ("anthropic", UNITS)


def test_the_handler_on_aiohttp_is_seen_once(server: _Server, kept: Kept) -> None:
    async def main() -> None:
        said = [{"role": "user", "content": "hi"}]
        base = f"{server.url}/v1/chat/completions"
        await litellm.acompletion("aiohttp_openai/gpt-4o", messages=said, api_base=base, api_key="k")
        await handler.close()

    handler = litellm.main.base_llm_aiohttp_handler
    asyncio.run(main())
    handler.client_session = handler.transport = (
        None  # it is the module's, and the next test's loop is another
    )
    assert len(server.asked) == 1
    assert (kept.only.provider, kept.only.usage.units) == ("openai", UNITS)


def test_taken_out_again_the_core_is_not_looked_at(layers: Hooks, server: _Server, kept: Kept) -> None:
    layers.uninstrument()
    litellm.ocr(**document(server))
    assert not kept.records
