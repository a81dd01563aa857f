"""All rate cards of one model under one set of terms, over time."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from outlay.pricing.card import RateCard, Unpriced
from outlay.pricing.resolve import Asked, card_at
from outlay.pricing.rows import Row


@dataclass(slots=True)
class Timeline:
    """All cards of one model under one set of terms, each made when first asked for."""

    asked: Asked | None
    rows: tuple[Row, ...] = ()
    common: tuple[Row, ...] = ()
    edges: tuple[datetime, ...] = ()
    unpriced: Unpriced | None = None
    cards: dict[int | tuple[int, tuple[bool, ...]], RateCard | Unpriced] = field(default_factory=dict)
    windowed: tuple[Row, ...] = ()
    provisioned: bool = False  # the terms say so, and the provider sells throughput by the hour

    def at(self, at: datetime) -> RateCard | Unpriced:
        """Give the card of an instant; cards are as many as the rows have edges and windows."""
        bucket = bisect_right(self.edges, at)
        key = (bucket, tuple([row.is_open(at) for row in self.windowed])) if self.windowed else bucket
        return self.cards.get(key) or self._made(key, at)

    def _made(self, key: int | tuple[int, tuple[bool, ...]], at: datetime) -> RateCard | Unpriced:
        made: RateCard | Unpriced | str = self.unpriced or "no price is known"
        if self.asked is not None:
            made = card_at(self.asked, self.rows, self.common, at)
        return self.cards.setdefault(key, Unpriced(made) if isinstance(made, str) else made)
