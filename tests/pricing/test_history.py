"""Which listed row counted from when to when."""

from datetime import UTC, datetime
from decimal import Decimal

from outlay.pricing import Book
from outlay.pricing.history import at, histories
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
    standard = [each for each in found.periods if not each.row.when]
    # 5 dollars until the move to gpt-4o-2024-08-06 on 2 October 2024, 2.50 since
    moved = datetime(2024, 10, 2, tzinfo=UTC)
    first, second = standard
    assert (first.end, first.row.rates["input"].amount) == (moved, Decimal(5))
    assert (second.start, second.end, second.row.rates["input"].amount) == (moved, None, Decimal("2.5"))


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
