"""A card at an instant: which rows of prices hold, what lies over what, and the factors on top."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.books import FLAT, NOW, book_of, card_of, charged

from outlay.pricing import RateCard, Unpriced, cost_of


def test_a_factor_for_other_terms_does_not_apply_and_does_not_hide_one_behind_it() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10" }
    [[model.price]]
    when = { geo = "eu" }
    factor = "1.1"
    [[model.price]]
    when = { speed = "fast" }
    factor = "6"
    """)
    assert card_of(prices).rates["input"].amount == 10
    assert card_of(prices, geo="eu").rates["input"].amount == 11
    assert card_of(prices, speed="fast").rates["input"].amount == 60
    assert card_of(prices, geo="eu", speed="fast").rates["input"].amount == 66


def test_a_row_of_rates_for_other_terms_does_not_lie_over_the_plain_one() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10", output = "20" }
    [[model.price]]
    when = { region = "eu" }
    rates = { input = "7" }
    [[common]]
    provider = "acme"
    when = { region = "us" }
    rates = { web_search = "5" }
    """)
    assert {
        unit: rate.amount for unit, rate in card_of(prices).rates.items() if unit in ("input", "web_search")
    } == {"input": 10}
    assert card_of(prices, region="eu").rates["input"].amount == 7
    assert card_of(prices, region="us").rates["web_search"].amount == 5


@pytest.mark.parametrize(("own", "free"), [("", True), (', web_search = "3"', False)])
def test_a_model_is_free_by_what_it_charges_itself(own: str, *, free: bool) -> None:
    prices = book_of(f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = {{ input = "0", output = "0"{own} }}
    [[common]]
    provider = "acme"
    rates = {{ web_search = "5" }}
    """)
    assert card_of(prices).free is free


def test_a_price_that_was_hidden_by_another_begins_where_that_one_ended() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10" }
    [[model.price]]
    from = 2026-03-01T00:00:00Z
    to = 2026-06-01T00:00:00Z
    rates = { input = "5" }
    [[model.price]]
    to = 2026-09-01T00:00:00Z
    factor = "2"
    """)
    june, september = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    april = card_of(prices, datetime(2026, 4, 1, tzinfo=UTC))
    assert (april.rates["input"].amount, april.price.effective_from) == (
        Decimal(10),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    july = card_of(prices, datetime(2026, 7, 1, tzinfo=UTC))
    assert (july.rates["input"].amount, july.price.effective_from) == (Decimal(20), june)
    now = card_of(prices)
    assert (now.rates["input"].amount, now.price.effective_from) == (Decimal(10), june)
    assert september < NOW  # a factor that ended does not begin a price


def test_provisioned_and_batch_at_once_say_what_was_assumed_of_the_batch() -> None:
    prices = book_of(FLAT)
    for card in (card_of(prices, batch="true", service_tier="provisioned"), card_of(prices, batch="true")):
        assert card.rates["input"].amount == 5
        assert card.reason == "no batch rate is known; half the standard rate was taken for tokens"


def test_a_factor_for_all_models_that_does_not_apply_does_not_hide_one_behind_it() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "10" } }]
    [[common]]
    provider = "acme"
    when = { geo = "eu" }
    factor = "1.1"
    [[common]]
    provider = "acme"
    when = { speed = "fast" }
    factor = "6"
    """)
    assert card_of(prices).rates["input"].amount == 10
    assert card_of(prices, geo="eu").rates["input"].amount == 11
    assert card_of(prices, speed="fast").rates["input"].amount == 60


@pytest.mark.parametrize(("cached", "in_batch"), [("10", "5"), ("1", "1")])
def test_a_unit_that_a_tariff_leaves_out_follows_its_stand_in_only_where_both_cost_the_same(
    cached: str, in_batch: str
) -> None:
    prices = book_of(f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = {{ input = "10", cache_read = "{cached}" }}
    [[model.price]]
    when = {{ batch = "true" }}
    rates = {{ input = "5" }}
    """)
    assert card_of(prices).rates["cache_read"].amount == Decimal(cached)
    assert card_of(prices, batch="true").rates["cache_read"].amount == Decimal(in_batch)


def test_a_tariff_alone_is_no_price() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ when = { batch = "true" }, rates = { input = "5" } }]
    """)
    for terms in ({}, {"batch": "true"}):
        found = prices.resolve("acme", "one", NOW, terms)
        assert found == Unpriced("its price depends on terms unknown; the call says nothing")


