"""Which reader reads which API: one row for each, with its collector and its OpenTelemetry operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from outlay.extract.anthropic import MessagesStream, read_messages
from outlay.extract.bedrock import ConverseStream, read_converse
from outlay.extract.chat import read_chat
from outlay.extract.cohere import CohereStream, read_cohere, read_rerank
from outlay.extract.google import GenerateContentStream, read_generate_content
from outlay.extract.google_turns import InteractionStream, LiveStream, read_interaction, read_live
from outlay.extract.invoke import InvokeStream, read_invoke
from outlay.extract.media import MediaStream, read_embeddings, read_images, read_ocr, read_transcription
from outlay.extract.ollama import OllamaStream, read_ollama
from outlay.extract.realtime import RealtimeStream, read_realtime
from outlay.extract.responses import ResponsesStream, read_responses
from outlay.extract.streams import BodyReader, Collector, LastUsage
from outlay.extract.xai import GrpcStream, read_grpc_chat


@dataclass(frozen=True, slots=True)
class Reader:
    """How one API's responses are read."""

    operation: str  # OpenTelemetry's gen_ai.operation.name
    body: BodyReader
    stream: Callable[[str], Collector]


READERS: Mapping[str, Reader] = {
    "chat": Reader("chat", read_chat, partial(LastUsage, read_chat)),
    "responses": Reader("chat", read_responses, ResponsesStream),
    "completions": Reader("text_completion", read_chat, partial(LastUsage, read_chat)),
    "embeddings": Reader("embeddings", read_embeddings, partial(LastUsage, read_embeddings)),
    "images": Reader("generate_content", read_images, partial(MediaStream, read_images)),
    "transcription": Reader("generate_content", read_transcription, partial(MediaStream, read_transcription)),
    "realtime": Reader("chat", read_realtime, RealtimeStream),
    "messages": Reader("chat", read_messages, MessagesStream),
    "generate_content": Reader("generate_content", read_generate_content, GenerateContentStream),
    "live": Reader("chat", read_live, LiveStream),
    "interactions": Reader("chat", read_interaction, InteractionStream),
    "converse": Reader("chat", read_converse, ConverseStream),
    "invoke_model": Reader("chat", read_invoke, InvokeStream),
    "cohere_chat": Reader("chat", read_cohere, CohereStream),
    "cohere_embed": Reader("embeddings", read_cohere, CohereStream),
    "rerank": Reader("retrieval", read_rerank, partial(LastUsage, read_rerank)),
    "ollama_chat": Reader("chat", read_ollama, OllamaStream),
    "ollama_generate": Reader("text_completion", read_ollama, OllamaStream),
    "ocr": Reader("generate_content", read_ocr, partial(LastUsage, read_ocr)),
    "grpc_chat": Reader("chat", read_grpc_chat, GrpcStream),
}
"""Every API by its name; the one place to add another."""

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
