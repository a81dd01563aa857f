"""Usage x dated prices -> Cost: exact, explained, and never a zero for what is not known."""

from outlay.pricing.book import Book, Listing
from outlay.pricing.card import RateCard, Tier, Unpriced
from outlay.pricing.charge import cost_of, usage_from_counts
from outlay.pricing.compare import PriceChange, price_changes
from outlay.pricing.explain import explain
from outlay.pricing.rates import Rate
from outlay.pricing.rows import Row
from outlay.pricing.tables import Sheet, read_sheet, sheet_from, sheet_of
from outlay.pricing.tariff import Basis, basis_of, tariff_of

__all__ = [
    "Basis",
    "Book",
    "Listing",
    "PriceChange",
    "Rate",
    "RateCard",
    "Row",
    "Sheet",
    "Tier",
    "Unpriced",
    "basis_of",
    "cost_of",
    "explain",
    "price_changes",
    "read_sheet",
    "sheet_from",
    "sheet_of",
    "tariff_of",
    "usage_from_counts",
]