def test_every_token_unit_that_a_tariff_leaves_out_is_said_and_by_its_first_term() -> None:
    counts = ", ".join(f'unit_{n} = "1"' for n in range(30))
    prices = book_of(f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = {{ input = "10", output = "3", reasoning = "4", cache_read = "1", cache_write = "2", {counts} }}
    [[model.price]]
    when = {{ batch = "true", service_tier = "flex" }}
    rates = {{ input = "5" }}
    """)
    rates = card_of(prices, batch="true", service_tier="flex").rates
    assert rates["input"].flag is None
    for unit in ("output", "reasoning", "cache_read", "cache_write"):
        assert (rates[unit].flag, rates[unit].note) == ("assumed_rate", "no batch rate, standard rate")


def test_a_listed_factor_does_not_touch_a_price_of_ones_own() -> None:
    text = """
    [[model]]
    provider = "bedrock"
    model = "mine"
    price = [{ rates = { input = "10" } }]
    """
    gov = {"region": "us-gov-west-1"}
    card = book_of(text).resolve("bedrock", "mine", NOW, gov)
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == 10
    ours = text + '[[common]]\nprovider = "bedrock"\nfactor = "2"\n'
    card = book_of(ours).resolve("bedrock", "mine", NOW, gov)
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == 20


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("factor = 2", "factor x2"),
        ('factor = 2\nnote = "a surcharge"', "a surcharge x2"),
        ('factor = 2\nwhen = { geo = "eu" }\nnote = "a surcharge"', "geo eu x2"),
    ],
)
def test_a_factor_is_named_by_its_terms_its_note_or_as_one(row: str, note: str) -> None:
    prices = book_of(f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = {{ input = "10" }}
    [[model.price]]
    {row}
    """)
    rate = card_of(prices, geo="eu").rates["input"]
    assert (rate.amount, rate.note) == (Decimal(20), note)


def test_at_the_instant_of_a_change_the_new_price_holds_from_then_and_until_the_next() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10" }
    [[model.price]]
    from = 2026-01-01
    to = 2026-06-01
    rates = { input = "5" }
    """)
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    second = timedelta(seconds=1)
    found = [(card_of(prices, at).price.effective_from, card_of(prices, at).until) for at in (start, end)]
    assert found == [(start, end), (end, None)]
    before, last = card_of(prices, start - second), card_of(prices, end - second)
    assert (before.price.effective_from, before.until) == (None, start)
    assert (last.price.effective_from, last.until, last.rates["input"].amount) == (start, end, Decimal(5))


def test_a_unit_that_costs_nothing_anyway_is_no_assumption_where_a_tariff_leaves_it_out() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10", output = 0 }
    [[model.price]]
    when = { batch = "true" }
    rates = { input = "5" }
    """)
    rate = card_of(prices, batch="true").rates["output"]
    assert (rate.amount, rate.flag, rate.note) == (Decimal(0), None, None)


def test_a_price_that_depends_on_what_the_call_does_not_say_is_unknown() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    own = true
    price = [{ rates = { images = "0.04" }, when = { size = "1024x1024", quality = "hd" } }]
    """)
    assert charged(prices, {"images": 2}, size="1024x1024", quality="hd").amount == Decimal("0.08")
    lacking = charged(prices, {"images": 2}, size="1024x1024")
    assert (lacking.amount, lacking.reason) == (
        None,
        "its price depends on quality, size; the call says size=1024x1024",
    )
    assert (
        charged(prices, {"images": 2}).reason == "its price depends on quality, size; the call says nothing"
    )


def test_a_price_of_ones_own_is_the_whole_one_but_for_the_fees_of_the_provider() -> None:
    book = book_of("""
    [[model]]
    provider = "anthropic"
    model = "claude-opus-4-6"
    price = [{ rates = { input = "4", output = "8" } }]
    """)

    def cost(counts: dict[str, int], **terms: str) -> Decimal | None:
        return cost_of(
            counts, provider="anthropic", model="claude-opus-4-6", at=NOW, book=book, **terms
        ).amount

    # the packaged tables have a tenth more for the US
    assert cost({"input": 1000}) == cost({"input": 1000}, geo="us") == Decimal("0.004")
    assert cost({"web_search": 1}) == Decimal("0.01")  # ten dollars a thousand


def test_a_price_that_is_nothing_up_to_a_size_alone_is_not_free() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "0" }
    above = [{ tokens = 1000, rates = { input = "2" } }]
    """)
    assert card_of(prices).free is False
