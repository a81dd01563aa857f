"""Costs: an unknown one is never zero, and one that no ledger could hold is rounded and says so."""

from decimal import Decimal

from outlay.core.cost import Cost, fitting, unpriced


def test_the_cost_of_an_unknown_price_is_none_with_its_reason() -> None:
    assert unpriced("nobody knows", currency="EUR", flags=("by_shape",)) == Cost(
        None, "unpriced", "EUR", reason="nobody knows", flags=("by_shape",)
    )


def test_an_amount_of_eighteen_places_fits_as_it_is() -> None:
    for cost in (Cost(Decimal("0.000000000000000001"), "priced"), unpriced("nobody knows")):
        assert fitting(cost) is cost


def test_an_amount_of_more_places_is_rounded_and_flagged_behind_its_other_flags() -> None:
    cost = Cost(Decimal("0.0000000000000000015"), "priced", flags=("assumed_rate",))
    assert fitting(cost) == Cost(Decimal("2E-18"), "priced", flags=("assumed_rate", "rounded"))


def test_our_figure_beside_a_stated_one_is_rounded_too() -> None:
    cost = Cost(Decimal("0.1"), "reported", computed=Decimal("0.0000000000000000025"))
    assert fitting(cost) == Cost(Decimal("0.1"), "reported", computed=Decimal("2E-18"), flags=("rounded",))
