"""OpenTelemetry: spans of other instrumentations in, as records; our records out, as metrics.

Nothing here is loaded by the rest of outlay; ``pip install "outlay[opentelemetry]"`` brings what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from outlay.core.errors import MissingExtraError

if TYPE_CHECKING:
    from outlay.otel.metrics import export_metrics
    from outlay.otel.processor import OutlaySpanProcessor

__all__ = ["OutlaySpanProcessor", "export_metrics"]

_ELSEWHERE = {"OutlaySpanProcessor": "outlay.otel.processor", "export_metrics": "outlay.otel.metrics"}


def __getattr__(name: str) -> Any:
    """Load a name when it is used: one clear error where OpenTelemetry is not installed."""
    if name not in _ELSEWHERE:
        raise AttributeError(f"module 'outlay.otel' has no attribute {name!r}")
    try:
        return getattr(import_module(_ELSEWHERE[name]), name)
    except ImportError as error:
        if (error.name or "").startswith("opentelemetry"):
            raise MissingExtraError.of("opentelemetry", "opentelemetry-sdk") from None
        raise
