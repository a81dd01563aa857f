"""What a viewer chose: the period and the filters, to and from the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

PERIODS: Mapping[str, str] = {
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "month": "This month",
    "year": "This year",
    "all": "All time",
}
FILTERS: Mapping[str, str] = {
    "provider": "Provider",
    "model": "Model",
    "user": "User",
    "query_type": "Query type",
    "status": "Status",
}
"""Dimensions that can be filtered on, with the words for them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The question that every chart of a view asks."""

    period: str = "30d"
    provider: str | None = None
    model: str | None = None
    user: str | None = None
    query_type: str | None = None
    status: str | None = None

    @classmethod
    def read(cls, address: Mapping[str, str]) -> "Choice":
        """Read a choice from an address; what is not known there counts as not said."""
        said = {field.name: address[field.name] for field in fields(cls) if field.name in address}
        if said.get("period", "all") not in PERIODS:
            said.pop("period", None)
        return cls(**said)

    def address(self) -> dict[str, str]:
        """Give the parameters of the address; what stands there by itself is left out."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        usual = Choice()
        return {name: value for name, value in said.items() if value not in {None, getattr(usual, name)}}

    def question(self, tz: str) -> dict[str, Any]:
        """Give the keywords of a report."""
        where = {name: value for name in FILTERS if (value := getattr(self, name)) is not None}
        since = None if self.period == "all" else self.period
        return {"since": since, "where": where, "tz": tz}

    def with_(self, **changes: str | None) -> "Choice":
        """Give the choice with some parts changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # fields by name; period is never None
