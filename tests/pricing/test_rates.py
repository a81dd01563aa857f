"""Steps of rates."""

from outlay.pricing.rates import Step


def test_a_step_begins_behind_its_edge_or_at_it() -> None:
    assert [Step(10, {}).reached(count) for count in (9, 10, 11)] == [False, False, True]
    assert [Step(10, {}, at_least=True).reached(count) for count in (9, 10, 11)] == [False, True, True]
