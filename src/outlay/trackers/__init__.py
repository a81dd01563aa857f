"""Trackers that people keep by hand: in memory or in one JSON file, over the same records and prices."""

from outlay.trackers.cost_tracker import CostTracker
from outlay.trackers.prices import PRICING, calculate_cost
from outlay.trackers.tracker import InMemoryTracker, UsageTracker
from outlay.trackers.values import CallRecord, UsageEntry, UsageRecord, UsageStats
from outlay.trackers.wrap import tracked_chat

__all__ = [
    "PRICING",
    "CallRecord",
    "CostTracker",
    "InMemoryTracker",
    "UsageEntry",
    "UsageRecord",
    "UsageStats",
    "UsageTracker",
    "calculate_cost",
    "tracked_chat",
]
