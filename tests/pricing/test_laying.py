"""Laying: of rows for the same terms the highest layer counts; wider ones show through narrower ones."""

from decimal import Decimal

import pytest
from tests.support.books import NOW, book_of, charged

from outlay.core.errors import PriceFileError
from outlay.pricing import Book, cost_of

FLASH = {"input": 1_000_000, "cache_read": 1_000_000, "output": 1_000_000, "reasoning": 1_000_000}


def test_a_tariff_of_ones_own_over_a_listed_one_is_the_whole_tariff() -> None:
    """The listed batch of this model has a rate for cached tokens, and thoughts a rate of their own."""
    text = """
[[model]]
provider = "google"
model = "gemini-2.5-flash"
[[model.price]]
when = { batch = "true" }
rates = { input = "0.10", output = "1" }
"""
    cost = cost_of(
        FLASH, provider="google", model="gemini-2.5-flash", at=NOW, book=book_of(text), batch="true"
    )
    # 0.10, cached at the standard 0.03, which is said, and thoughts as output
    assert {line.unit: line.rate for line in cost.lines} == {
        "input": Decimal("0.10"),
        "cache_read": Decimal("0.03"),
        "output": 1,
        "reasoning": 1,
    }
    assert cost.flags == ("assumed_rate",)


TWO = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
rates = { input = "10", cache_read = "2", output = "30", reasoning = "30" }
[[model.price]]
when = { batch = "true" }
rates = { input = "5", cache_read = "1", output = "15" }
[[model.price]]
when = { batch = "true", geo = "eu" }
rates = { input = "6", output = "18" }
"""


def test_what_a_narrower_tariff_leaves_out_the_wider_one_has() -> None:
    cost = charged(book_of(TWO), FLASH, batch="true", geo="eu")
    # input and output of the narrower, cached of the wider, thoughts as output
    assert [line.rate for line in cost.lines] == [6, 1, 18, 18]
    assert cost.flags == ()


@pytest.mark.parametrize(("terms", "flags"), [({"batch": "true"}, ("unproven",)), ({}, ())])
def test_a_figure_that_nothing_proves_is_said_on_its_line(
    terms: dict[str, str], flags: tuple[str, ...]
) -> None:
    text = f'{TWO}unproven = ["input"]\n'.replace(', geo = "eu"', "")
    cost = charged(book_of(text), {"input": 1, "output": 1}, **terms)
    assert cost.flags == flags
    assert [line.note for line in cost.lines] == (["unproven; batch", "batch"] if terms else [None, None])


@pytest.mark.parametrize("value", ['"input"', '["cache_write"]', "true"])
def test_unproven_names_units_of_the_row(value: str) -> None:
    with pytest.raises(PriceFileError, match="unproven: must be a list of units of the rates"):
        charged(book_of(f"{TWO}unproven = {value}\n"), {"input": 1})


def test_every_listed_tariff_can_be_laid_over_by_ones_own() -> None:
    """Whatever units a listed model and its tariffs have: a price of one's own for the same terms counts."""
    for provider in ("anthropic", "google", "openai", "mistral", "xai", "deepseek"):
        models = [model for _, model in Book.default().models(provider)]
        rows = "".join(
            f'[[model]]\nprovider = "{provider}"\nmodel = "{model}"\n'
            f'price = [{{ when = {{ batch = "true" }}, rates = {{ input = "0.5" }} }}]\n'
            for model in models
        )
        book = book_of(rows)
        for model in models:
            cost = cost_of({"input": 2}, provider=provider, model=model, at=NOW, book=book, batch="true")
            assert cost.amount is None or cost.lines[0].rate == Decimal("0.5")


@pytest.mark.parametrize(("at_least", "word", "at_its_size"), [("false", "above", 10), ("true", "from", 30)])
def test_a_step_says_on_its_line_from_which_size_it_counts(
    at_least: str, word: str, at_its_size: int
) -> None:
    text = f"""
[[model]]
provider = "acme"
model = "one"
[[model.price]]
rates = {{ input = "10" }}
above = [{{ tokens = 1000, at_least = {at_least}, rates = {{ input = "30" }} }}]
"""
    (line,) = charged(book_of(text), {"input": 1001}).lines
    assert (line.rate, line.note) == (Decimal(30), f"{word} 1000")
    assert charged(book_of(text), {"input": 1000}).lines[0].rate == at_its_size


PLACES = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
rates = { input = "10" }
[[model.price]]
when = { region = "eu" }
factor = "1.1"
"""


@pytest.mark.parametrize(
    ("tariff", "factor"), [({"batch": "true"}, "0.55"), ({"service_tier": "flex"}, "1.1")]
)
def test_a_factor_answers_its_own_terms_alone(tariff: dict[str, str], factor: str) -> None:
    prices = book_of(PLACES)
    cost = charged(prices, {"input": 1_000_000}, region="eu", **tariff)
    assert cost.amount == 10 * Decimal(factor)
    assert cost.reason is not None
    assert "rate was taken" in cost.reason  # no rate of the tariff is known: the place's factor is not one
    assert charged(prices, {"input": 1_000_000}, region="eu").reason is None
