"""The names of aicore: a client with usage and costs at hand, and its config."""

from outlay.llm import CompletionUsage, Llm, LlmConfig, LlmUsage

__all__ = ["CompletionUsage", "Llm", "LlmConfig", "LlmUsage"]
