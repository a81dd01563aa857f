"""The tariff of a usual call: the very rates that the whole way takes, or none where more decides."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial

import pytest
from tests.support.books import NOW, book_of

from outlay.core.usage import Item, Term
from outlay.pricing import RateCard
from outlay.pricing.tariff import Tariff, basis_of, tariff_of
from outlay.pricing.terms import MONTH_INPUT, MONTH_OUTPUT

AT = NOW
MINE = """
[[model]]
provider = "acme"
model = "flat"
price = [{ rates = { input = "1", output = "4" } }]

[[model]]
provider = "acme"
model = "by-size"
[[model.price]]
rates = { input = "1", output = "4" }
above = [{ tokens = 1000, rates = { input = "2", output = "8" } }]

[[model]]
provider = "acme"
model = "by-part"
[[model.price]]
kind = "marginal"
rates = { input = "1", output = "4" }
above = [{ tokens = 1000, rates = { input = "2", output = "8" } }]

[[model]]
provider = "acme"
model = "by-call"
price = [{ rates = { input = "1", requests = "5" } }]

[[model]]
provider = "openai"
model = "ours"
price = [{ rates = { input = "1" } }]
"""
BOOK = book_of(MINE)


def tariff(model: str, *items: Item, terms: tuple[Term, ...] = (), provider: str = "acme") -> Tariff | None:
    """Ask for a tariff of our prices."""
    return tariff_of(items, terms, provider=provider, model=model, at=AT, book=BOOK)


def test_a_flat_price_gives_the_book_s_own_card_and_rates() -> None:
    found = tariff("flat", ("input", 5), ("output", 1))
    card = BOOK.resolve("acme", "flat", AT)
    assert isinstance(card, RateCard)
    assert found is not None
    assert found[0] is card
    assert found[1] is card.rates


@pytest.mark.parametrize(("tokens", "rate"), [(1000, "1"), (1001, "2")])
def test_the_whole_input_decides_the_step_and_no_other_unit(tokens: int, rate: str) -> None:
    items = (("input", tokens - 400), ("cache_read", 399), ("cache_write_audio", 1), ("output", 5000))
    found = tariff("by-size", *items)
    assert found is not None
    assert found[1]["input"].amount == Decimal(rate)


def test_where_more_than_a_rate_decides_there_is_no_tariff() -> None:
    one = ("input", 5)
    assert tariff("by-part", one) is None
    assert tariff("by-call", one) is None  # a fee that no response counts
    assert tariff("unheard-of", one) is None
    assert tariff("flat", one, terms=((MONTH_INPUT, "9"),)) is None
    assert tariff("flat", one, terms=((MONTH_OUTPUT, "9"),)) is None
    assert tariff("flat", one, terms=(("service_tier", "default"),)) is not None


def test_throughput_that_is_paid_by_the_hour_has_no_tariff() -> None:
    paid = (("service_tier", "provisioned"),)
    assert tariff("ours", ("input", 5), provider="openai") is not None
    assert tariff("ours", ("input", 5), terms=paid, provider="openai") is None


@pytest.mark.parametrize("more", ['once = ["pages"]', "least = { audio_seconds = 10 }"])
def test_what_is_charged_once_or_at_least_decides_more_than_a_rate(more: str) -> None:
    row = 'price = [{ rates = { input = "1", pages = "2", audio_seconds = "3" } }]'
    prices = book_of(f'[[model]]\nprovider = "acme"\nmodel = "one"\n{more}\n{row}')
    items = (("input", 5), ("pages", 2), ("audio_seconds", 4))
    asked = partial(tariff_of, items, (), provider="acme", model="one", at=AT)
    assert asked(book=prices) is None
    assert asked(book=book_of(f'[[model]]\nprovider = "acme"\nmodel = "one"\n{row}')) is not None


@pytest.mark.parametrize(("tokens", "known"), [(999, True), (1000, False), (1001, False)])
def test_a_sum_over_calls_that_reaches_a_step_has_no_basis(tokens: int, *, known: bool) -> None:
    asked = ("acme", "by-size", (), AT)
    assert (basis_of((("input", tokens),), asked, BOOK, ("summed_calls",)) is not None) is known
    assert basis_of((("input", tokens),), asked, BOOK) is not None
    assert basis_of((("input", tokens),), asked, BOOK, ("summed_calls",), tokens) is not None


def test_a_sum_over_calls_between_two_steps_has_no_basis() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "1" }
    above = [{ tokens = 1000, rates = { input = "2" } }, { tokens = 5000, rates = { input = "3" } }]
    """)
    items = (("input", 2000),)
    assert basis_of(items, ("acme", "one", (), AT), prices, ("summed_calls",)) is None
    found = basis_of(items, ("acme", "one", (), AT), prices)
    assert found is not None
    assert found[1]["input"].amount == 2


def test_hours_of_a_day_are_those_of_utc_wherever_a_call_is_told() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "2" }
    [[model.price]]
    rates = { input = "1" }
    windows = [{ from = "16:30", to = "00:30" }]
    """)
    night = datetime(2026, 11, 22, 20, tzinfo=UTC)
    for at in (night, night.astimezone(timezone(timedelta(hours=8)))):  # four in the morning there
        found = tariff_of((("input", 5),), (), provider="acme", model="one", at=at, book=prices)
        assert found is not None
        assert found[1]["input"].amount == 1
