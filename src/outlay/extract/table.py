"""Which reader reads which API: one row for each; a family's module is imported when first needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from outlay.extract.streams import BodyReader, Collector, LastUsage


class Row(NamedTuple):
    """Where an API's reader is: the module, its function for bodies, its class for streams."""

    operation: str  # OpenTelemetry's gen_ai.operation.name
    module: str
    body: str
    stream: str | None = None  # None: a stream's last usage is read as a body
    shared: bool = False  # whether the stream class is handed the function for bodies


@dataclass(frozen=True, slots=True)
class Reader:
    """How one API's responses are read."""

    operation: str
    body: BodyReader
    stream: Callable[[str], Collector]


ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "chat": Row("chat", "chat", "read_chat"),
        "responses": Row("chat", "responses", "read_responses", "ResponsesStream"),
        "completions": Row("text_completion", "chat", "read_chat"),
        "embeddings": Row("embeddings", "media", "read_embeddings"),
        "images": Row("generate_content", "media", "read_images", "MediaStream", shared=True),
        "transcription": Row("generate_content", "media", "read_transcription", "MediaStream", shared=True),
        "realtime": Row("chat", "realtime", "read_realtime", "RealtimeStream"),
        "messages": Row("chat", "anthropic", "read_messages", "MessagesStream"),
        "generate_content": Row(
            "generate_content", "google", "read_generate_content", "GenerateContentStream"
        ),
        "live": Row("chat", "google_turns", "read_live", "LiveStream"),
        "interactions": Row("chat", "google_turns", "read_interaction", "InteractionStream"),
        "converse": Row("chat", "bedrock", "read_converse", "ConverseStream"),
        "invoke_model": Row("chat", "invoke", "read_invoke", "InvokeStream"),
        "cohere_chat": Row("chat", "cohere", "read_cohere", "CohereStream"),
        "cohere_embed": Row("embeddings", "cohere", "read_cohere", "CohereStream"),
        "rerank": Row("retrieval", "cohere", "read_rerank"),
        "ollama_chat": Row("chat", "ollama", "read_ollama", "OllamaStream"),
        "ollama_generate": Row("text_completion", "ollama", "read_ollama", "OllamaStream"),
        "ocr": Row("generate_content", "media", "read_ocr"),
        "grpc_chat": Row("chat", "xai", "read_grpc_chat", "GrpcStream"),
    }
)
"""Every API by its name; the one place to add another."""


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
    return Reader(row.operation, body, partial(stream, body) if row.shared else stream)


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
