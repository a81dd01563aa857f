"""The name creative_services.adapters: the tracker that keeps its calls in Django's database."""

from outlay.contrib.django import DjangoUsageTracker

__all__ = ["DjangoUsageTracker"]
