"""Percentiles that a sample and one look find are those that the engine finds by sorting everything."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outlay.core.query import Query, Rows, filters
from outlay.ledger import DuckLedger, ranks
from outlay.ledger.dialect import DUCKDB, Dialect
from outlay.ledger.measures import REPORTED
from outlay.ledger.native import duckdb
from outlay.testing import NOON, call

EXACT = 1e-12  # what two ways of adding the same two floats may differ by
THIRD = replace(DUCKDB, sample="rowid % 3 = 0")
ASKED = DUCKDB.percentiles.format(column="latency_ms")


@dataclass
class Values:
    """A table of latencies alone."""

    database: Any
    dialect: Dialect = THIRD

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return list(self.database.execute(sql, list(parameters)).fetchall())

    def hold(self, values: Sequence[float | None]) -> None:
        self.all(
            "CREATE OR REPLACE TEMP TABLE calls AS SELECT unnest(CAST(? AS DOUBLE[])) AS latency_ms",
            [list(values)],
        )


@pytest.fixture(scope="module")
def values() -> Iterator[Values]:
    with closing(duckdb.connect()) as database:
        yield Values(database)


LATENCIES = st.one_of(
    st.none(),
    st.floats(0, 100_000, allow_nan=False),
    st.sampled_from((0.0, 12.0, 812.25, 1e9, float("inf"))),
)


@example(listed=[5.0] * 60, wide=2.0)
@example(listed=[float(each) for each in range(200)], wide=6.0)
@given(listed=st.lists(LATENCIES, min_size=1, max_size=200), wide=st.sampled_from((0.0, 0.5, 2.0, 6.0)))
def test_they_are_found_exactly_or_not_at_all(
    values: Values, listed: list[float | None], wide: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "_ENOUGH", 0)
        patch.setattr(ranks, "_ONE_OF", 3)
        patch.setattr(ranks, "_WIDE", wide)
        values.hold(listed)
        found = ranks.percentiles(values, Query(), THIRD, len(listed), "latency_ms")
    if found:
        whole, mean = values.all(f"SELECT {ASKED}, avg(latency_ms) FROM calls")[0]  # noqa: S608  # our own words
        assert found[ASKED] == pytest.approx(whole, rel=EXACT)
        assert found["avg(latency_ms)"] == pytest.approx(mean, rel=EXACT)


def test_a_wide_stretch_finds_them(values: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "_ENOUGH", 3)
    monkeypatch.setattr(ranks, "_ONE_OF", 3)
    values.hold([float(each) for each in range(0, 2002, 2)])
    # 1,001 values 0, 2, …, 2000: the ranks are 500, 950 and 990, and nothing stands between two.
    found = ranks.percentiles(values, Query(), THIRD, 1001, "latency_ms", REPORTED)
    assert found == {ASKED: [1000.0, None, 1900.0, 1980.0], "avg(latency_ms)": 1000.0}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("_ENOUGH", 10_000, id="the sample is small"),
        pytest.param("_MOST", 10, id="too many values to look through"),
        pytest.param("_WIDE", -1.0, id="the stretches miss them"),
    ],
)
def test_otherwise_the_engine_is_asked(
    values: Values, monkeypatch: pytest.MonkeyPatch, setting: str, value: float
) -> None:
    monkeypatch.setattr(ranks, "_ENOUGH", 3)
    monkeypatch.setattr(ranks, "_ONE_OF", 3)
    monkeypatch.setattr(ranks, setting, value)
    values.hold([float(each) for each in range(1000)])
    assert ranks.percentiles(values, Query(), THIRD, 1000, "latency_ms") == {}


QUERIES = (
    Query(),
    Query(by=("model",)),
    Query(by=("day", "model"), tz="Europe/Berlin"),
    Query(detail="sums"),
    Query(detail="counts"),
    Query(by=("model",), metrics=("p90_latency_ms", "users", "error_cost", "p50_first_token_ms")),
    Query(metrics=("p90_latency_ms", "avg_first_token_ms", "p99_first_token_ms", "error_cost")),
    Query(by=("model",), where=filters({"model": "m1"})),
    Query(by=("model",), where=filters({"model": "nobody's"})),
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckLedger]:
    with closing(DuckLedger(tmp_path_factory.mktemp("ranks"))) as made:
        made.add(
            call(
                at=NOON,
                model=f"m{number % 3}",
                status="error" if number % 7 == 0 else "ok",
                latency_ms=None if number % 11 == 0 else (number * 7919 % 1009) * 1.7,
                time_to_first_token_ms=number * 31 % 503 * 1.1 if number % 2 else None,
            )
            for number in range(1500)
        )
        yield made


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_answers_are_the_same_both_ways(
    ledger: DuckLedger, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_the_engine = ledger.rows(query)
    monkeypatch.setattr(ranks, "MANY", 0)
    monkeypatch.setattr(ranks, "SAMPLE", "rowid % 5 = 0")
    monkeypatch.setattr(ranks, "_ENOUGH", 30)
    monkeypatch.setattr(ranks, "_ONE_OF", 5)
    ways: list[bool] = []
    by_sample = ranks.percentiles

    def watched(*given: Any) -> dict[str, Any]:
        found = by_sample(*given)
        ways.append(bool(found))
        return found

    monkeypatch.setattr(ranks, "percentiles", watched)
    assert_alike(ledger.rows(query), by_the_engine)
    asked = 0 if query.detail != "all" else 1 + any("first_token" in name for name in query.metrics)
    assert ways == [by_the_engine.total["calls"] > 0] * asked


def assert_alike(found: Rows, wanted: Rows) -> None:
    for mine, other in zip((*found.rows, found.total), (*wanted.rows, wanted.total), strict=True):
        assert mine == {
            name: pytest.approx(value, rel=EXACT) if isinstance(value, float) else value
            for name, value in other.items()
        }
