"""Bounds of rates: what lists hold is taken, what a mixed-up unit makes of it is not."""

from decimal import Decimal
from pathlib import Path

import pytest

from outlay.core.errors import PriceBookError
from outlay.pricing import Book
from outlay.pricing.bounds import refuse_odd
from outlay.pricing.tables import sheet_of

MODEL = '[[model]]\nprovider = "acme"\nmodel = "m"\n[[model.price]]\nsource = "x"\n'


def amount(text: str, unit: str = "input") -> Decimal:
    return Book.of(sheet_of(MODEL + text)).history("m", "acme")[0].row.rates[unit].amount


# The dearest that any list holds: o1-pro, a write of gpt-6-astra, gpt-4.5's cache, a deep search, a drawing.
@pytest.mark.parametrize(
    ("unit", "rate"),
    [
        ("input", "150"), ("output", "600"), ("cache_write_12h", "300"), ("cache_read", "37.5"),
        ("output_image", "216"), ("output_audio", "200"), ("cache_read", "0.00115"), ("input", "0.003"),
        ("input", "0.001"),
        ("requests", "58.67"), ("web_search", "35"), ("images", "0.6"), ("audio_seconds", "0.001333"),
        ("characters", "100"), ("input", "0"),
    ],
)  # fmt: skip
def test_what_lists_hold_is_taken(unit: str, rate: str) -> None:
    refuse_odd(unit, Decimal(rate), "USD", "here")


# Jais costs 3.20 and 9.71 a million; a list had it per thousand once; a slip of two places is found as well.
@pytest.mark.parametrize(
    ("unit", "rate"),
    [
        ("input", "3200"), ("output", "9710"), ("input", "320"), ("output", "971"), ("cache_read", "125"),
        ("cache_write", "625"), ("input_audio", "3200"), ("output_image", "4000"), ("input", "0.0000025"),
        ("input", "0.00013"), ("web_search", "10001"), ("images", "4000"), ("audio_seconds", "22"),
        ("characters", "15000"),
    ],
)  # fmt: skip
def test_a_mixed_up_unit_is_refused_by_name(unit: str, rate: str) -> None:
    with pytest.raises(PriceBookError, match=rf"here, rates\.{unit}: {rate.rstrip('0') or '0'}.* cannot be"):
        refuse_odd(unit, Decimal(rate), "USD", "here")


# What docs/price-book.md says of each kind; for a thousand of web searches, a million of the others or one.
@pytest.mark.parametrize(
    ("unit", "most"),
    [
        ("input", 300), ("output", 900), ("reasoning", 900), ("cache_read", 100), ("cache_write", 600),
        ("output_image", 900), ("web_search", 10_000), ("images", 1_000), ("audio_seconds", 10),
        ("characters", 1_000), ("citation_tokens", 300),
    ],
)  # fmt: skip
def test_a_bound_itself_is_taken_and_one_more_is_not(unit: str, most: int) -> None:
    refuse_odd(unit, Decimal(most), "USD", "here")
    refuse_odd(unit, Decimal(most) * 100_000, "VND", "here")
    for amount, currency in ((most + 1, "USD"), (most * 100_000 + 1, "VND"), (Decimal("-0.5"), "USD")):
        with pytest.raises(PriceBookError, match="cannot be"):
            refuse_odd(unit, Decimal(amount), currency, "here")


def test_who_says_the_number_of_units_is_believed() -> None:
    assert amount('rates = { input = "1200" }\nper = 1_000_000') == 1200
    assert amount('rates = { input = "0.0004" }\nper = 1_000_000') == Decimal("0.0004")
    with pytest.raises(PriceBookError, match=r"meant per 1000000 tokens, .*per = 1000000 if they are"):
        amount('rates = { input = "1200" }')


def test_money_of_little_worth_has_large_numbers() -> None:
    # gpt-4o's 10 dollars are 260,000 dong
    assert amount('rates = { input = "260000" }\ncurrency = "VND"') == 260_000
    assert amount('rates = { input = "4300" }\ncurrency = "CNY"') == 4300
    with pytest.raises(PriceBookError, match="cannot be"):
        amount('rates = { input = "260000" }\ncurrency = "EUR"')


def test_what_is_no_token_is_called_a_unit() -> None:
    with pytest.raises(PriceBookError, match="meant per 1000 units"):
        refuse_odd("web_search", Decimal(10_001), "USD", "here")


@pytest.mark.parametrize("per", ["2", "true", '"1000"', "0", "[1000]", "1e3", "10_000_000"])
def test_a_number_of_units_is_a_power_of_ten(per: str) -> None:
    with pytest.raises(PriceBookError, match="per must be a power of ten"):
        amount(f'rates = {{ input = "1" }}\nper = {per}')


def test_every_packaged_rate_lies_within(tmp_path: Path) -> None:
    assert Book.default().check() > 7000
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "overlay.toml").write_text("", "utf-8")
    (folder / "version.txt").write_text("1", "utf-8")
    table = '{"sources":[{"name":"x"}],"models":{"jais":{"rows":[{"source":0,"rates":{"output":"971"}}]}}}'
    (folder / "acme.json").write_text(table, "utf-8")
    with pytest.raises(PriceBookError, match=r"acme\.json, jais, rates\.output: 971 cannot be"):
        Book.at(folder).check()
