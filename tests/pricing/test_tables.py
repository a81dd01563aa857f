"""Sheets of prices: their outer form, and what they say over a table."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.books import book_of, charged

from outlay.core.errors import PriceBookError, PriceFileError
from outlay.pricing import Book, RateCard, Unpriced
from outlay.pricing.rows import OVERLAY, USER
from outlay.pricing.tables import sheet_of

PRICED = '[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1" } }]\n'
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[model]]\nprovider = "acme"\nprice = [{ rates = { input = "1" } }]', "needs a model"),
        ('[[model]]\nprovider = "acme"\nmodel = ""\nprice = []', "needs a model"),
        ('[[alias]]\nprovider = "acme"\nname = "a"', "needs a name and another model"),
        ('[[alias]]\nprovider = "acme"\nname = "a"\nmodel = "A"', "needs a name and another model"),
    ],
)
def test_an_entry_without_its_name_is_refused(text: str, said: str) -> None:
    with pytest.raises(PriceBookError, match=said):
        book_of(text).check("acme")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{PRICED}[[model]]\nmodel = 'two'", r"^mine\.toml, \[\[model\]\] 2: needs a provider"),
        (f"{PRICED}zebra = 1\nant = 2", r"^mine\.toml, \[\[model\]\] 1: there is no key 'ant'; there are"),
        ('[[ruling]]\nprovider = "a"\nmodel = "b"', r"\[\[ruling\]\] 1: needs provider, model and says"),
        ('[[ruling]]\nprovider = "a"\nsays = "c"', r"\[\[ruling\]\] 1: needs provider, model and says"),
        (f'{PRICED}[[common]]\nprovider = "acme"\nrates = 1', r"^mine\.toml, common acme 1"),
        (PRICED.replace('"1"', '"x"'), r"^mine\.toml, acme/one, price 1"),
    ],
)
def test_a_fault_is_named_by_its_place_counted_from_one(text: str, said: str) -> None:
    with pytest.raises(PriceBookError, match=said):
        book_of(text).check("acme")


@pytest.mark.parametrize("provider", [None, "unknown", "litellm"])
def test_a_price_of_ones_own_may_be_of_calls_that_name_no_provider(provider: str | None) -> None:
    book = book_of(PRICED.replace('"acme"', '"Unknown"'))
    found = book.resolve(provider, "one")
    assert isinstance(found, RateCard)
    assert found.provider == "unknown"
    assert isinstance(book.resolve("acme", "one"), Unpriced)


def test_only_a_file_of_ones_own_is_called_one() -> None:
    with pytest.raises(PriceFileError, match="is no TOML"):
        sheet_of("=")
    with pytest.raises(PriceBookError, match="is no TOML") as error:
        sheet_of("=", "overlay.toml", OVERLAY)
    assert type(error.value) is PriceBookError


def aliases(*names: str) -> str:
    """Write aliases of each name for the one behind it."""
    entry = '[[alias]]\nprovider = "acme"\nname = "{}"\nmodel = "{}"\n'
    return "".join(entry.format(name, model) for name, model in pairwise(names))


def test_four_aliases_in_a_row_have_a_price_and_five_are_refused() -> None:
    book = book_of(PRICED + aliases("four", "three", "two", "uno", "one"))
    assert charged(book, {"input": 1_000_000}, "acme/four").amount == 1
    with pytest.raises(PriceBookError, match="acme/uno is an alias of one"):
        book_of(PRICED + aliases("five", "four", "three", "two", "uno", "one")).resolve("acme", "five")
    with pytest.raises(PriceBookError, match="is an alias of"):
        book_of(aliases("here", "there", "here")).resolve("acme", "here")


@pytest.mark.parametrize(
    ("span", "held"),  # in May, in June
    [("", [True, True]), ("from = 2026-06-01", [False, True]), ("to = 2026-06-01", [True, False])],
)
def test_an_alias_may_have_one_end(span: str, held: list[bool]) -> None:
    (row,) = [each.row for each in book_of(f"{PRICED}{aliases('uno', 'one')}{span}").history("uno", "acme")]
    may = datetime(2026, 5, 31, tzinfo=UTC)
    assert [row.spans(each) for each in (may, JUNE)] == held


def test_an_alias_that_ends_when_it_begins_is_refused() -> None:
    text = f"{PRICED}{aliases('uno', 'one')}from = 2026-06-01\nto = 2026-06-01"
    with pytest.raises(PriceBookError, match="to must be after from"):
        book_of(text).resolve("acme", "uno")


def test_nothing_is_known_from_before_a_model_was_there() -> None:
    since = PRICED.replace('model = "one"', 'model = "one"\nsince = 2026-06-01')
    assert [each.row.start for each in book_of(since).history("one", "acme")] == [JUNE]
    assert [each.row.start for each in book_of(PRICED).history("one", "acme")] == [None]


def test_a_model_of_ones_own_leaves_the_listed_rows_out() -> None:
    text = PRICED.replace("acme", "openai").replace('"one"', '"gpt-4o"')
    assert len(book_of(text).history("gpt-4o", "openai")) > 1
    own = text.replace('"gpt-4o"', '"gpt-4o"\nown = true')
    assert [each.row.rates["input"].amount for each in book_of(own).history("gpt-4o", "openai")] == [1]


def test_a_row_for_every_model_of_a_provider_holds_for_each() -> None:
    doubled = f'{PRICED}[[common]]\nprovider = "acme"\nfactor = 2\nwhen = {{ speed = "fast" }}'
    book = book_of(doubled)
    assert charged(book, {"input": 1_000_000}).amount == 1
    assert charged(book, {"input": 1_000_000}, speed="fast").amount == 2


def test_a_generated_model_is_found_by_its_other_names(tmp_path: Path) -> None:
    (tmp_path / "overlay.toml").write_text("", "utf-8")
    (tmp_path / "version.txt").write_text("1", "utf-8")
    model = '{"names":["Uno"],"rows":[{"source":0,"rates":{"input":"1"}}]}'
    table = f'{{"sources":[{{"name":"x"}}],"models":{{"m":{model}}}}}'
    (tmp_path / "acme.json").write_text(table, "utf-8")
    card = Book.at(tmp_path).resolve("acme", "uno")
    assert isinstance(card, RateCard)
    assert card.model == "m"


def test_a_price_of_ones_own_for_another_name_keeps_what_else_is_known_of_the_model() -> None:
    listed = sheet_of(
        """
        [[model]]
        provider = "acme"
        model = "one"
        names = ["first"]
        once = ["web_search"]
        price = [{ rates = { input = "10", web_search = "5" } }]
        """,
        "listed",
        0,
    )
    mine = '[[model]]\nprovider = "acme"\nmodel = "first"\nprice = [{ rates = { web_search = "4" } }]'
    # However often it searched, one search is billed: 4 a thousand
    cost = charged(Book.of(listed, sheet_of(mine, "mine", USER)), {"web_search": 3}, "acme/first")
    assert cost.amount == Decimal("0.004")
