"""Mock adapters of three price classes: they need no key and no network, and take as long as real ones."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from types import MappingProxyType
from typing import Any

from outlay.core.usage import Usage
from outlay.llm.response import LLMResponse
from outlay.pricing import cost_of

_LETTERS_PER_TOKEN = 4  # the usual rule of thumb for English
_OVERHEAD = 30  # tokens of a system prompt and the roles
_OUTPUT = (40, 98)  # tokens, least and most; 69 on average
_SPREAD = 0.15  # of the latency, either way


@dataclass(frozen=True, slots=True)
class Profile:
    """What a mock pretends to be; its prices stand in the price book under its name."""

    name: str
    latency_ms: float  # on average


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("mock-fast", 80.0),
            Profile("mock-balanced", 300.0),
            Profile("mock-premium", 800.0),
        )
    }
)


class MockAdapter:
    """Answers after a while with a text that says nothing; the same seed gives the same figures."""

    def __init__(self, profile: Profile, *, seed: int | None = None, sleep: bool = True) -> None:
        self.name = profile.name
        self._profile = profile
        self._random = Random() if seed is None else Random(f"{seed} {profile.name}")  # noqa: S311 - no secret
        self._measured = seed is None and sleep
        self._sleep = sleep

    def call(self, prompt: str, **options: Any) -> LLMResponse:  # noqa: ARG002 - a mock heeds no options
        """Answer a prompt; the latency is measured, or drawn alone where a seed has to repeat it."""
        drawn = self._profile.latency_ms * self._random.uniform(1 - _SPREAD, 1 + _SPREAD)
        output_tokens = self._random.randint(*_OUTPUT)
        latency = self._wait(drawn)
        input_tokens = _OVERHEAD + -(-len(prompt) // _LETTERS_PER_TOKEN)
        usage = Usage.of({"input": input_tokens, "output": output_tokens})
        cost = cost_of(usage, provider="mock", model=self.name, at=datetime.now(UTC))
        return LLMResponse(
            content=f"[{self.name}] a mock answer of {output_tokens} tokens",
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_usd=None if cost.amount is None else float(cost.amount),
            latency_ms=latency,
            success=True,
            provider=self.name,
            model=self.name,
            usage=usage,
            charge=cost,
        )

    def _wait(self, milliseconds: float) -> float:
        if not self._sleep:
            return milliseconds
        start = time.perf_counter()
        time.sleep(milliseconds / 1000)
        return (time.perf_counter() - start) * 1000 if self._measured else milliseconds
