"""Providers: whose prices may stand in for another's, and who makes which model."""

import re
from collections.abc import Mapping
from types import MappingProxyType

STAND_INS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Azure's global deployments and Vertex's global endpoint list the maker's own prices.
        "azure": ("openai", "anthropic", "deepseek", "xai", "moonshotai", "mistral", "cohere"),
        "vertex": ("google", "anthropic"),
        "google": ("vertex",),
    }
)
"""Whose prices a provider's calls take for a model that is not in its own list; flagged."""

OWN_HARDWARE = frozenset(
    {"ollama", "vllm", "lmstudio", "lm_studio", "llamacpp", "llama.cpp", "llamafile", "lemonade"}
)

_MAKERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), maker)
    for pattern, maker in (
        (
            r"(?:[a-z-]+\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21|openai|deepseek|qwen|writer)\.",
            "bedrock",
        ),
        (r"claude", "anthropic"),
        (
            r"ft:|gpt-|chatgpt|o\d|text-(?:embedding|moderation)-|omni-|dall-e|whisper-1|tts-1|sora|codex|davinci",
            "openai",
        ),
        (r"gemini|gemma|imagen|veo|text-embedding-00|lyria", "google"),
        (r"mistral|ministral|magistral|codestral|devstral|pixtral|voxtral|open-mi", "mistral"),
        (r"command|embed-|rerank-|c4ai", "cohere"),
        (r"grok", "xai"),
        (r"deepseek", "deepseek"),
        (r"sonar|r1-1776|pplx", "perplexity"),
        (r"kimi|moonshot", "moonshotai"),
        (r"glm-", "zai"),
        (r"qwen", "alibaba"),
        (r"voyage", "voyage"),
        (r"nova-|titan-", "bedrock"),
    )
)
HOMES = (
    "openai", "anthropic", "google", "mistral", "deepseek", "xai", "cohere", "perplexity", "moonshotai",
    "zai", "alibaba", "voyage", "bedrock", "vertex", "groq", "cerebras", "meta", "minimax",
)  # fmt: skip
"""Where a model is looked for when no provider is given: makers and their own clouds, never resellers."""


def homes_of(model: str) -> tuple[str, ...]:
    """Give the providers in whose lists a model without a provider is looked for, likeliest first."""
    likely = [maker for pattern, maker in _MAKERS if pattern.match(model)]
    return tuple(dict.fromkeys((*likely, *HOMES)))
