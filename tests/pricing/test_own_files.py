"""Files of prices of one's own with a fault of each kind: one line with the place, and nothing is taken."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.pricing.test_pricefile import NOW

from outlay.core.errors import PriceFileError
from outlay.pricing import Book, cost_of
from outlay.pricing.pricefile import NewPrice, add_price

MODEL = '[[model]]\nprovider = "openai"\nmodel = "gpt-4o"\n'
PRICE = f"{MODEL}[[model.price]]\n"
PRICED = f'{PRICE}rates = {{ input = "1", output = "2" }}\n'
FAULTS = {
    "model = 5": "must be a list of tables, not 5",
    'model = "x"': "must be a list of tables",
    'model = ["x"]': "must be a list of tables",
    '[model]\nprovider = "openai"': "must be a list of tables",
    "alias = 3": "must be a list of tables",
    'common = "x"': "must be a list of tables",
    "ruling = [1]": "must be a list of tables",
    '[[model]]\nprovider = 5\nmodel = "m"': "needs a provider",
    '[[common]]\nprovider = 5\nrates = { input = "1" }': "needs a provider",
    '[[ruling]]\nprovider = 5\nmodel = "m"\nsays = "x"': "needs provider, model and says",
    f"{MODEL}price = 3": "a list of tables",
    f'{MODEL}price = ["x"]': "must be a list of tables",
    f'{MODEL}names = "abc"': "names: must be a list of names",  # and not three models a, b and c
    f"{MODEL}names = [1]": "names: must be a list of names",
    f'{MODEL}own = "no"': "own: must be true or false",
    f'{MODEL}once = "web_search"': "once: must be a list of units",
    f"{MODEL}once = 5": "once: must be a list of units",
    f'{MODEL}least = "x"': "least: must be a table",
    f'{MODEL}least = {{ audio_seconds = "x" }}': "least.audio_seconds: must be a number above 0",
    f"{MODEL}least = {{ audio_seconds = 0 }}": "least.audio_seconds: must be a number above 0",
    f"{MODEL}least = {{ audio_seconds = -0.5 }}": "least.audio_seconds: must be a number above 0",
    f'{MODEL}context_window = "x"': "context_window: must be a whole number",
    f"{MODEL}deprecated = 5": "deprecated: must be a date",
    f'{PRICE}rates = "1"': r"rates: must be a table such as \{ input",
    f'{PRICE}rates = ["1"]': "rates: must be a table such as",
    f'{PRICED}when = "batch"': r"when: must be a table such as \{ batch",
    f"{PRICED}when = {{ batch = {{ a = 1 }} }}": "when.batch: must be text",
    f'{PRICED}windows = "16:30"': "windows: must be a list of tables",
    f'{PRICED}windows = {{ from = "16:30", to = "17:00" }}': "windows: must be a list of tables",
    f'{PRICED}windows = [{{ from = "1:00", to = "02:00" }}]': "is no hour of the day",
    f'{PRICED}windows = [{{ from = "01:00", to = "02:00", days = "Mon" }}]': "days are 1",
    f'{PRICED}windows = [{{ from = "01:00", to = "02:00", except = "x" }}]': "is no date",
    f'{PRICED}above = "x"': "above: must be a list of tables",
    f"{PRICED}above = [{{ tokens = 5 }}]": "above: needs rates",
    f'{PRICED}above = [{{ tokens = 5, rates = "x" }}]': "above: needs rates",
    f'{PRICED}above = [{{ tokens = 5, at_least = "x", rates = {{ input = "2" }} }}]': "at_least: must be",
    f"{PRICED}source = 5": "there is no source number 5",  # and not the fifth of the packaged table
    f"{PRICED}link = 5": "link: must be text",
    f"{PRICED}note = 5": "note: must be text",
    f'{PRICED}per = "1000"': "per must be a power of ten",
    f'currency = "EURO"\n{PRICED}': "currency: must be a code of three capitals",
    '[[alias]]\nprovider = "openai"\nname = "a"\nmodel = "gpt-4o"\nfrom = 2026-02-01\nto = 2026-01-01':
        "to must be after from",
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), FAULTS.items(), ids=lambda each: each[-40:])
def test_a_fault_is_named_and_the_file_stays(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(PriceFileError, match=says) as error:
        Book.of(path).resolve("openai", "gpt-4o")
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("prices.toml")
    rates = {"input": Decimal(2), "output": Decimal(8)}
    with pytest.raises(PriceFileError):
        add_price(path, NewPrice(provider="openai", model="gpt-4o", rates=rates), now=NOW)
    assert path.read_text("utf-8") == text


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PriceFileError, match="not UTF-8"):
        Book.of(path)


def test_the_currency_of_a_file_is_that_of_its_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    other = PRICED.replace("gpt-4o", "gpt-5").replace("output", "cache_read")
    path.write_text(f'currency = "CNY"\n{PRICED}{other}currency = "EUR"\n', "utf-8")
    book = Book.of(path)
    costs = [
        cost_of({"input": 1_000_000}, provider="openai", model=model, book=book)
        for model in ("gpt-4o", "gpt-5")
    ]
    assert [(cost.amount, cost.currency) for cost in costs] == [(Decimal(1), "CNY"), (Decimal(1), "EUR")]


@pytest.mark.parametrize(("least", "charged"), [("1", "1"), ("0.5", "0.5"), ("3", "3")])
def test_a_least_quantity_is_any_number_above_0(least: str, charged: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        f'[[model]]\nprovider = "acme"\nmodel = "m"\nleast = {{ audio_seconds = {least} }}\n'
        'price = [{ rates = { audio_seconds = "1" } }]',
        "utf-8",
    )
    cost = cost_of({"audio_seconds": Decimal("0.25")}, provider="acme", model="m", book=Book.of(path))
    assert cost.amount == Decimal(charged)
