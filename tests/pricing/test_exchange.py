"""Exchange: prices of another currency, turned at rates of one's own, each for its time; never mixed up."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.books import NOW, book_of, charged

from outlay.core.errors import PriceBookError, PriceFileError
from outlay.pricing import Book, RateCard, cost_of
from outlay.pricing.exchange import read_exchanges
from outlay.pricing.pricefile import NewPrice, add_price
from outlay.pricing.rows import OVERLAY, USER
from outlay.pricing.tables import sheet_of

YUAN = """
[[common]]
provider = "acme"
currency = "EUR"
rates = { web_search = "10" }
[[model]]
provider = "acme"
model = "one"
[[model.price]]
currency = "CNY"
rates = { input = "2", output = "8" }
[[model.price]]
when = { batch = "true" }
currency = "CNY"
rates = { input = "1", output = "4" }
[[model.price]]
when = { geo = "eu" }
factor = "1.1"
"""
RATE = """
[[exchange]]
of = "CNY"
into = "USD"
rate = "0.14"
"""
COUNTS = {"input": 1000, "output": 100}


def found(text: str, counts: dict[str, int], at: datetime = NOW, **terms: str) -> tuple[str, str, str]:
    cost = cost_of(counts, provider="acme", model="one", at=at, book=book_of(text), **terms)
    return str(cost.amount and cost.amount.normalize()), cost.currency, cost.status


def test_without_a_rate_a_price_stays_in_its_currency() -> None:
    assert found(YUAN, COUNTS) == ("0.0028", "CNY", "priced")  # 1,000 x 2 + 100 x 8


def test_tariffs_factors_and_lines_are_turned_too() -> None:
    assert found(YUAN + RATE, COUNTS) == ("0.000392", "USD", "priced")  # 0.0028 x 0.14
    assert found(YUAN + RATE, COUNTS, batch="true") == ("0.000196", "USD", "priced")
    assert found(YUAN + RATE, COUNTS, batch="true", geo="eu") == ("0.0002156", "USD", "priced")
    cost = cost_of(COUNTS, provider="acme", model="one", at=NOW, book=book_of(YUAN + RATE + 'source = "ECB"'))
    assert [(line.rate, line.note) for line in cost.lines] == [
        (Decimal("0.28"), "CNY x0.14 USD, ECB"),
        (Decimal("1.12"), "CNY x0.14 USD, ECB"),
    ]


def test_money_of_two_currencies_is_never_added_up() -> None:
    """The search is charged in euros, the tokens in yuan: what cannot be added up is said to be missing."""
    counts = {**COUNTS, "web_search": 1}
    assert found(YUAN, counts) == ("0.0028", "CNY", "partial")
    both = YUAN + RATE.replace("USD", "EUR")
    assert found(both, counts) == ("0.010392", "EUR", "priced")  # 0.0028 x 0.14 + 0.01


def test_a_tariff_in_other_money_is_no_answer() -> None:
    text = YUAN.replace('when = { batch = "true" }\ncurrency = "CNY"', 'when = { batch = "true" }')
    cost = cost_of(COUNTS, provider="acme", model="one", at=NOW, book=book_of(text), batch="true")
    assert (cost.amount, cost.currency, cost.flags) == (Decimal("0.0014"), "CNY", ("assumed_tier",))


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        ("2026-08-31T23:59:59Z", None),
        ("2026-09-01T00:00:00Z", "0.13"),
        ("2026-10-14T23:59:59Z", "0.13"),
        ("2026-10-15T00:00:00Z", "0.15"),  # given later in the file, and for a shorter time
        ("2026-10-20T00:00:00Z", "0.13"),
        ("2026-12-01T00:00:00Z", None),  # no rate is carried on
    ],
)
def test_a_rate_holds_for_its_time(at: str, rate: str | None) -> None:
    text = """
[[exchange]]
of = "CNY"
into = "USD"
rate = "0.13"
from = 2026-09-01
to = 2026-12-01
[[exchange]]
of = "CNY"
into = "USD"
rate = "0.15"
from = 2026-10-15
to = 2026-10-20
[[exchange]]
of = "SEK"
into = "USD"
rate = "9"
"""
    amount = (Decimal("0.0028") * Decimal(rate or 1)).normalize()
    currency = "CNY" if rate is None else "USD"
    assert found(YUAN + text, COUNTS, datetime.fromisoformat(at)) == (str(amount), currency, "priced")


def test_a_price_is_turned_once_also_behind_an_alias() -> None:
    text = f"""{YUAN}{RATE}
