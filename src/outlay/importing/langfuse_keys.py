"""Rarer keys of Langfuse's usage: which unit each counts, by side, beside those that its own SDKs write."""

from collections.abc import Mapping

APART: Mapping[str, Mapping[str, str]] = {
    "input": {
        "input_cached_text_tokens": "cache_read",
        "input_flex_cache_read": "cache_read",
        "input_priority_cache_read": "cache_read",
        "input_cached_audio_tokens": "cache_read_audio",
        "input_cache_write": "cache_write",
        "input_cache_write_tokens": "cache_write",
        "input_ephemeral_5m_input_tokens": "cache_write",
        "input_ephemeral_1h_input_tokens": "cache_write_1h",
        "input_image": "input_image",
        "input_image_tokens": "input_image",
    },
    "output": {
        "output_flex_reasoning": "reasoning",
        "output_priority_reasoning": "reasoning",
        "output_image": "output_image",
        "output_image_tokens": "output_image",
    },
}
RAW: Mapping[str, tuple[str, ...]] = {
    "input": ("prompt_tokens", "promptTokens"),
    "output": ("completion_tokens", "completionTokens"),
}
"""A provider's own words for a side, which Langfuse keeps where it does not know all of a usage."""
LIVED = "cache_creation_ephemeral_1h_input_tokens"
AS_WELL = frozenset({LIVED, "cache_creation_ephemeral_5m_input_tokens"})
"""LangChain's parts of what ``cache_creation_input_tokens`` counts."""
RARE = frozenset((*AS_WELL, *(name for names in (*APART.values(), *RAW.values()) for name in names)))
