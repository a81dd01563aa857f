"""One's own prices: the format is checked, and a fault names file, row and key."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.books import NOW, book_of

from outlay.core.errors import PriceBookError
from outlay.pricing import Book, RateCard, Unpriced, cost_of, sheet_from
from outlay.pricing.rows import BASE, OVERLAY, USER, Row, read_row
from outlay.pricing.tables import Sheet, sheet_of


def price_of(text: str, provider: str, model: str, at: datetime = NOW, **terms: str) -> Decimal | None:
    card = book_of(text).resolve(provider, model, at, terms)
    assert isinstance(card, RateCard)
    return card.rates["input"].amount


def test_a_price_of_ones_own_wins_with_all_its_terms() -> None:
    text = """
    [[model]]
    provider = "openai"
    model = "gpt-4o"
    price = [{ rates = { input = "1", output = "4" }, source = "contract" }]
    """
    assert price_of(text, "openai", "gpt-4o-2024-11-20") == 1
    assert price_of(text, "openai", "gpt-4o", batch="true") == Decimal("0.5")  # half of ours, not of the list


def test_a_price_of_ones_own_may_end() -> None:
    text = """
    [[model]]
    provider = "openai"
    model = "gpt-4o"
    [[model.price]]
    from = 2026-01-01
    to = 2026-06-01
    rates = { input = "1" }
    """
    assert price_of(text, "openai", "gpt-4o", datetime(2026, 3, 1, tzinfo=UTC)) == 1
    assert price_of(text, "openai", "gpt-4o", NOW) == Decimal("2.5")


@pytest.mark.parametrize(
    ("more", "at", "said"),
    [
        ("", NOW, "no price of one is known from 2026-06-01 on"),
        ("", datetime(2026, 6, 1, tzinfo=UTC), "no price of one is known from 2026-06-01 on"),
        # At noon nothing holds, though the price has not ended.
        (
            'windows = [{ from = "16:30", to = "00:30" }]',
            datetime(2026, 3, 1, 12, tzinfo=UTC),
            "no price of one is known for that hour",
        ),
    ],
)
def test_after_its_last_price_a_model_has_none_and_says_since_when(
    more: str, at: datetime, said: str
) -> None:
    text = f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    from = 2026-01-01
    to = 2026-06-01
    rates = {{ input = "1" }}
    {more}
    """
    assert book_of(text).resolve("acme", "one", at, {}) == Unpriced(said)


def test_a_deployment_is_mapped_by_an_alias() -> None:
    text = """
    [[alias]]
    provider = "azure"
    name = "my-deployment-gpt4o"
    model = "gpt-4o"
    """
    assert price_of(text, "azure", "my-deployment-gpt4o") == Decimal("2.5")


def test_a_model_of_ones_own_may_be_free() -> None:
    text = """
    [[model]]
    provider = "ollama"
    model = "llama3"
    price = [{ rates = { input = 0, output = 0 } }]
    """
    cost = cost_of({"input": 10}, provider="ollama", model="llama3", at=NOW, book=book_of(text))
    assert (cost.amount, cost.status) == (Decimal(0), "free")


def test_rates_may_be_given_per_thousand_or_per_token() -> None:
    for per, rate in ((1000, "0.0025"), (1, "0.0000025"), (1_000_000, "2.5")):
        text = f"""
        [[model]]
        provider = "acme"
        model = "m"
        price = [{{ rates = {{ input = "{rate}" }}, per = {per} }}]
        """
        assert price_of(text, "acme", "m") == Decimal("2.5")


def test_a_sheet_can_be_made_from_values() -> None:
    # 400 x 10 + 400 x 5 + 200 x 12.5 + 100 x 20 a million.
    rates = {"input": "10", "cache_read": "5", "cache_write": "12.5", "output": "20"}
    sheet = sheet_from({"model": [{"provider": "acme", "model": "m", "price": [{"rates": rates}]}]})
    counts = {"input_tokens": 1000, "cached_tokens": 400, "cache_write_tokens": 200, "output_tokens": 100}
    cost = cost_of(counts, provider="acme", model="m", at=NOW, book=Book.of(sheet))
    assert cost.amount == Decimal("0.0105")


