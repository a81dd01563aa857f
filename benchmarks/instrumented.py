"""What one instrumented call adds in CPU: sync, async and a 50-chunk stream, peers beside us.

Each variant runs in a process of its own, since instrumentations patch classes for good; the processes take
turns. The provider is a mock transport, so that only the SDK and the instrumentation are measured.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai

from benchmarks.timing import environment_of, reported_by, show, take_turns

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
BODY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": USAGE,
}
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
CHUNKS = 50
WARM_UP = 100
ROUNDS = 7
CALLS = {"sync": 1500, "async": 1500, "stream": 200}


def chunk(**fields: Any) -> bytes:
    """Write one event of a stream."""
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
    return f"data: {json.dumps({**body, 'choices': [], **fields})}\n\n".encode()


STREAM = (
    b"".join(chunk(choices=[{"index": 0, "delta": {"content": "word"}}]) for _ in range(CHUNKS - 1))
    + chunk(usage=USAGE)
    + b"data: [DONE]\n\n"
)


def answer(request: httpx2.Request) -> httpx2.Response:
    """Answer as the provider would."""
    if json.loads(request.content).get("stream"):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=STREAM)
    return httpx2.Response(200, json=BODY)


def start_outlay() -> None:
    """Switch outlay on, with a journal in a temporary folder."""
    import outlay
    from outlay import process
    from outlay.settings import Settings

    process.use(Settings(home=Path(tempfile.mkdtemp())))
    outlay.instrument("openai")


def start_opentelemetry() -> None:
    """Switch on OpenTelemetry's instrumentation for openai, with a batch processor, exporting to memory."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    OpenAIInstrumentor().instrument(tracer_provider=provider)


def start_openinference() -> None:
    """Switch on OpenInference's instrumentation for openai, likewise."""
    from openinference.instrumentation.openai import OpenAIInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    OpenAIInstrumentor().instrument(tracer_provider=provider)


def start_langfuse() -> None:
    """Switch on langfuse's instrumentation for openai, exporting to memory; it batches by itself."""
    from langfuse import Langfuse
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    Langfuse(public_key="pk", secret_key="sk", span_exporter=InMemorySpanExporter())  # noqa: S106 - nobody's
    import langfuse.openai  # noqa: F401 - importing it is what wraps the SDK's methods


VARIANTS: dict[str, Callable[[], None]] = {
    "plain": lambda: None,
    "outlay": start_outlay,
    "opentelemetry": start_opentelemetry,
    "openinference": start_openinference,
    "langfuse": start_langfuse,
}
"""What is measured; langfuse in an environment of its own, with the same SDK."""


def measure_sync(times: int) -> None:
    """Make plain calls."""
    client = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
    for _ in range(times):
        client.chat.completions.create(**ASK)


def measure_async(times: int) -> None:
    """Make plain calls in an event loop."""

    async def main() -> None:
        transport = httpx2.MockTransport(answer)
        client = openai.AsyncOpenAI(api_key="x", http_client=httpx2.AsyncClient(transport=transport))
        for _ in range(times):
            await client.chat.completions.create(**ASK)

    asyncio.run(main())


def measure_stream(times: int) -> None:
    """Read streams whose caller asks for usage, so that every variant does the same on the wire."""
    client = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
    for _ in range(times):
        for _chunk in client.chat.completions.create(
            **ASK, stream=True, stream_options={"include_usage": True}
        ):
            pass


MEASURES = {"sync": measure_sync, "async": measure_async, "stream": measure_stream}


def one(variant: str, form: str) -> None:
    """Run one variant in this process and print the CPU microseconds of a call, all threads together."""
    VARIANTS[variant]()
    MEASURES[form](WARM_UP)
    times = CALLS[form]
    start = time.process_time()
    MEASURES[form](times)
    print((time.process_time() - start) / times * 1e6)


def main() -> None:
    """Print a table for each form."""
    apart = environment_of("langfuse", f"openai=={openai.__version__}", "httpx2", "rich")
    pythons: dict[str, tuple[str, ...]] = dict.fromkeys(VARIANTS, (sys.executable,))
    if apart is None:
        del pythons["langfuse"]
        print("langfuse: left out, there is no uv to make an environment for it, or it cannot be had")
    else:
        pythons["langfuse"] = apart
    for form in CALLS:
        runs = {
            name: reported_by("-m", "benchmarks.instrumented", name, form, python=python)
            for name, python in pythons.items()
        }
        show(f"One instrumented call, {form}, CPU", take_turns(runs, ROUNDS), "plain")


if __name__ == "__main__":
    one(*sys.argv[1:]) if len(sys.argv) > 1 else main()
