"""What all adapters over official SDKs share: timing a call, reading its usage, pricing it."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from outlay import process
from outlay.capture.answers import FAILED, read_answer
from outlay.capture.redact import redact
from outlay.core.cost import Cost
from outlay.core.errors import ResponseError, SettingsError
from outlay.core.usage import Usage
from outlay.extract import collector
from outlay.llm.response import LLMResponse
from outlay.pricing import cost_of


class SdkAdapter(ABC):
    """Sends prompts through a client of an SDK; the key stays inside that client."""

    api: str

    def __init__(self, *, name: str, model: str, client: Any) -> None:
        self.name = name
        self.model = model
        self._client = client

    @abstractmethod
    def send(self, prompt: str, options: dict[str, Any]) -> Any:
        """Send one prompt and give the SDK's response."""

    @abstractmethod
    def open_stream(self, prompt: str, options: dict[str, Any]) -> Iterator[Any]:
        """Send one prompt and give the SDK's stream of events."""

    @abstractmethod
    def text_of(self, response: Any) -> str:
        """Give the text of a response, or of one event of a stream; an empty text where there is none."""

    def call(self, prompt: str, **options: Any) -> LLMResponse:
        """Send one prompt; a failing call gives success=False with the error's class and text.

        ``system``, ``max_tokens`` and ``temperature`` mean the same for every provider; any other option goes
        to the SDK as it is.
        """
        at, start = datetime.now(UTC), time.perf_counter()
        try:
            response = self.send(prompt, options)
        except Exception as error:  # noqa: BLE001 - the SDK's own errors, known only where it is installed
            return self.answer("", Usage(reason=FAILED), at, start, error)
        latency = time.perf_counter()
        usage = read_answer(response, self.name, self.api)
        text, fault = self._read(response, usage)
        return self.answer(text, usage, at, start, fault, ended=latency)

    def _read(self, response: Any, usage: Usage) -> tuple[str, Exception | None]:
        """Give an answer's text, or why it is none: some hosts send errors, or a page, as if all was well."""
        if "error" in usage.flags:
            return "", ResponseError(usage.reason or "the provider answered with an error")
        try:
            return self.text_of(response), None
        except Exception:  # noqa: BLE001 - an answer of any shape
            return "", ResponseError(
                f"the answer is a {type(response).__name__}, and no answer of {self.api}"
            )

    def stream(self, prompt: str, **options: Any) -> "AnswerStream":
        """Send one prompt and give its answer piece by piece; options are those of :meth:`call`."""
        return AnswerStream(self, prompt, options)

    def answer(
        self,
        content: str,
        usage: Usage,
        at: datetime,
        start: float,
        error: Exception | None = None,
        *,
        ended: float | None = None,
    ) -> LLMResponse:
        """Make the answer of what happened, priced at the instant the call began."""
        model = usage.model or self.model
        cost = self._cost_of(usage, model, at) if error is None or usage.items else None
        dollars = cost is not None and cost.amount is not None and cost.currency == "USD"
        told = None if error is None else self._told(error)
        return LLMResponse(
            content=content,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=float(cost.amount) if dollars and cost and cost.amount is not None else None,
            latency_ms=((time.perf_counter() if ended is None else ended) - start) * 1000,
            success=error is None,
            provider=self.name,
            model=model,
            cached_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            error=told,
            error_type=None if error is None else type(error).__name__,
            usage=usage,
            charge=cost,
            cause=error,
            cause_tells=error is not None and told != str(error),
        )

    def _cost_of(self, usage: Usage, model: str, at: datetime) -> Cost:
        book = process.current().book_around_work()
        return cost_of(usage, provider=self.name, model=model, at=at, book=book)

    def _told(self, error: Exception) -> str:
        """Give an error's text without the key, which some providers repeat."""
        text = str(error)
        for holder in (self._client, getattr(self._client, "_api_client", None)):  # the latter is Google's
            key = getattr(holder, "api_key", None)
            if isinstance(key, str) and key:
                text = text.replace(key, "[key]")
        return redact(text)


class AnswerStream:
    """The pieces of an answer as they come; ``response()`` is what came of it so far."""

    def __init__(self, adapter: SdkAdapter, prompt: str, options: dict[str, Any]) -> None:
        self._adapter = adapter
        self._asked = (prompt, options)
        self._collector = collector(adapter.name, adapter.api)
        self._texts: list[str] = []
        self._error: Exception | None = None
        self._at, self._start = datetime.now(UTC), time.perf_counter()
        self._ended: float | None = None
        self._events: Iterator[Any] | None = None

    def __iter__(self) -> "AnswerStream":
        return self

    def __next__(self) -> str:
        """Give the next piece that holds text."""
        while True:
            try:
                if self._events is None:
                    self._events = iter(self._adapter.open_stream(*self._asked))
                event = next(self._events)
                self._collector.add(event)
                text = self._adapter.text_of(event)
            except StopIteration:
                self._ended = time.perf_counter()
                raise
            except Exception as error:
                self._error, self._ended = error, time.perf_counter()
                raise
            if text:
                self._texts.append(text)
                return text

    def close(self) -> None:
        """Leave the stream where it is."""
        close = getattr(self._events, "close", None)
        if close is not None:
            close()

    def response(self) -> LLMResponse:
        """Give the answer with the usage that came until now."""
        return self._adapter.answer(
            "".join(self._texts),
            self._collector.usage(),
            self._at,
            self._start,
            self._error,
            ended=self._ended,
        )


def key_for(provider: str, api_key: str | None, variables: tuple[str, ...]) -> str:
    """Give the key of a provider: the one that was given, else the first of these variables.

    Raises:
        SettingsError: there is none.
    """
    found = api_key or next(
        (value for name in variables if (value := os.environ.get(name, "").strip())), None
    )
    if found is None:
        raise SettingsError(f"{variables[0]} is not set; {provider} needs a key; a mock provider needs none")
    return found
