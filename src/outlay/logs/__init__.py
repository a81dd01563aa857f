"""Logs of calls: printed, as JSON lines, or through the logging module; and reading them back."""

from outlay.logs.alert import log_with_alert
from outlay.logs.analysis import load_logs, quality_of, share_slower
from outlay.logs.calls import log_llm_call, tracked_llm_call
from outlay.logs.decorate import track_llm_cost
from outlay.logs.handler import CostLogFormatter, CostLogHandler
from outlay.logs.jsonl import JsonlLog

__all__ = [
    "CostLogFormatter",
    "CostLogHandler",
    "JsonlLog",
    "load_logs",
    "log_llm_call",
    "log_with_alert",
    "quality_of",
    "share_slower",
    "track_llm_cost",
    "tracked_llm_call",
]
