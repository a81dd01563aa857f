"""A small client over the official SDKs, and mock profiles that need no key."""

from outlay.llm.adapters import get_adapter, list_adapters, register_adapter
from outlay.llm.client import Llm
from outlay.llm.config import LlmConfig
from outlay.llm.dynamic import DynamicLLMClient
from outlay.llm.registry import DictRegistry, LLMEntry, LLMRegistry, LLMTier
from outlay.llm.response import Adapter, LLMResponse
from outlay.llm.usage import CompletionUsage, LlmUsage

__all__ = [
    "Adapter",
    "CompletionUsage",
    "DictRegistry",
    "DynamicLLMClient",
    "LLMEntry",
    "LLMRegistry",
    "LLMResponse",
    "LLMTier",
    "Llm",
    "LlmConfig",
    "LlmUsage",
    "get_adapter",
    "list_adapters",
    "register_adapter",
]
