"""Usage x dated prices -> Cost: exact, explained, and never a zero for what is not known."""

from outlay.pricing.book import Book, Listing
from outlay.pricing.card import RateCard, Tier, Unpriced
from outlay.pricing.charge import cost_of, usage_from_counts
from outlay.pricing.compare import PriceChange, price_changes, whatif
from outlay.pricing.explain import explain
from outlay.pricing.rates import Rate
from outlay.pricing.rows import Row

__all__ = [
    "Book",
    "Listing",
    "PriceChange",
    "Rate",
    "RateCard",
    "Row",
    "Tier",
    "Unpriced",
    "cost_of",
    "explain",
    "price_changes",
    "usage_from_counts",
    "whatif",
]