def test_hours_and_dates_hold_together() -> None:
    text = """
    [[model]]
    provider = "acme"
    model = "m"
    price = [
      { rates = { input = "10" } },
      { rates = { input = "5" }, from = 2026-01-01, windows = [WINDOW] },
    ]
    """.replace("WINDOW", '{ from = "22:00", to = "06:00", days = [1, 2, 3, 4, 5] }')
    assert price_of(text, "acme", "m", datetime(2026, 11, 23, 23, tzinfo=UTC)) == 5
    assert price_of(text, "acme", "m", datetime(2026, 11, 22, 23, tzinfo=UTC)) == 10  # a Sunday
    assert price_of(text, "acme", "m", datetime(2025, 11, 24, 23, tzinfo=UTC)) == 10  # the year before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"rates": {"input": "2.5"}, "form": "2026"}, "'form'"),
        ({"rates": {"input": "-1"}}, "rates.input"),
        ({"rates": {"input": "a lot"}}, "rates.input"),
        ({"rates": {"input": 2.5}}, "rates.input"),
        ({"rates": {"input": "0.0000025"}}, "per = 1"),
        ({"rates": {"Input Tokens": "1"}}, "Input Tokens"),
        ({"rates": {"input": "1"}, "from": "soon"}, "from"),
        ({"rates": {"input": "1"}, "from": "2026-02-01", "to": "2026-01-01"}, "after"),
        ({"rates": {"input": "1"}, "from": "2026-02-01", "to": "2026-02-01"}, "after"),
        ({"rates": {"input": "1"}, "above": [{"tokens": 0, "rates": {}}]}, "tokens"),
        ({"rates": {"input": "1"}, "above": [{"size": 1, "rates": {}}]}, "size"),
        ({"rates": {"input": "1"}, "kind": "weekly"}, "kind"),
        ({"rates": {"input": "1"}, "windows": [{"from": "25:00", "to": "01:00"}]}, "25:00"),
        ({"rates": {"input": "1"}, "windows": [{"from": "22:00", "to": "01:00", "days": [0]}]}, "days"),
        ({"rates": {"input": "1"}, "windows": [{"from": "22:00", "until": "01:00"}]}, "until"),
        ({"rates": {"input": "1"}, "currency": "dollars"}, "currency"),
        ({"rates": {"input": "1"}, "per": 3}, "per"),
        ({"rates": {"input": "1"}, "source": 7}, "source"),
        ({"factor": "1000"}, "factor"),
        ({}, "rates"),
    ],
)
def test_a_fault_names_file_row_and_key(row: dict[str, object], said: str) -> None:
    with pytest.raises(PriceBookError) as caught:
        read_row(row, "prices.toml, acme/m, price 1", BASE)
    assert said in str(caught.value)
    assert str(caught.value).startswith("prices.toml, acme/m, price 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[modle]]", "modle"),
        ('[[model]]\nmodel = "m"', "provider"),
        ('[[model]]\nprovider = "acme"\nmodel = "m"\nrate = 1', "rate"),
        ('[[alias]]\nprovider = "acme"\nname = "a"\nto_model = "b"', "to_model"),
        ("[[model", "TOML"),
    ],
)
def test_a_sheets_outer_form_is_checked(text: str, said: str) -> None:
    with pytest.raises(PriceBookError, match=said):
        sheet_of(text, "mine.toml", USER)


def test_an_alias_of_nothing_is_found_by_the_check() -> None:
    book = book_of('[[alias]]\nprovider = "acme"\nname = "a"\nmodel = "b"')
    with pytest.raises(PriceBookError, match="alias of b"):
        book.check()


def test_files_are_read_and_missing_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        '[[model]]\nprovider = "acme"\nmodel = "m"\nprice = [{ rates = { input = 1.25 } }]\n', "utf-8"
    )
    card = Book.of(path).resolve("acme", "m", NOW)
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == Decimal("1.25")
    with pytest.raises(PriceBookError, match="absent"):
        Book.of(tmp_path / "absent.toml")


