"""Sheets of prices: their outer form."""

import pytest
from tests.support.books import book_of

from outlay.core.errors import PriceBookError


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
