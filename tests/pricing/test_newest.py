"""The book of a process: the packaged one, its updates, and prices of one's own."""

from pathlib import Path

from tests.support.books import charged

from outlay.pricing import Book
from outlay.pricing.newest import book_of


def test_a_book_without_updates_is_the_packaged_one_under_ones_own(tmp_path: Path) -> None:
    assert book_of(None, None) is Book.default()
    mine = tmp_path / "mine.toml"
    mine.write_text('[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{ rates = { input = "1" } }]')
    assert charged(book_of(mine, None), {"input": 1_000_000}).amount == 1
