"""Books with prices of one's own over the packaged ones, and what a call costs by them."""

from datetime import UTC, datetime
from typing import Any

from outlay.core.cost import Cost
from outlay.pricing import Book, RateCard, cost_of
from outlay.pricing.rows import USER
from outlay.pricing.tables import sheet_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


FLAT = """
[[model]]
provider = "acme"
model = "one"
price = [{ rates = { input = "10", output = "30" } }]
"""
MONTHLY = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
rates = { input = "10", output = "30" }
kind = "month"
above = [{ tokens = 1000, rates = { input = "20", output = "60" } }]
"""
STEPS = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
kind = "KIND"
rates = { input = "1", output = "10" }
above = [
  { tokens = 1000, rates = { input = "2", output = "20" } },
  { tokens = 5000, rates = { input = "3", output = "30" } },
]
"""


def book_of(text: str) -> Book:
    """Lay prices of one's own over the packaged ones."""
    return Book.of(sheet_of(text, "mine.toml", USER))


def card_of(book: Book, at: datetime = NOW, **terms: str) -> RateCard:
    """Give the card of acme's one model."""
    card = book.resolve("acme", "one", at, terms)
    assert isinstance(card, RateCard)
    return card


def charged(book: Book, counts: dict[str, Any], model: str = "acme/one", **terms: str) -> Cost:
    """Price counts of a model."""
    provider, _, name = model.partition("/")
    return cost_of(counts, provider=provider, model=name, at=NOW, book=book, **terms)
