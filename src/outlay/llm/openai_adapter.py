"""OpenAI through its official SDK: the call is timed, its usage read, its price looked up."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from outlay.core.cost import Cost
from outlay.core.errors import MissingExtraError, SettingsError
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.llm.response import LLMResponse
from outlay.pricing import cost_of

DEFAULT_MODEL = "gpt-4o-mini"
_KEY = "OPENAI_API_KEY"


class OpenAIAdapter:
    """Sends prompts to OpenAI's chat completions; the key stays inside the SDK's client."""

    name = "openai"

    def __init__(self, *, model: str | None = None, client: Any = None) -> None:
        self.model = model or DEFAULT_MODEL
        self._client = _client() if client is None else client

    def call(self, prompt: str, **options: Any) -> LLMResponse:
        """Send one user message; a failing call gives success=False with the error's class and text."""
        at, start = datetime.now(UTC), time.perf_counter()
        try:
            response = self._client.chat.completions.create(
                model=self.model, messages=[{"role": "user", "content": prompt}], **options
            )
        except Exception as error:  # noqa: BLE001 - the SDK's own errors, known only where it is installed
            return self._failed(error, (time.perf_counter() - start) * 1000)
        latency = (time.perf_counter() - start) * 1000
        usage = read(response, provider=self.name, api="chat")
        model = usage.model or self.model
        cost = cost_of(usage, provider=self.name, model=model, at=at)
        return _answer(response, usage, cost, model=model, latency_ms=latency)

    def _failed(self, error: Exception, latency_ms: float) -> LLMResponse:
        return LLMResponse(
            content="",
            input_tokens=0,
            output_tokens=0,
            cost_usd=None,
            latency_ms=latency_ms,
            success=False,
            provider=self.name,
            model=self.model,
            error=str(error),
            error_type=type(error).__name__,
        )


def _answer(response: Any, usage: Usage, cost: Cost, *, model: str, latency_ms: float) -> LLMResponse:
    return LLMResponse(
        content=response.choices[0].message.content or "" if response.choices else "",
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=None if cost.amount is None or cost.currency != "USD" else float(cost.amount),
        latency_ms=latency_ms,
        success=True,
        provider=OpenAIAdapter.name,
        model=model,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


def _client() -> Any:
    try:
        from openai import OpenAI  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError.of("openai", "openai") from None
    if not os.environ.get(_KEY, "").strip():
        raise SettingsError(f"{_KEY} is not set; set it, or take a mock provider, which needs no key")
    return OpenAI()
