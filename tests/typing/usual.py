"""What a program that uses outlay looks like to mypy, pyright and ty; never run, only read by them."""

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, assert_type

import pandas as pd
import polars as pl

import outlay
from outlay import Cost, CostLine, LedgerReader, OutlayError, Record, Report, Score, Usage
from outlay.core.cost import CostStatus, Price
from outlay.core.ports import Ledger
from outlay.core.record import Revision
from outlay.testing import FixedClock

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def recording() -> None:
    """Calls by hand, of every field a type of its own."""
    assert_type(outlay.instrument(), tuple[str, ...])
    outlay.instrument("openai", include_usage=False)
    record = outlay.record(
        provider="openai",
        model="gpt-4o",
        at=NOON,
        input_tokens=1000,
        cached_tokens=400,
        output_tokens=90,
        latency_ms=812.0,
        user="u1",
        status="success",
        tags={"team": "search", "attempt": 2},
        cost=Decimal("0.25"),
    )
    assert_type(record, Record)
    assert_type(record.cost, Decimal | None)
    assert_type(record.status, Literal["success", "error"])
    assert_type(record.cost_status, CostStatus)
    assert_type(record.input_tokens, int)
    assert_type(record.latency_ms, float | None)
    outlay.record(provider="acme", at="2026-11-01", usage={"input": 5, "audio_seconds": Decimal("1.5")})
    assert_type(outlay.score(record.id, quality_score=0.9, correct=True), Score)
    assert_type(outlay.flush(timeout=2), bool)


@outlay.track
def plain(text: str) -> int:
    """Keep the types of a decorated function."""
    return len(text)


@outlay.track(query_type="summary", team="search")
def named(text: str, *, times: int = 1) -> list[str]:
    """Keep them with attributes too."""
    return [text] * times


@outlay.track(user="u1")
async def awaited(text: str) -> bytes:
    """Keep a coroutine's."""
    return text.encode()


@outlay.track
async def streamed(text: str) -> AsyncIterator[str]:
    """Keep an asynchronous generator's."""
    yield text


class Answers:
    """A class whose methods are decorated."""

    @outlay.track(team="search")
    def method(self, text: str) -> float:
        """Keep a method's."""
        return float(text)


async def decorated() -> None:
    """Whatever is decorated keeps its types."""
    assert_type(plain("a"), int)
    assert_type(named("a", times=2), list[str])
    assert_type(await awaited("a"), bytes)
    async for part in streamed("a"):
        assert_type(part, str)
    assert_type(Answers().method("1"), float)


async def measuring(chunks: Iterator[bytes], later: AsyncIterator[str]) -> None:
    """Blocks of contexts and of calls that are measured by hand."""
    with outlay.context(user="u1", session="s1", team="search"), outlay.suppress():
        pass
    with outlay.measure(provider="acme", model="m1", user="u1") as call:
        assert_type(call.response({"usage": 1}), dict[str, int])
        call.usage(input_tokens=10, cost="0.01")
        for chunk in call.stream(chunks):
            assert_type(chunk, bytes)
    assert_type(call.record, Record | None)
    async with outlay.measure(provider="acme") as waited:
        async for text in waited.stream(later):
            assert_type(text, str)


def carried(pool: Executor) -> None:
    """Contexts that are taken along into threads."""
    assert_type(outlay.carry(plain)("a"), int)
    assert_type(outlay.carrying(pool), Executor)


def pricing(response: Any) -> None:
    """A usage, its cost, and how that came about."""
    usage = outlay.usage_of(response, provider="anthropic", api="messages")
    assert_type(usage, Usage)
    assert_type(usage.units, dict[str, int | Decimal])
    cost = outlay.cost_of(
        usage, provider="anthropic", model="claude-sonnet-4-5", at=NOON, service_tier="flex"
    )
    assert_type(cost, Cost)
    assert_type(cost.amount, Decimal | None)
    assert_type(cost.reason, str | None)
    assert_type(cost.price, Price | None)
    for line in cost.lines:
        assert_type(line, CostLine)
        assert_type(line.quantity * line.rate / line.per, Decimal)
    outlay.cost_of({"input": 10, "pages": Decimal(3)}, model="gpt-4o")


def asking(keep: Ledger) -> None:
    """A ledger, its reports and its calls."""
    with outlay.open("memory:") as ledger:
        assert_type(ledger, LedgerReader)
        report = ledger.report(by=["day", "model"], since="30d", until=NOON, where={"user": "u1"}, limit=5)
        assert_type(report, Report)
        assert_type(report.rows, list[dict[str, Any]])
        assert_type(report.to_polars(), pl.DataFrame)
        assert_type(report.to_pandas(), pd.DataFrame)
        assert_type(ledger.calls(limit=10, order="cost"), list[Record])
        assert_type(ledger.get("0190"), Record | None)
        assert_type(ledger.revisions("0190"), tuple[Revision, ...])
    assert_type(LedgerReader(keep, now=FixedClock(NOON).now).conflicts(), int)


def failing() -> str:
    """One error to catch."""
    try:
        outlay.usage_of("no", provider="openai")
    except OutlayError as error:
        return str(error)
    return ""


def redacting(redact: Callable[[str], str | None]) -> None:
    """Texts are kept only by choice."""
    outlay.store_prompts(redact, max_length=200)
