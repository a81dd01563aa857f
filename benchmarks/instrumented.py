"""What one instrumented call adds in CPU: sync, async and 50-chunk streams, peers beside us.

Each instrumentation runs in processes of its own, which take turns; in each, a plain and an instrumented call
take turns (``benchmarks.pairs``). The provider is a mock transport, so that only the SDK and the
instrumentation are measured. ``python -m benchmarks.instrumented stream`` prints one table, ``stream 300``
the same by 300 pairs in each process, ``outlay stream 2000`` that of one instrumentation by 2,000 in one.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import openai

from benchmarks.pairs import Block, Pairs, Switch, Turns, joined, show_added, take_pairs, take_pairs_async
from benchmarks.timing import environment_of

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
PROCESSES = 3  # of each instrumentation
PAIRS = {"sync": 4_200, "async": 4_200, "stream": 900, "astream": 900}  # in each process
BLOCKS = {"sync": 700, "async": 700, "stream": 100, "astream": 100}  # pairs between two flushes, a second
STREAMED: dict[str, Any] = {**ASK, "stream": True, "stream_options": {"include_usage": True}}


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


Flush = Callable[[], object]
"""Does at once what would be done later, in another thread."""


def start_outlay() -> Flush:
    """Switch outlay on, with a journal in a temporary folder."""
    import outlay
    from outlay import process
    from outlay.settings import Settings

    process.use(Settings(home=Path(tempfile.mkdtemp())))
    outlay.instrument("openai")
    return outlay.flush


def provider_in_memory() -> tuple[Any, Flush]:
    """Make OpenTelemetry's provider with a batch processor that exports to memory, emptied at each flush."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))

    def flush() -> None:
        provider.force_flush()
        exporter.clear()

    return provider, flush


def start_opentelemetry() -> Flush:
    """Switch on OpenTelemetry's instrumentation for openai."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    provider, flush = provider_in_memory()
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return flush


def start_openinference() -> Flush:
    """Switch on OpenInference's instrumentation for openai, likewise."""
    from openinference.instrumentation.openai import OpenAIInstrumentor

    provider, flush = provider_in_memory()
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return flush


def start_langfuse() -> Flush:
    """Switch on langfuse's instrumentation for openai, exporting to memory; it batches by itself."""
    from langfuse import Langfuse
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    client = Langfuse(public_key="pk", secret_key="sk", span_exporter=exporter)  # noqa: S106 - nobody's
    import langfuse.openai  # noqa: F401 - importing it is what wraps the SDK's methods

    def flush() -> None:
        client.flush()
        exporter.clear()

    return flush


VARIANTS: dict[str, Callable[[], Flush]] = {
    "outlay": start_outlay,
    "opentelemetry": start_opentelemetry,
    "openinference": start_openinference,
    "langfuse": start_langfuse,
}
"""What is measured; langfuse in an environment of its own, with the same SDK."""


def sync_call() -> Callable[[], object]:
    """Make a plain call's function."""
    client = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
    return lambda: client.chat.completions.create(**ASK)


def stream_call() -> Callable[[], object]:
    """Make one that reads a stream whose caller asks for usage: every variant does the same on the wire."""
    client = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))

    def call() -> None:
        for _ in client.chat.completions.create(**STREAMED):
            pass

    return call


def async_client() -> openai.AsyncOpenAI:
    """Make a client for an event loop."""
    transport = httpx2.MockTransport(answer)
    return openai.AsyncOpenAI(api_key="x", http_client=httpx2.AsyncClient(transport=transport))


def async_call() -> Callable[[], Awaitable[object]]:
    """Make one for an event loop."""
    client = async_client()
    return lambda: client.chat.completions.create(**ASK)


def async_stream_call() -> Callable[[], Awaitable[object]]:
    """Make one that reads a stream in an event loop."""
    client = async_client()

    async def call() -> None:
        async for _ in await client.chat.completions.create(**STREAMED):
            pass

    return call


SYNC: dict[str, Callable[[], Callable[[], object]]] = {"sync": sync_call, "stream": stream_call}
ASYNC: dict[str, Callable[[], Callable[[], Awaitable[object]]]] = {
    "async": async_call,
    "astream": async_stream_call,
}


def taken(variant: str, form: str, pairs: int) -> Pairs:
    """Measure one variant in this process."""
    flush: list[Flush] = []
    switch = Switch("openai", lambda: flush.append(VARIANTS[variant]()))
    turns = Turns(switch, flush[0], min(BLOCKS[form], 1 + pairs // 10))
    if form in ASYNC:
        return asyncio.run(take_pairs_async(ASYNC[form](), turns, pairs))
    return take_pairs(SYNC[form](), turns, pairs)


def tell(variant: str, form: str, pairs: int) -> None:
    """Measure one variant in this process and print its pairs for another one."""
    print(json.dumps([(each.calls, each.others) for each in taken(variant, form, pairs).blocks]))


def ran(variant: str, form: str, pairs: int, python: tuple[str, ...]) -> Pairs:
    """Measure one variant in a process of its own."""
    code = f"from benchmarks.instrumented import tell; tell({variant!r}, {form!r}, {pairs})"
    result = subprocess.run([*python, "-c", code], check=True, capture_output=True, text=True)
    blocks = json.loads(result.stdout.splitlines()[-1])
    return Pairs(tuple(Block(tuple(map(tuple, calls)), others) for calls, others in blocks))


def compare(form: str, pairs: int, pythons: dict[str, tuple[str, ...]]) -> None:
    """Print a table of all variants."""
    parts: dict[str, list[Pairs]] = {name: [] for name in pythons}
    for _ in range(PROCESSES):
        for name, python in pythons.items():
            parts[name].append(ran(name, form, pairs, python))
    measured = {name: joined(each) for name, each in parts.items()}
    show_added(f"What is added to one call, {form}, CPU of all threads", measured, "outlay")


def main(*words: str) -> None:
    """Print a table for each form, or for these; of one variant alone, where it is named."""
    forms = [word for word in words if word in PAIRS] or list(PAIRS)
    pairs = {**PAIRS, **{form: int(word) for form in forms for word in words if word.isdigit()}}
    for variant in [word for word in words if word in VARIANTS]:
        for form in forms:
            measured = {variant: taken(variant, form, pairs[form])}
            show_added(f"What {variant} adds to one call, {form}, CPU of all threads", measured, variant)
        return
    apart = environment_of("langfuse", f"openai=={openai.__version__}", "httpx2", "rich")
    pythons: dict[str, tuple[str, ...]] = dict.fromkeys(VARIANTS, (sys.executable,))
    if apart is None:
        del pythons["langfuse"]
        print("langfuse: left out, there is no uv to make an environment for it, or it cannot be had")
    else:
        pythons["langfuse"] = apart
    for form in forms:
        compare(form, pairs[form], pythons)


if __name__ == "__main__":
    main(*sys.argv[1:])
