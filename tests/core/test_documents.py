"""Documents of entries: fields in the kinds that an entry has, or what is wrong with one."""

from typing import Any

import pytest

from outlay.core.documents import sound


@pytest.mark.parametrize("value", [True, False, 0, 1, 0.0, 1.0])
def test_whether_a_price_is_of_a_later_day_is_a_truth_or_a_number_equal_to_one(value: Any) -> None:
    assert sound({"price": {"extrapolated": value}}) == {"price": {"extrapolated": bool(value)}}


@pytest.mark.parametrize("value", ["yes", 2, [], {}])
def test_anything_else_there_is_told(value: Any) -> None:
    with pytest.raises(TypeError, match="price: extrapolated must be true or false"):
        sound({"price": {"extrapolated": value}})
