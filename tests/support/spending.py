"""Calls as a small company makes them over some weeks, many and quickly: journal lines, or records."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import orjson

from outlay.core.codec import record_from_json
from outlay.core.ids import uuid7
from outlay.core.instants import text_of as instant_text
from outlay.core.money import multiply, rate_text, text_of, total
from outlay.core.record import Record

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 80
NOW = START + timedelta(days=DAYS, hours=-6)  # 19 November, 18:00


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its rates for a million tokens: fresh input, cached input, output."""

    provider: str
    name: str
    rates: tuple[str, str, str] | None
    latency: float
    currency: str = "USD"


MODELS = (
    Model("openai", "gpt-4o", ("2.50", "1.25", "10.00"), 900.0),
    Model("openai", "gpt-4o-mini", ("0.15", "0.075", "0.60"), 400.0),
    Model("anthropic", "claude-sonnet-4-5", ("3.00", "0.30", "15.00"), 1500.0),
    Model("house", "own-model", None, 300.0),
)
EUROPEAN = Model("mistral", "mistral-large", ("1.80", "0.18", "5.40"), 700.0, "EUR")


def lines(count: int, models: tuple[Model, ...] = MODELS, seed: int = 7) -> Iterator[bytes]:
    """Give so many journal lines, the same for the same seed."""
    random = Random(seed)  # noqa: S311  # no secret
    bodies = [_body(random.choice(models), random) for _ in range(400)]
    step = timedelta(seconds=(DAYS * 86_400 - 21_700) / max(count, 1))
    for number in range(count):
        at = START + number * step
        body = bodies[random.randrange(len(bodies))]
        name = uuid7(at, number.to_bytes(10, "big"))
        who = number % 17, number % 301
        yield b'{"schema":1,"id":"%s","at":"%s","user":"u%d","session":"s%d",%s\n' % (
            name.encode(),
            instant_text(at).encode(),
            *who,
            body,
        )


def records(count: int, models: tuple[Model, ...] = MODELS, seed: int = 7) -> list[Record]:
    """Give the same as records."""
    return [record_from_json(orjson.loads(line)) for line in lines(count, models, seed)]


def _body(model: Model, random: Random) -> bytes:
    """Write all of a line but who and when, without the brace at its beginning."""
    failed = random.random() < 0.06
    fresh, cached = random.randrange(1, 3000), random.choice((0, 0, random.randrange(1, 9000)))
    output = 0 if failed else random.randrange(1, 900)
    usage = {"input": fresh, "cache_read": cached, "output": output}
    fields = {
        "provider": model.provider,
        "model": model.name,
        "operation": "chat",
        "status": "error" if failed else "success",
        "latency_ms": round(model.latency * random.uniform(0.3, 20.0), 3),
        "usage": {unit: quantity for unit, quantity in usage.items() if quantity},
        "input_tokens": fresh + cached,
        "cached_tokens": cached,
        "cache_write_tokens": 0,
        "output_tokens": output,
        "reasoning_tokens": 0,
        "query_type": random.choice(("rag", "chat", "summary")),
        **_cost(model, usage, unknown=failed and random.random() < 0.5),
    }
    fields |= {"error_type": random.choice(("Timeout", "RateLimitError"))} if failed else {}
    fields |= {"time_to_first_token_ms": random.uniform(50, 400)} if random.random() < 0.5 else {}
    fields |= {"tags": {"feature": random.choice(("search", "mail"))}} if random.random() < 0.7 else {}
    if not failed and random.random() < 0.4:
        fields |= {"correct": random.random() < 0.8, "quality_score": random.random(), "user_rating": 4.0}
    return orjson.dumps(fields)[1:]


def _cost(model: Model, usage: dict[str, int], *, unknown: bool) -> dict[str, object]:
    if model.rates is None or unknown:
        return {"currency": model.currency, "cost_status": "unpriced", "cost_reason": "no price"}
    rated = [
        (unit, quantity, Decimal(rate))
        for (unit, quantity), rate in zip(usage.items(), model.rates, strict=True)
        if quantity
    ]
    amounts = [multiply(quantity, rate, 1_000_000) for _, quantity, rate in rated]
    return {
        "currency": model.currency,
        "cost_status": "priced",
        "cost": text_of(total(amounts)),
        "lines": [
            {
                "unit": unit,
                "quantity": quantity,
                "rate": rate_text(rate),
                "per": 1_000_000,
                "amount": text_of(amount),
            }
            for (unit, quantity, rate), amount in zip(rated, amounts, strict=True)
        ],
    }
