"""Which reader reads which API: one row for each, with its collector and its OpenTelemetry operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from outlay.extract.anthropic import MessagesStream, read_messages
from outlay.extract.chat import read_chat
from outlay.extract.google import GenerateContentStream, read_generate_content
from outlay.extract.responses import ResponsesStream, read_responses
from outlay.extract.streams import BodyReader, Collector, LastUsage


@dataclass(frozen=True, slots=True)
class Reader:
    """How one API's responses are read."""

    operation: str  # OpenTelemetry's gen_ai.operation.name
    body: BodyReader
    stream: Callable[[str], Collector]


def _chat_stream(provider: str) -> Collector:
    return LastUsage(read_chat, provider)


READERS: Mapping[str, Reader] = {
    "chat": Reader("chat", read_chat, _chat_stream),
    "responses": Reader("chat", read_responses, ResponsesStream),
    "completions": Reader("text_completion", read_chat, _chat_stream),
    "embeddings": Reader("embeddings", read_chat, _chat_stream),
    "messages": Reader("chat", read_messages, MessagesStream),
    "generate_content": Reader("generate_content", read_generate_content, GenerateContentStream),
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
