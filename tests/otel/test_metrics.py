"""Our records as metrics: the conventions' names and buckets, inclusive counts, no figure where none is."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from tests.support.wire import Kept

import outlay
from outlay import process
from outlay.otel import export_metrics
from outlay.testing import call

CALL: dict[str, Any] = {
    "provider": "bedrock",
    "model": "claude-sonnet-4-5",
    "model_requested": "claude-sonnet",
    "latency_ms": 800.0,
    "time_to_first_token_ms": 50.0,
    "usage": {"input": 600, "cache_read": 300, "cache_write_1h": 100, "output": 70, "reasoning": 30},
    "cost": "0.0123",
}
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)


@pytest.fixture
def meters(kept: Kept) -> tuple[MeterProvider, Callable[[], dict[str, list[Any]]]]:
    """Give a provider, and a function that reads its metrics: name -> points."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)

    def read() -> dict[str, list[Any]]:
        data = reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    return provider, read


def sums(points: list[Any], by: str) -> dict[Any, float]:
    return {point.attributes.get(by): getattr(point, "sum", None) or point.value for point in points}


def test_the_names_of_v1_41_are_the_default(meters: Any, kept: Kept) -> None:
    provider, read = meters
    export_metrics(provider, tags=("team",))
    with outlay.context(team="search", user="u1"):
        outlay.record(**CALL)
    found = read()
    assert set(found) == {
        "gen_ai.client.token.usage",
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "outlay.cost",
        "outlay.calls",
    }
    tokens = found["gen_ai.client.token.usage"]
    # every input token, cached and written ones too; every output token, thoughts too
    assert sums(tokens, "gen_ai.token.type") == {"input": 1000, "output": 100}
    assert tokens[0].explicit_bounds[:4] == (1, 4, 16, 64)
    assert tokens[0].explicit_bounds[-1] == 67108864
    assert dict(tokens[0].attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "claude-sonnet",
        "gen_ai.response.model": "claude-sonnet-4-5",
        "gen_ai.token.type": tokens[0].attributes["gen_ai.token.type"],
        "outlay.tag.team": "search",
    }
    (duration,) = found["gen_ai.client.operation.duration"]
    assert duration.sum == 0.8
    assert duration.explicit_bounds == SECONDS
    assert found["gen_ai.client.operation.time_to_first_chunk"][0].explicit_bounds == SECONDS
    assert sums(found["outlay.cost"], "outlay.cost.currency") == {"USD": 0.0123}
    assert sums(found["outlay.calls"], "outlay.cost.status") == {"reported": 1}
    assert len(kept.records) == 1


def test_the_newest_names_count_each_kind_by_modality(meters: Any) -> None:
    provider, read = meters
    export_metrics(provider, conventions="newest")
    outlay.record(**{**CALL, "usage": {**CALL["usage"], "input_audio": 20}})
    found = read()
    name = "gen_ai.client.inference.usage."
    counts = {
        metric.removeprefix(name): points for metric, points in found.items() if metric.startswith(name)
    }
    assert {metric: sums(points, "gen_ai.token.modality") for metric, points in counts.items()} == {
        "input_tokens": {"text": 1000, "audio": 20},
        "cache_read.input_tokens": {"text": 300},
        "cache_write.input_tokens": {"text": 100},
        "output_tokens": {"text": 100},
        "reasoning.output_tokens": {"text": 30},
    }
    assert found["gen_ai.client.inference.operation.input_tokens"][0].sum == 1020
    assert found["gen_ai.client.inference.duration"][0].sum == 0.8
    assert "gen_ai.client.token.usage" not in found


def test_a_failed_call_has_a_duration_and_no_tokens(meters: Any) -> None:
    provider, read = meters
    export_metrics(provider, conventions="both")
    outlay.record(provider="openai", model="gpt-4o", error_type="TimeoutError", latency_ms=100.0)
    found = read()
    assert not [name for name in found if "token" in name]
    assert sums(found["gen_ai.client.operation.duration"], "error.type") == {"TimeoutError": 0.1}
    # nothing answered: the model that was asked for is not the one of a response
    assert "gen_ai.response.model" not in found["gen_ai.client.operation.duration"][0].attributes
    assert "outlay.cost" not in found
    assert sums(found["outlay.calls"], "outlay.cost.status") == {"unpriced": 1}


def test_it_stops(meters: Any, kept: Kept) -> None:
    provider, read = meters
    stop = export_metrics(provider)
    stop()
    outlay.record(**CALL)
    assert read() == {}
    assert len(kept.records) == 1


def test_other_conventions_are_refused(meters: Any) -> None:
    with pytest.raises(ValueError, match="newest or both"):
        export_metrics(meters[0], conventions="v2")  # type: ignore[arg-type] # what a user may write


def test_a_cost_below_zero_is_counted_as_a_call_of_one(
    meters: Any, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    """A counter refuses the amount: what its sum is without is told by the calls beside it."""
    provider, read = meters
    stop = export_metrics(provider)
    for cost in ("3", "-1", "0"):  # a provider's own statement may be below 0
        process.current().recorder().sink.append(call(cost=cost))
    stop()
    found = read()
    assert [point.value for point in found["outlay.cost"]] == [3]
    assert sums(found["outlay.calls"], "outlay.cost.negative") == {None: 2, "true": 1}
    assert [record.getMessage() for record in caplog.records] == []
    assert len(kept.records) == 3
