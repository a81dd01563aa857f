"""Logging a call, and saying so at once when it was dear."""

from typing import Any

from outlay.capture.guard import guarded
from outlay.capture.printing import show_line
from outlay.logs.calls import log_llm_call

THRESHOLD = 0.05  # dollars


def log_with_alert(
    prompt: Any, result: Any, latency: float, *, threshold: float = THRESHOLD, **further: Any
) -> dict[str, Any]:
    """Log a call as ``log_llm_call`` does, and print a line if it cost more than ``threshold`` dollars."""
    entry = log_llm_call(prompt, result=result, latency=latency, **further)
    cost = entry.get("cost")
    if cost is not None and cost > threshold:
        guarded(show_line)(f"⚠️ EXPENSIVE QUERY: ${cost:.4f}")
    return entry