def test_a_row_has_no_part_between_instants_that_it_does_not_reach() -> None:
    may, june, july = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
    row = Row({}, start=june, end=july)
    assert row.clipped(may, june) is None
    assert row.clipped(july, None) is None
    assert row.clipped(may, None) == row


@pytest.mark.parametrize(
    ("per", "stated"),  # all of them 2 dollars a million
    [(1, "0.000002"), (10, "0.00002"), (100, "0.0002"), (1000, "0.002"), (10_000, "0.02"), (10**6, "2")],
)
def test_a_rate_for_any_power_of_ten_is_brought_to_a_million(per: int, stated: str) -> None:
    rate = read_row({"rates": {"input": stated}, "per": per}, "row 1", USER).rates["input"]
    assert (rate.amount, rate.per) == (Decimal(2), 1_000_000)


@pytest.mark.parametrize("per", [0, 9, 11, 9999, 10_001, 10**7, True])
def test_no_other_number_of_units_is_taken(per: int) -> None:
    with pytest.raises(PriceBookError, match="per must be a power of ten"):
        read_row({"rates": {"input": "2"}, "per": per}, "row 1", USER)


def test_a_rate_below_nothing_is_called_negative_however_small_it_is() -> None:
    with pytest.raises(PriceBookError, match=r"a rate cannot be negative \(-0\.5\)"):
        read_row({"rates": {"web_search": "-0.5"}}, "row 1", USER)


@pytest.mark.parametrize(("factor", "good"), [("0.0099", 0), ("0.01", 1), ("100", 1), ("100.01", 0)])
def test_a_factor_lies_between_a_hundredth_and_a_hundred(factor: str, good: int) -> None:
    if good:
        assert read_row({"factor": factor}, "row 1", BASE).factor == Decimal(factor)
    else:
        with pytest.raises(PriceBookError, match=r"between 0\.01 and 100"):
            read_row({"factor": factor}, "row 1", BASE)


def test_a_step_may_begin_behind_the_first_token() -> None:
    row = {"rates": {"input": "1"}, "above": [{"tokens": 1, "rates": {"input": "2"}}]}
    (step,) = read_row(row, "row 1", BASE).steps
    assert (step.tokens, step.rates["input"].amount, step.at_least) == (1, Decimal(2), False)


def test_a_numbered_source_is_one_of_the_files() -> None:
    sources = ({"name": "first"}, {"name": "second", "link": "https://example.org"})
    row = read_row({"rates": {"input": "1"}, "source": 1}, "row 1", BASE, sources)
    assert (row.source, row.link) == ("second", "https://example.org")
    for beyond in (2, -1):
        with pytest.raises(PriceBookError, match=f"there is no source number {beyond}"):
            read_row({"rates": {"input": "1"}, "source": beyond}, "row 1", BASE, sources)


def test_of_several_strange_keys_the_first_is_named() -> None:
    with pytest.raises(PriceBookError, match="there is no key 'apple'; there are "):
        read_row({"rates": {"input": "1"}, "zebra": 1, "apple": 1}, "row 1", BASE)


def test_the_overlay_wins_over_the_base_and_ones_own_over_both_though_theirs_is_younger() -> None:
    def sheet(rate: int, layer: int, since: str) -> Sheet:
        return sheet_of(
            f'[[model]]\nprovider = "acme"\nmodel = "m"\n'
            f'price = [{{ from = {since}, rates = {{ input = "{rate}" }} }}]',
            "prices.toml",
            layer,
        )

    base, overlay = sheet(1, BASE, "2026-03-01"), sheet(2, OVERLAY, "2026-02-01")
    mine = sheet(3, USER, "2026-01-01")

    def rate(*sheets: Sheet) -> Decimal:
        card = Book.of(*sheets).resolve("acme", "m", NOW)
        assert isinstance(card, RateCard)
        return card.rates["input"].amount

    assert [rate(base, overlay), rate(overlay, base)] == [2, 2]
    assert [rate(base, overlay, mine), rate(mine, base)] == [3, 3]