[[exchange]]
of = "USD"
into = "EUR"
rate = "0.5"
[[alias]]
provider = "acme"
name = "by-another-name"
model = "one"
"""
    book = book_of(text)
    for model in ("one", "by-another-name"):
        cost = cost_of(COUNTS, provider="acme", model=model, at=NOW, book=book)
        assert (cost.amount, cost.currency) == (Decimal("0.000392"), "USD")


def test_listed_prices_are_turned_too() -> None:
    book = book_of('[[exchange]]\nof = "USD"\ninto = "EUR"\nrate = "0.5"\nfrom = 2026-01-01')
    cost = cost_of(
        {"input": 1000, "web_search": 1}, provider="anthropic", model="claude-sonnet-4-5", at=NOW, book=book
    )
    assert (cost.amount, cost.currency) == (Decimal("0.0065"), "EUR")  # (0.003 + 0.01) / 2
    card = book.resolve("anthropic", "claude-sonnet-4-5", datetime(2025, 12, 1, tzinfo=UTC))
    assert isinstance(card, RateCard)
    assert (card.currency, card.until) == ("USD", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('into = "CNY"', "of and into must be two currencies, not CNY twice"),
        ('into = "dollars"', "must be a code of three capitals such as USD, not 'dollars'"),
        ('rate = "0"', "rate: must be above 0, not 0"),
        ('rate = "-1"', "rate: must be above 0, not -1"),
        ('rate = "many"', "the rate must be a finite number, not 'many'"),
        ('day = "today"', "there is no key 'day'; there are from, into, of, rate, source, to"),
        ("from = 2026-02-01\nto = 2026-01-01", "to must be after from"),
        ("from = 2026-01-01\nto = 2026-01-01", "to must be after from"),
        ("source = 1", "source: must be text, not 1"),
    ],
)
def test_a_fault_is_named(line: str, said: str) -> None:
    key = line.partition(" ")[0]
    kept = "\n".join(each for each in RATE.splitlines() if not each.startswith(f"{key} "))
    with pytest.raises(PriceFileError, match=said):
        book_of(f"{kept}\n{line}")


def test_no_list_of_prices_brings_a_rate_along() -> None:
    assert [sheet.exchanges for sheet in Book.default().sheets] == [()]
    with pytest.raises(PriceBookError, match="a user's own file alone"):
        sheet_of(RATE, "overlay.toml", OVERLAY)


def test_a_price_may_be_set_in_a_currency_that_the_file_turns(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(RATE, "utf-8")
    rates = {"input": Decimal(2), "output": Decimal(8)}
    add_price(path, NewPrice(provider="acme", model="one", rates=rates, currency="CNY"), now=NOW)
    cost = cost_of(COUNTS, provider="acme", model="one", at=NOW, book=Book.of(path))
    assert (cost.amount, cost.currency) == (Decimal("0.000392"), "USD")


def test_a_fault_says_which_rate_of_the_file_it_is_in() -> None:
    with pytest.raises(PriceFileError, match=r"\[\[exchange\]\] 2, rate: must be above 0"):
        book_of(RATE + RATE.replace("0.14", "0"))


def test_a_rate_that_has_been_a_float_may_have_lost_digits() -> None:
    with pytest.raises(PriceBookError, match=r"rate: write 0\.14 as text or in TOML"):
        read_exchanges([{"of": "CNY", "into": "USD", "rate": 0.14}], "rates", USER)


def test_fees_of_a_whole_provider_are_in_the_currency_of_their_file() -> None:
    prices = book_of("""
    currency = "EUR"
    [[common]]
    provider = "acme"
    rates = { web_search = "5" }
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "10" } }]
    """)
    cost = charged(prices, {"input": 100, "web_search": 2})
    # 100 x 10 a million and 2 x 5 a thousand
    assert (cost.amount, cost.currency, cost.status) == (Decimal("0.011"), "EUR", "priced")
