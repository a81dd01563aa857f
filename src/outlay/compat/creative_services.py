"""The names of creative_services: trackers by model id, a client that chooses, costs per thousand."""

from outlay.llm import DictRegistry, DynamicLLMClient, LLMEntry, LLMRegistry, LLMResponse, LLMTier
from outlay.trackers import InMemoryTracker, UsageStats, UsageTracker, calculate_cost
from outlay.trackers import UsageEntry as UsageRecord

__all__ = [
    "DictRegistry",
    "DynamicLLMClient",
    "InMemoryTracker",
    "LLMEntry",
    "LLMRegistry",
    "LLMResponse",
    "LLMTier",
    "UsageRecord",
    "UsageStats",
    "UsageTracker",
    "calculate_cost",
]
