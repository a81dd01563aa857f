"""Our book beside another list: what agrees, what differs, and by whose word."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.support.books import NOW, book_of

from outlay.core.errors import PriceBookError
from outlay.pricing import Book
from outlay.pricing.agreement import Tally, compare_lists
from outlay.pricing.rows import OVERLAY
from outlay.pricing.sources import Listed
from outlay.pricing.tables import sheet_of

AT = datetime(2026, 11, 1, tzinfo=UTC)
OURS = """
[[model]]
provider = "acme"
model = "one"
price = [{ rates = { input = "1", output = "2" }, source = "Acme", link = "https://acme.example" }]
[[model]]
provider = "acme"
model = "two"
price = [{ rates = { input = "7" }, currency = "CNY", source = "Acme" }]
[[ruling]]
provider = "openai"
model = "gpt-4o-mini*"
says = "ours is right"
link = "https://example.org/why"
"""
BOOK = Book.of(sheet_of(OURS, "acme.toml", OVERLAY))


def listed(model: str, unit: str, rate: str, provider: str = "acme") -> Listed:
    return Listed(provider, model, unit, Decimal(rate))


def test_a_tenth_of_a_percent_is_agreement() -> None:
    # 1.001 is 0.1 % of the larger one away, 1.0012 more
    found = compare_lists(BOOK, [listed("one", "input", "1.001"), listed("one", "input", "1.0012")], AT)
    assert found.tallies == {("acme", "input"): Tally(compared=2, agree=1)}
    assert [each.theirs for each in found.disagreements] == [Decimal("1.0012")]


def test_a_tenth_of_a_percent_itself_agrees() -> None:
    # 0.999 is 0.001 x 1 away, 0.9989 more
    theirs = [listed("one", "input", "0.999"), listed("one", "input", "0.9989")]
    assert compare_lists(BOOK, theirs, AT).total == Tally(compared=2, agree=1)


def test_a_disagreement_names_whose_word_ours_is() -> None:
    theirs = [
        listed("one", "output", "3"),
        listed("gpt-4o-mini", "input", "9", "openai"),
        listed("o3", "input", "9", "openai"),
    ]
    acme, mini, o3 = compare_lists(BOOK, theirs, AT).disagreements
    assert (acme.ours, acme.theirs, acme.source) == (Decimal(2), Decimal(3), "Acme")
    assert acme.ruling == "Acme https://acme.example"
    assert mini.ruling == "ours is right https://example.org/why"
    assert o3.ruling is None


def test_disagreements_stand_in_the_order_of_their_names_and_units() -> None:
    theirs = [
        listed("o3", "input", "9", "openai"),
        listed("two", "input", "9"),
        listed("one", "output", "9"),
        listed("one", "input", "9"),
    ]
    found = compare_lists(BOOK, theirs, AT).disagreements
    assert [(each.model, each.unit) for each in found] == [
        ("one", "input"),
        ("one", "output"),
        ("two", "input"),
        ("o3", "input"),
    ]


def test_what_we_do_not_list_is_counted_and_never_compared() -> None:
    theirs = [
        listed("one", "cache_read", "1"),
        listed("three", "input", "1"),
        listed("one", "input", "1", "nobody"),
    ]
    found = compare_lists(BOOK, theirs, AT)
    assert (found.total.compared, found.total.only_theirs) == (0, 3)
    assert list(found.by_provider()) == ["acme", "nobody"]


def test_a_tariff_that_is_assumed_is_not_listed() -> None:
    batch = Listed("acme", "one", "input", Decimal("0.5"), (("batch", "true"),))
    assert compare_lists(BOOK, [batch], AT).tallies == {("acme", "input batch"): Tally(only_theirs=1)}


def test_another_currency_never_agrees() -> None:
    (found,) = compare_lists(BOOK, [listed("two", "input", "7")], AT).disagreements
    assert found.currency == "CNY"


def test_one_provider_alone() -> None:
    theirs = [listed("one", "input", "1"), listed("o3", "input", "2", "openai")]
    assert list(compare_lists(BOOK, theirs, AT, "openai").by_provider()) == ["openai"]


@pytest.mark.parametrize(
    "text", ['[[ruling]]\nprovider="a"', '[[ruling]]\nprovider="a"\nmodel="b"\nsays="c"\nwhy="d"']
)
def test_a_ruling_that_breaks_the_format_is_refused(text: str) -> None:
    with pytest.raises(PriceBookError, match=r"\[\[ruling\]\] 1"):
        sheet_of(text)


def test_a_difference_says_itself_as_an_object() -> None:
    prices = book_of(
        '[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1", pages = "2" } }]'
    )
    theirs = [Listed("acme", "one", "input", Decimal(3)), Listed("acme", "one", "pages", Decimal(2))]
    found = compare_lists(prices, theirs, NOW)
    (differs,) = found.disagreements
    said = differs.to_dict()
    assert {name: said[name] for name in ("provider", "model", "unit", "ours", "theirs", "terms")} == {
        "provider": "acme",
        "model": "one",
        "unit": "input",
        "ours": Decimal(1),
        "theirs": Decimal(3),
        "terms": {},
    }
    assert list(found.by_unit()) == ["input", "pages"]
    assert all(isinstance(tally, Tally) for tally in found.by_unit().values())


def test_sums_by_unit_and_by_provider_are_those_of_each() -> None:
    prices = book_of(
        '[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1", output = "2" } }]\n'
        '[[model]]\nprovider = "beta"\nmodel = "one"\nprice = [{ rates = { input = "1", output = "2" } }]'
    )
    theirs = [
        *(listed("one", "output", "2"), listed("one", "output", "9"), listed("one", "cache_read", "1")),
        *(
            listed("one", "input", "1"),
            listed("one", "input", "1", "beta"),
            listed("two", "input", "1", "beta"),
        ),
        Listed("beta", "one", "input", Decimal(1), (("batch", "true"),)),
    ]
    found = compare_lists(prices, theirs, AT)
    assert found.by_provider() == {"acme": Tally(3, 2, 1), "beta": Tally(1, 1, 2)}
    assert list(found.by_unit().items()) == [
        ("input", Tally(2, 2, 1)),
        ("input batch", Tally(only_theirs=1)),
        ("cache_read", Tally(only_theirs=1)),
        ("output", Tally(2, 1)),
    ]


def test_the_rate_of_another_unit_is_none_of_ours() -> None:
    """Thoughts are charged as output, which nobody has assumed: it is no rate that we list."""
    found = compare_lists(BOOK, [listed("one", "reasoning", "2")], AT)
    assert found.total == Tally(only_theirs=1)


@pytest.mark.parametrize(
    ("common", "terms", "ruling"),
    [
        ('factor = "2"\nsource = "a surcharge"\nwhen = { geo = "eu" }', (("geo", "eu"),), "a surcharge"),
        ('factor = "2"\nsource = "a surcharge"\nwhen = { geo = "eu" }', (), "ours"),
        ('rates = { web_search = "10" }\nsource = "a fee"\nwhen = { geo = "eu" }', (("geo", "eu"),), "ours"),
    ],
)
def test_a_factor_of_ours_that_holds_is_whose_word_it_is(
    common: str, terms: tuple[tuple[str, str], ...], ruling: str
) -> None:
    prices = book_of(
        f'[[common]]\nprovider = "acme"\n{common}\n'
        '[[model]]\nprovider = "acme"\nmodel = "one"\n'
        'price = [{ rates = { input = "1" }, source = "ours", from = 2026-01-01 }]'
    )
    (found,) = compare_lists(prices, [Listed("acme", "one", "input", Decimal(9), terms)], AT).disagreements
    assert found.ruling == ruling
