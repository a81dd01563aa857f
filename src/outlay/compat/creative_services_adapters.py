"""The name creative_services.adapters: the tracker that keeps its calls in Django's database."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from outlay.core.errors import MissingExtraError, NotSupportedError

__all__ = ["DjangoUsageTracker"]


def DjangoUsageTracker(**options: Any) -> Any:  # noqa: N802 - the name of the class that it makes one of
    """Make a tracker in Django's database.

    Raises:
        MissingExtraError: Django is not installed.
        NotSupportedError: this outlay has no Django app.
    """
    if find_spec("django") is None:
        raise MissingExtraError.of("django", "Django")
    if find_spec("outlay.contrib") is None or find_spec("outlay.contrib.django") is None:
        raise NotSupportedError("this outlay has no Django app; take outlay.trackers.CostTracker")
    return import_module("outlay.contrib.django").DjangoUsageTracker(**options)
