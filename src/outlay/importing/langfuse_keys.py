"""Rarer keys of Langfuse's usage: which unit each counts, by side, beside those that its own SDKs write."""

from collections.abc import Mapping

_MODALITIES = {"text": "", "image": "_image", "video": "_video", "audio": "_audio", "document": "_document"}


def _by_modality(before: str, unit: str) -> dict[str, str]:
    """Give LangChain's keys for what Gemini counts by modality, whose names are words or numbers."""
    return {
        f"{before}_modality_{name}": f"{unit}{end}"
        for number, (word, end) in enumerate(_MODALITIES.items(), 1)
        for name in (word, word.upper(), number)
    }


APART: Mapping[str, Mapping[str, str]] = {
    "input": {
        **_by_modality("input", "input"),
        **_by_modality("cached", "cache_read"),
        "tool_use_prompt_token_count": "input",
        "toolUsePromptTokenCount": "input",
        "cacheReadInputTokens": "cache_read",
        "cacheWriteInputTokens": "cache_write",
        "cache_write_tokens": "cache_write",
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
        **_by_modality("output", "output"),
        "thoughts_token_count": "reasoning",
        "thoughtsTokenCount": "reasoning",
        "output_flex_reasoning": "reasoning",
        "output_priority_reasoning": "reasoning",
        "output_image": "output_image",
        "output_image_tokens": "output_image",
    },
}
RAW: Mapping[str, tuple[str, ...]] = {
    "input": ("prompt_tokens", "promptTokens", "prompt_token_count", "promptTokenCount"),
    "output": ("completion_tokens", "completionTokens", "candidates_token_count", "candidatesTokenCount"),
}
"""A provider's own words for a side, which Langfuse keeps where it does not know all of a usage."""
LIVED = "cache_creation_ephemeral_1h_input_tokens"
AS_WELL = frozenset({LIVED, "cache_creation_ephemeral_5m_input_tokens"})
"""LangChain's parts of what ``cache_creation_input_tokens`` counts."""
INSIDE = ("cached_content_token_count", "cachedContentTokenCount")
"""Gemini's part of its prompt, which LangChain repeats beside the modalities of what was cached."""
RARE = frozenset((*AS_WELL, *INSIDE, *(name for names in (*APART.values(), *RAW.values()) for name in names)))
