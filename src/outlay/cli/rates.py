"""What reports need to know of prices, as functions that are handed to them."""

from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from outlay.core.money import EXACT, to_ledger_places

if TYPE_CHECKING:  # loaded when a command runs
    from outlay.report.caching import CacheRate
    from outlay.settings import Settings

_DIVISION = Context(prec=60)


def cache_rate_of(settings: "Settings") -> "CacheRate":
    """Give a function that tells what reading from a cache costs, beside a rate paid for fresh input.

    It is the book's rate of today for the same model, in the proportion in which the paid rate stands to the
    listed one: a batch or a tier moves both.
    """
    from outlay.cli.session import book_of
    from outlay.pricing import Unpriced

    book, now = book_of(settings), datetime.now(UTC)

    def cache_rate(provider: str | None, model: str | None, paid: Decimal) -> Decimal | None:
        card = book.resolve(provider, model, now)
        if isinstance(card, Unpriced):
            return None
        fresh, cached = card.rates.get("input"), card.rates.get("cache_read")
        if fresh is None or cached is None or cached.flag is not None or not fresh.each:
            return None  # a flagged rate is an assumption: no saving is promised on one
        return to_ledger_places(_DIVISION.divide(EXACT.multiply(paid, cached.each), fresh.each))

    return cache_rate
