"""Comparing prices between instants and books, and calls between models."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from tests.support.books import book_of

from outlay.pricing import Book
from outlay.pricing.compare import _changes, price_changes

MAY, JULY = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_changes_between_two_instants() -> None:
    book = Book.default()
    changes = {
        (change.model, change.unit): change for change in price_changes((book, MAY), (book, JULY), ["openai"])
    }
    fall = changes["o3", "input"]
    assert (fall.before, fall.after, fall.per) == (Decimal(10), Decimal(2), 1_000_000)
    assert ("gpt-4o", "input") not in changes


def test_changes_between_two_books() -> None:
    mine = """
    [[model]]
    provider = "openai"
    model = "gpt-4o"
    price = [{ rates = { input = "2", output = "10" } }]
    """
    book = book_of(mine)
    changes = list(price_changes((Book.default(), NOW), (book, NOW), ["openai"]))
    assert {change.model for change in changes} == {"gpt-4o"}
    first = changes[0]
    assert (first.unit, first.before, first.after) == ("input", Decimal("2.5"), Decimal(2))
    assert ("cache_read", Decimal("1.25"), None) in [(each.unit, each.before, each.after) for each in changes]


def test_changes_stand_in_order_each_for_its_number_of_units() -> None:
    entry = '[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = %s, currency = "%s" }]'
    before = book_of(entry % ('{ output = "2", input = "1", web_search = "10", characters = "5" }', "USD"))
    after = book_of(entry % ('{ output = "3", input = "1", web_search = "12", images = "1" }', "EUR"))
    changes = price_changes((before, NOW), (after, NOW), ["acme"])
    assert [(each.unit, each.before, each.after, each.per) for each in changes] == [
        ("input", 1, 1, 1_000_000),  # a dollar is no euro
        ("output", 2, 3, 1_000_000),
        ("characters", 5, None, 1_000_000),
        ("images", None, 1, 1),
        ("web_search", 10, 12, 1000),
    ]
    assert {
        (each.unit, each.currency_before, each.currency)
        for each in price_changes((before, NOW), (after, NOW), ["acme"])
    } == {
        *(("input", "USD", "EUR"), ("output", "USD", "EUR"), ("web_search", "USD", "EUR")),
        ("characters", "USD", "USD"),  # gone
        ("images", "EUR", "EUR"),  # new
    }
    gone = price_changes((before, NOW), (book_of(""), NOW), ["acme"])
    found = list(gone)
    assert {(each.after, each.currency) for each in found} == {(None, "USD")}
    assert [each.per for each in found] == [1_000_000, 1_000_000, 1_000_000, 1000]  # searches by the thousand


def test_a_model_that_neither_book_prices_has_not_changed() -> None:
    assert list(_changes("acme", "one", None, None)) == []


def test_providers_that_one_side_alone_has_are_compared_too(tmp_path: Path) -> None:
    def tables(provider: str) -> Book:
        folder = tmp_path / provider
        folder.mkdir()
        row = {"source": 0, "rates": {"input": "1"}}
        models = {"one": {"rows": [row]}}
        (folder / f"{provider}.json").write_text(json.dumps({"sources": [{"name": "x"}], "models": models}))
        (folder / "overlay.toml").write_text("")
        (folder / "version.txt").write_text("1")
        return Book.at(folder)

    changes = price_changes((tables("zeta"), NOW), (tables("acme"), NOW))
    assert [(each.provider, each.before, each.after) for each in changes] == [
        ("acme", None, 1),
        ("zeta", 1, None),
    ]
