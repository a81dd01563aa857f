"""Which reader reads which API: one row for each; a family's module is imported when first needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from outlay.extract.streams import AtItsEnds, BodyReader, Collector, LastUsage


class Row(NamedTuple):
    """Where an API's reader is: the module, its function for bodies, its class for streams."""

    operation: str  # OpenTelemetry's gen_ai.operation.name
    module: str
    body: str
    stream: str | None = None  # None: a stream's last usage is read as a body
    shared: bool = False  # whether the stream class is handed the function for bodies
    # Words of which a stream's event must hold one to bear on usage, unless it is the first or the last one:
    # what the stream class looks for. None: every event may.
    bears: tuple[str, ...] | None = ('"usage"',)
    # Types of an event that says all of a stream that ends with it.
    closing: tuple[str, ...] = ()
    ends: bool = False  # whether a live stream's first and last events say all that bears on usage
    usual: str | None = None  # the function that reads usual bodies, where the module has one; see usual.py


@dataclass(frozen=True, slots=True)
class Reader:
    """How one API's responses are read."""

    operation: str
    body: BodyReader
    stream: Callable[[str], Collector]


FINAL_RESPONSES = tuple(
    f"response.{end}" for end in ("completed", "incomplete", "failed", "cancelled", "done")
)
"""Types of the events that end a stream of responses, each with the whole response.

A tuple, for an event may be of any type, even one that cannot be hashed.
"""
_MESSAGES = ('"message_',)  # start and delta; looked for once
_MEDIA = ('"usage"', '"image_generation.completed"', '"image_edit.completed"', '"transcript.text.done"')
_COHERE = ('"message-end"', '"stream-end"')
_GOOGLE = ('etadata"',)  # the end of usage's and grounding's, in either way of writing; looked for once
ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "chat": Row("chat", "chat", "read_chat"),
        "responses": Row(
            *("chat", "responses", "read_responses", "ResponsesStream"),
            bears=(*(f'"{kind}"' for kind in FINAL_RESPONSES), '"error"'),
            closing=FINAL_RESPONSES,
            ends=True,
        ),
        "completions": Row("text_completion", "chat", "read_chat"),
        "embeddings": Row("embeddings", "media", "read_embeddings"),
        "images": Row(
            "generate_content", "media", "read_images", "MediaStream", shared=True, bears=_MEDIA, ends=True
        ),
        "transcription": Row(
            "generate_content",
            "media",
            "read_transcription",
            "MediaStream",
            shared=True,
            bears=_MEDIA,
            ends=True,
        ),
        "realtime": Row("chat", "realtime", "read_realtime", "RealtimeStream", bears=None),
        "messages": Row(
            "chat", "anthropic", "read_messages", "MessagesStream", bears=(*_MESSAGES, '"error"')
        ),
        "generate_content": Row(
            "generate_content",
            "google",
            "read_generate_content",
            "GenerateContentStream",
            bears=_GOOGLE,
            usual="usual_generate_content",
        ),
        "live": Row("chat", "google_turns", "read_live", "LiveStream", bears=None),
        "interactions": Row(
            "chat",
            "google_turns",
            "read_interaction",
            "InteractionStream",
            bears=('"interaction"', '"metadata"'),
        ),
        "converse": Row(
            *("chat", "bedrock", "read_converse", "ConverseStream"),
            bears=('"metadata"',),
            ends=True,
            usual="usual_converse",
        ),
        "invoke_model": Row("chat", "invoke", "read_invoke", "InvokeStream", bears=None),
        "cohere_chat": Row("chat", "cohere", "read_cohere", "CohereStream", bears=_COHERE, ends=True),
        "cohere_embed": Row("embeddings", "cohere", "read_cohere", "CohereStream", bears=_COHERE, ends=True),
        "rerank": Row("retrieval", "cohere", "read_rerank"),
        "ollama_chat": Row("chat", "ollama", "read_ollama", "OllamaStream", bears=()),
        "ollama_generate": Row("text_completion", "ollama", "read_ollama", "OllamaStream", bears=()),
        "ocr": Row("generate_content", "media", "read_ocr"),
        "grpc_chat": Row("chat", "xai", "read_grpc_chat", "GrpcStream"),
    }
)
"""Every API by its name; the one place to add another."""
CHUNKED = frozenset(api for api, row in ROWS.items() if row.stream is None)
"""Those whose streams are chunks of the body, the last usage of which counts."""


@lru_cache(maxsize=len(ROWS))
def reader_of(api: str) -> Reader:
    """Load the reader of an API that has a row.

    Raises:
        KeyError: it has none.
    """
    row = ROWS[api]
    module: Any = import_module(f"outlay.extract.{row.module}")
    body: BodyReader = getattr(module, row.body)
    stream = partial(LastUsage, body) if row.stream is None else getattr(module, row.stream)
    made: Callable[[str], Collector] = partial(stream, body) if row.shared else stream
    return Reader(row.operation, body, (lambda provider: AtItsEnds(made(provider))) if row.ends else made)


@lru_cache(maxsize=len(ROWS))
def usual_reader_of(api: str) -> Callable[[Mapping[str, Any]], Any] | None:
    """Load what reads an API's usual bodies; None where nothing does."""
    row = ROWS.get(api)
    if row is None or row.usual is None:
        return None
    found: Callable[[Mapping[str, Any]], Any] = getattr(
        import_module(f"outlay.extract.{row.module}"), row.usual
    )
    return found


KNOWN_PROVIDERS = frozenset(
    {
        *(
            "openai",
            "azure",
            "anthropic",
            "google",
            "vertex",
            "bedrock",
            "mistral",
            "cohere",
            "groq",
            "deepseek",
        ),
        *("xai", "together", "fireworks", "openrouter", "perplexity", "cerebras", "huggingface", "ollama"),
        *("vllm", "databricks", "moonshotai", "alibaba", "zai", "voyage", "ai21", "writer", "lmstudio"),
        *(
            "deepinfra",
            "cloudflare",
            "snowflake",
            "watsonx",
            "heroku",
            "crusoe",
            "novita",
            "sambanova",
            "nvidia",
        ),
        *(
            "litellm-proxy",
            "pydantic-gateway",
            "portkey",
            "github",
            "azure_ai",
            "nebius",
            "hyperbolic",
            "baseten",
        ),
    }
)
"""Providers whose conventions the readers know; any other is read by its API's shape alone."""
