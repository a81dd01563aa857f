"""Names of span attributes by what they say, in every dialect that is known; the newest name of each first.

The conventions' own (old and new), OpenInference's (``llm.*``), Traceloop's (``traceloop.*``), Langfuse's
(``langfuse.*``), Vercel's (``ai.*``), MLflow's and Logfire's.
"""

from collections.abc import Mapping
from types import MappingProxyType

Names = tuple[str, ...]


def _usage(*ends: str) -> Names:
    return tuple(f"gen_ai.usage.{end}" for end in ends)


COUNTS: Mapping[str, Names] = MappingProxyType(
    {
        "input": (
            *_usage("input_tokens", "prompt_tokens"),
            *("llm.token_count.prompt", "llm.usage.prompt_tokens", "ai.usage.inputTokens"),
            *("ai.usage.promptTokens", "ai.usage.tokens"),
        ),
        "output": (
            *_usage("output_tokens", "completion_tokens"),
            *("llm.token_count.completion", "llm.usage.completion_tokens", "ai.usage.outputTokens"),
            "ai.usage.completionTokens",
        ),
        "cache_read": (
            *_usage("cache_read.input_tokens", "cache_read_input_tokens", "cache_read_tokens"),
            *_usage("details.cache_read_tokens", "details.cache_read_input_tokens", "details.cached_tokens"),
            *_usage("cached_input_tokens", "cached_tokens", "cached_prompt_text_tokens"),
            "llm.token_count.prompt_details.cache_read",
            *("llm.token_count.prompt_details.cache_input", "ai.usage.cachedInputTokens"),
            "ai.usage.inputTokenDetails.cacheReadTokens",
        ),
        "cache_write": (
            *_usage("cache_write.input_tokens", "cache_creation.input_tokens", "cache_creation_input_tokens"),
            *_usage(
                "cache_write_tokens", "details.cache_write_tokens", "details.cache_creation_input_tokens"
            ),
            *_usage("cache_write_input_tokens"),
            *("llm.token_count.prompt_details.cache_write", "ai.usage.inputTokenDetails.cacheWriteTokens"),
        ),
        "cache_write_1h": ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
        "reasoning": (
            *_usage("reasoning.output_tokens", "reasoning_tokens", "details.reasoning_tokens"),
            *("llm.usage.reasoning_tokens", "llm.token_count.completion_details.reasoning"),
            *("ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"),
        ),
        "reasoning_beside": _usage("experimental.reasoning_tokens"),
        "total": (
            *_usage("total_tokens"),
            *("llm.usage.total_tokens", "llm.token_count.total", "ai.usage.totalTokens"),
        ),
        "input_audio": (
            *_usage("audio.input_tokens", "details.input_audio_tokens"),
            "llm.token_count.prompt_details.audio",
        ),
        "input_image": _usage("image.input_tokens", "prompt_image_tokens"),
        "cache_read_audio": _usage("audio.cache_read.input_tokens"),
        "cache_read_image": _usage("image.cache_read.input_tokens"),
        "output_audio": (
            *_usage("audio.output_tokens", "details.output_audio_tokens"),
            "llm.token_count.completion_details.audio",
        ),
        "output_image": _usage("image.output_tokens"),
    }
)
"""Counts, each with the names of which one is read; two that differ are flagged.

Thoughts under the name of Google's ADK lie beside the output, which is what can be seen.
"""

OLD_CACHE_NAMES = frozenset(_usage("cache_read_input_tokens", "cache_creation_input_tokens"))
"""Anthropic's own words: who writes them copies its counts, whose input is without cached tokens."""

PROVIDER: Names = (
    *("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"),
    "langfuse.observation.metadata.ls_provider",
)
MODEL: Names = (
    *("gen_ai.response.model", "llm.model_name", "embedding.model_name", "reranker.model_name"),
    *("langfuse.observation.model.name", "ai.response.model", "llm.response.model"),
)
MODEL_REQUESTED: Names = ("gen_ai.request.model", "llm.request.model", "ai.model.id")
RESPONSE_ID: Names = ("gen_ai.response.id", "ai.response.id", "llm.response.id")
OPERATION: Names = ("gen_ai.operation.name", "llm.request.type")
KIND: Names = ("openinference.span.kind", "traceloop.span.kind", "langfuse.observation.type")
SESSION: Names = (
    *("gen_ai.conversation.id", "session.id", "langfuse.session.id"),
    "traceloop.association.properties.session_id",
)
USER: Names = ("user.id", "enduser.id", "langfuse.user.id", "traceloop.association.properties.user_id")
AGENT: Names = ("gen_ai.agent.name", "traceloop.entity.name", "agent.name")
SERVED_TIER: Names = ("openai.response.service_tier", "anthropic.response.service_tier")
ASKED_TIER = "openai.request.service_tier"
PREPARED = frozenset({"_prepare_chat_with_tools"})
"""Methods whose spans of llama-index say that they are a model's, and only get a request ready."""

SAY_OPERATIONS = frozenset({"com.anthropic.sdk.python"})
"""Emitters that name the operation of every call: what names none counts tokens, or begins a session."""

FRAMEWORKS = frozenset(
    {
        "langchain",
        "langgraph",
        "llamaindex",
        "llama_index",
        "llama-index",
        "haystack",
        "crewai",
        "dspy",
        "agno",
        "autogen",
        "gcp.vertex.agent",  # Google's ADK
        "microsoft.agent_framework",
        "smolagents",
        "strands-agents",
    }
)
"""What some frameworks' instrumentations write where the provider belongs: their own name."""
STREAMED: Names = (
    "gen_ai.request.is_stream",
    "gen_ai.is_streaming",
    "llm.is_streaming",
    "gen_ai.request.stream",
)

COSTS: Names = (
    *("gen_ai.usage.cost.amount", "gen_ai.usage.cost", "operation.cost", "llm.cost.total"),
    *("mlflow.llm.cost", "langfuse.observation.cost_details", "_signoz.gen_ai.total_cost"),
)
"""Reported costs, the emitter's own before a backend's; Langfuse's and MLflow's are JSON objects."""
COST_TICKS = "gen_ai.usage.cost_in_usd_ticks"
"""xAI's SDK writes its cost so: a tick is 1e-10 dollars (docs.x.ai/developers/cost-tracking)."""
COST_PARTS: tuple[Names, ...] = (
    ("llm.cost.prompt", "llm.cost.completion"),
    ("gen_ai.usage.input_cost", "gen_ai.usage.output_cost"),
)
"""Costs of both sides, which are the call's where no cost of the whole stands on the span."""
COST_CURRENCY = "gen_ai.usage.cost.currency"
LANGFUSE_USAGE = "langfuse.observation.usage_details"

OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        "chat": "chat",
        "completion": "text_completion",
        "text_completion": "text_completion",
        "generate_content": "generate_content",
        "embedding": "embeddings",
        "embeddings": "embeddings",
        "rerank": "retrieval",
        "llm": "chat",
        "reranker": "retrieval",
        "generation": "chat",
    }
)
"""Words for operations and kinds of spans that are single calls -> the conventions' operation."""
