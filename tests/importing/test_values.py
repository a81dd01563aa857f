"""Values of foreign rows: an amount is one to the last digit, 0 says nothing, and a truth is no money."""

from decimal import Decimal

import pytest

from outlay.core.errors import UsageError
from outlay.importing.values import stated


@pytest.mark.parametrize("nothing", [None, "", 0, 0.0, "0", "0.000", "$0.00", Decimal(0)])
def test_a_0_is_no_amount(nothing: object) -> None:
    assert stated(nothing) is None


@pytest.mark.parametrize("amount", ["0.000000000000000000000000000001", 1e-7, 3, Decimal("0.1")])
def test_an_amount_is_given_as_it_was_written(amount: object) -> None:
    assert stated(amount) == amount


@pytest.mark.parametrize("odd", [True, "much", "nan", [1]])
def test_what_is_no_amount_is_a_fault(odd: object) -> None:
    with pytest.raises(UsageError):
        stated(odd)
