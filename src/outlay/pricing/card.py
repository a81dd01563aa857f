"""The rate card: what a model's units cost at an instant under given terms; or why nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from outlay.core.cost import Price
from outlay.core.units import TOKEN_UNITS
from outlay.pricing.rates import Rate, TierKind


@dataclass(frozen=True, slots=True)
class Tier:
    """The rates from a size on; ``rates`` are complete, not only those that differ."""

    tokens: int
    at_least: bool
    rates: Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class RateCard:
    """All rates of one model at one instant; resolved once and shared by all calls under the same terms."""

    provider: str
    model: str
    rates: Mapping[str, Rate]  # below every tier; token units without an own rate already filled in
    price: Price
    tiers: tuple[Tier, ...] = ()  # ascending
    kind: TierKind = "request"
    until: datetime | None = None  # the price changes then
    currency: str = "USD"
    flags: tuple[str, ...] = ()
    reason: str | None = None  # what the flags mean
    link: str | None = None
    free: bool = False  # every rate is zero
    fee: bool = False  # something is charged that no response counts
    once: frozenset[str] = frozenset()  # units charged once a call, however often they were used
    untold: frozenset[str] = frozenset()  # units charged at every call, which no response counts
    least: Mapping[str, int] = field(default_factory=dict)  # the smallest quantity of a unit that is charged
    context_window: int | None = None
    max_output: int | None = None
    deprecated: str | None = None
    # Those of tokens that say all of what is charged for them; none where something else decides, too.
    usual: Mapping[str, Rate] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look once at all that a card may hold beside its rates, for most hold nothing."""
        more = (
            self.fee or self.untold or "fee_unknown" in self.flags or (self.tiers and self.kind != "request")
        )
        found = {
            unit: rate
            for unit, rate in self.rates.items()
            if unit in TOKEN_UNITS and rate.flag is None and not (unit in self.once or unit in self.least)
        }
        object.__setattr__(self, "usual", {} if more else found)

    def rates_for(self, context_tokens: int) -> Mapping[str, Rate]:
        """Give the rates that hold for a whole request of so many input tokens."""
        chosen = self.rates
        for tier in self.tiers:
            if context_tokens > tier.tokens or (tier.at_least and context_tokens == tier.tokens):
                chosen = tier.rates
        return chosen


@dataclass(frozen=True, slots=True)
class Unpriced:
    """No price is known; ``reason`` says why, ``near`` names models that may have been meant."""

    reason: str
    near: tuple[str, ...] = ()
