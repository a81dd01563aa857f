"""A small client over the official SDKs, and mock profiles that need no key."""

from outlay.llm.adapters import get_adapter, list_adapters, register_adapter
from outlay.llm.response import Adapter, LLMResponse

__all__ = ["Adapter", "LLMResponse", "get_adapter", "list_adapters", "register_adapter"]
