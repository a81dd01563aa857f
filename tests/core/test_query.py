"""What a question may be asked with: names that exist, limits, filters in one form."""

from typing import Any

import pytest

from outlay.core.errors import QueryError
from outlay.core.query import check_dimension, check_metric, filters, slow_limit


@pytest.mark.parametrize("name", ["hour", "cost_status", "tag:team", "tag:cost-center_2.x"])
def test_a_dimension_that_exists_is_given_back(name: str) -> None:
    assert check_dimension(name) == name


@pytest.mark.parametrize("name", ["judged_calls", "slow:250"])
def test_a_metric_that_exists_is_given_back(name: str) -> None:
    assert check_metric(name) == name


@pytest.mark.parametrize(("metric", "limit"), [("slow:250", 250), ("slow:", None), ("judged_calls", None)])
def test_the_limit_of_slow_calls_is_read_from_the_name(metric: str, limit: int | None) -> None:
    assert slow_limit(metric) == limit


def test_filters_come_in_one_order_with_values_as_text() -> None:
    given: Any = [("user", None), ("model", ["b", "a"]), ("user", "ann"), ("tag:build", 7)]
    assert filters(given) == (
        ("model", ("b", "a")),
        ("tag:build", ("7",)),
        ("user", ("ann",)),
        ("user", (None,)),
    )
    assert filters({"user": {"ann"}, "model": None}) == (("model", (None,)), ("user", ("ann",)))
    assert filters(None) == ()


def test_a_value_that_no_call_can_have_is_refused() -> None:
    """As the word by which a list of calls says that one went well: it found nothing, and did not say so."""
    with pytest.raises(QueryError, match=r"no status 'ok'; there are success, error$"):
        filters({"status": ["error", "ok"]})
    with pytest.raises(QueryError, match="no cost_status 'unknown'; there are priced, "):
        filters({"cost_status": "unknown"})
    assert filters({"cost_status": (None, "free")}) == (("cost_status", (None, "free")),)


def test_a_filter_of_a_dimension_that_does_not_exist_is_refused() -> None:
    with pytest.raises(QueryError, match="did you mean user"):
        filters({"usr": "ann"})
