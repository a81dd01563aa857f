"""Documents of entries: fields in the kinds that an entry has, or what is wrong with one."""

import json
from typing import Any

import orjson
import pytest

from outlay.core.documents import sound


@pytest.mark.parametrize("value", [True, False, 0, 1, 0.0, 1.0])
def test_whether_a_price_is_of_a_later_day_is_a_truth_or_a_number_equal_to_one(value: Any) -> None:
    assert sound({"price": {"extrapolated": value}}) == {"price": {"extrapolated": bool(value)}}


@pytest.mark.parametrize("name", ["raw", "extra"])
def test_an_object_may_be_nested_as_deep_as_writers_of_json_go(name: str) -> None:
    nested: Any = []
    for _ in range(238):
        nested = [nested]
    good = {"a": nested}
    assert json.loads(orjson.dumps(sound({name: good}))) == {name: good}
    with pytest.raises(ValueError, match=f"{name} must not be nested more than 240 deep"):
        sound({name: {"a": [nested]}})


@pytest.mark.parametrize("quantity", [2**63 - 1, "0.5", -(2**63) + 1])
def test_a_quantity_of_a_line_is_one_that_a_ledger_holds(quantity: Any) -> None:
    assert sound({"lines": [{"quantity": quantity}]}) == {"lines": [{"quantity": quantity}]}
    with pytest.raises(ValueError, match="lines: quantity must be below 9,223,372,036,854,775,808"):
        sound({"lines": [{"quantity": 2**63}]})


@pytest.mark.parametrize("value", ["yes", 2, [], {}])
def test_anything_else_there_is_told(value: Any) -> None:
    with pytest.raises(TypeError, match="price: extrapolated must be true or false"):
        sound({"price": {"extrapolated": value}})
