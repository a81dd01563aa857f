"""Which listed row counted from when to when."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from outlay.pricing import Book
from outlay.pricing.history import at, histories, unlisted
from outlay.pricing.tables import sheet_of

CHANGE = datetime(2026, 3, 1, tzinfo=UTC)

OWN = """
[[model]]
provider = "acme"
model = "one"
context_window = 1000
[[model.price]]
rates = { input = "8" }
[[model.price]]
from = 2026-03-01
rates = { input = "4" }
[[model.price]]
from = 2026-03-01
when = { batch = "true" }
rates = { input = "2" }
[[alias]]
provider = "acme"
name = "our-one"
model = "one"
"""


def spans(model: str, when: tuple[tuple[str, str], ...] = ()) -> list[tuple[object, object, Decimal]]:
    (found,) = histories(Book.of(sheet_of(OWN)), model, "acme")
    return [(e.start, e.end, e.row.rates["input"].amount) for e in found.periods if e.row.when == when]


def test_a_later_price_ends_the_one_before() -> None:
    assert spans("one") == [(None, CHANGE, Decimal(8)), (CHANGE, None, Decimal(4))]
    assert spans("one", (("batch", "true"),)) == [(CHANGE, None, Decimal(2))]


def test_an_alias_has_the_prices_and_facts_of_what_it_stands_for() -> None:
    assert spans("our-one") == spans("one")
    (found,) = histories(Book.of(sheet_of(OWN)), "our-one", "acme")
    assert found.facts == {"context_window": 1000}


def test_the_overlay_hides_what_the_tables_say_of_the_same_time() -> None:
    (found,) = histories(Book.default(), "gpt-4o")
    standard = [each for each in found.periods if not each.row.when and not each.common]
    # 5 dollars until the move to gpt-4o-2024-08-06 on 2 October 2024, 2.50 since
    moved = datetime(2024, 10, 2, tzinfo=UTC)
    first, second = standard
    assert (first.end, first.row.rates["input"].amount) == (moved, Decimal(5))
    assert (second.start, second.end, second.row.rates["input"].amount) == (moved, None, Decimal("2.5"))


def test_a_name_that_two_sell_has_a_history_at_each() -> None:
    text = '[[model]]\nprovider = "{}"\nmodel = "our-7b"\nprice = [{{ rates = {{ input = "{}" }} }}]\n'
    book = Book.of(sheet_of(text.format("acme", 1) + text.format("zenith", 2)))
    found = histories(book, "our-7b")
    assert [(e.provider, [p.row.rates["input"].amount for p in e.periods]) for e in found] == [
        ("acme", [Decimal(1)]),
        ("zenith", [Decimal(2)]),
    ]


def test_a_name_without_a_seller_is_its_makers_though_another_lists_it_sooner() -> None:
    assert Book.default().history("glm-5.2", "mistral")
    (found,) = histories(Book.default(), "glm-5.2")
    assert found.provider == "zai"


def test_a_price_of_ones_own_hides_all_others() -> None:
    mine = sheet_of('[[model]]\nprovider="openai"\nmodel="gpt-4o"\nprice=[{rates={input="1", output="2"}}]')
    (found,) = histories(Book.of(mine), "gpt-4o", "openai")
    assert [(each.row.when, each.row.rates["input"].amount) for each in found.periods if not each.common] == [
        ((), Decimal(1))
    ]


def test_what_holds_at_an_instant() -> None:
    (found,) = histories(Book.of(sheet_of(OWN)), "one", "acme")
    before = at(found, datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    assert [each.row.rates["input"].amount for each in before.periods] == [Decimal(8)]
    assert len(at(found, CHANGE).periods) == 2


def test_a_model_without_a_known_maker_is_looked_for_at_every_seller() -> None:
    other = OWN.replace('"acme"', '"zenith"')
    book = Book.of(sheet_of(OWN), sheet_of(other))
    assert [each.provider for each in histories(book, "our-one")] == ["acme", "zenith"]
    assert histories(book, "our-two") == ()
    assert histories(book, "one", "nobody") == ()


def laid(*layers: str) -> Book:
    """Lay rows of acme's one model over each other: generated tables, our overlay, prices of one's own."""
    head = '[[model]]\nprovider = "acme"\nmodel = "one"\n'
    return Book.of(*(sheet_of(head + rows, "x", layer) for layer, rows in enumerate(layers)))


def amounts(book: Book) -> list[Decimal | None]:
    (found,) = histories(book, "one", "acme")
    return [each.row.factor or each.row.rates["input"].amount for each in found.periods]


def price(rest: str) -> str:
    return f'[[model.price]]\nsource = "list"\n{rest}\n'


TWO, THREE = price('rates = { input = "2" }'), price('rates = { input = "3" }')
HALF = price('factor = "0.5"\nwhen = { batch = "true" }')


def test_factors_of_tables_stay_under_the_overlays_price_and_not_under_ones_own() -> None:
    assert amounts(laid(TWO + HALF, THREE)) == [Decimal(3), Decimal("0.5")]
    assert amounts(laid(TWO + HALF, "", THREE)) == [Decimal(3)]


@pytest.mark.parametrize(
    ("above", "known"),
    [
        (price('factor = "0.5"'), ["2", "0.5"]),
        (price('rates = { input = "1" }\nwindows = [{ from = "16:30", to = "00:30" }]'), ["2", "1"]),
        (price('rates = { input = "1" }\nwhen = { batch = "true" }'), ["2", "1"]),
        (THREE, ["3"]),
    ],
)
def test_only_a_standard_price_puts_the_tables_out_of_force(above: str, known: list[str]) -> None:
    assert amounts(laid(TWO, above)) == [Decimal(each) for each in known]


def test_where_nobody_has_a_standard_price_all_count() -> None:
    batch = price('rates = { input = "1" }\nwhen = { batch = "true" }')
    assert amounts(laid(batch)) == [Decimal(1)]


def test_rates_come_before_factors_and_what_holds_for_every_model_comes_last() -> None:
    common = '[[common]]\nprovider = "acme"\nfactor = "0.8"\nsource = "list"\nwhen = { speed = "fast" }'
    (found,) = histories(laid(HALF + TWO + common), "one", "acme")
    assert [(each.common, each.row.factor) for each in found.periods] == [
        (False, None),
        (False, Decimal("0.5")),
        (True, Decimal("0.8")),
    ]
    assert found.facts == {}


def test_an_alias_has_the_facts_of_the_model_that_it_stands_for_last_however_far_that_is() -> None:
    entry = '[[alias]]\nprovider = "acme"\nname = "{}"\nmodel = "{}"\n'
    other = (
        '[[model]]\nprovider = "acme"\nmodel = "two"\nmax_output = 7\nprice = [{ rates = { input = "1" } }]\n'
    )
    text = (
        OWN
        + other
        + "".join(
            (
                entry.format("late", "two") + "from = 2026-03-01\n",
                entry.format("late", "one") + "to = 2026-03-01\n",
                entry.format("later", "late"),
            )
        )
    )
    for name in ("late", "later"):
        (found,) = histories(Book.of(sheet_of(text)), name, "acme")
        assert found.facts == {"max_output": 7}


@pytest.mark.parametrize(
    ("model", "provider", "says"),
    [
        ("gtp-4o", None, "no price of gtp-4o is known; near: gpt-4o"),
        ("gpt-4o", "groq", "no price of gpt-4o is known at groq"),
        (
            "gpt-4o-2024-08-06",
            "azure",
            "no listed price of gpt-4o-2024-08-06 is known; calls are priced as azure gpt-4o-2024-08-06",
        ),
    ],
)
def test_a_model_without_a_history_is_told_what_comes_near(
    model: str, provider: str | None, says: str
) -> None:
    assert unlisted(Book.default(), model, provider) == says
