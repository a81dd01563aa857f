"""A route to a model: its adapter and its price; every attempt over it becomes one record."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from outlay.capture import Recorder, contexts, suppress
from outlay.capture.answers import FAILED
from outlay.capture.failing import told
from outlay.capture.fields import stated_cost, usage_of_counts
from outlay.capture.recorder import Billed
from outlay.capture.redact import words_of
from outlay.core.cost import Cost, unpriced
from outlay.core.providers import provider_id
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.llm.adapters import default
from outlay.llm.response import Adapter, LLMResponse
from outlay.pricing import Book
from outlay.pricing.own import own_cost

RecorderOf = Callable[[], Recorder]


def process_recorder() -> Recorder:
    """Give the recorder of the process."""
    # Imported when a call is recorded: the process wires this room together with those below, and a client
    # that is handed a recorder of its own needs none of it.
    from outlay import process  # noqa: PLC0415 - see above

    return process.current().recorder()


class Month:
    """Counts the tokens that a calendar month, in UTC, has used so far, for prices that fall with volume."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._month: tuple[int, int] | None = None
        self._used = (0, 0)

    def take(self, usage: Usage, at: datetime) -> dict[str, str]:
        """Give the terms of a call, what was used before it in its month, and count the call."""
        with self._lock:
            month = (at.year, at.month)
            if month != self._month:
                self._month, self._used = month, (0, 0)
            before = self._used
            self._used = (before[0] + usage.input_tokens, before[1] + usage.output_tokens)
        return {"month_input_tokens": str(before[0]), "month_output_tokens": str(before[1])}


@dataclass(slots=True)
class Route:
    """One way to one model; the adapter is made at the first call and kept."""

    adapter: str  # its name
    model: str | None
    options: dict[str, Any] = field(repr=False)  # the key is among them
    book: Book | None = None  # a price of one's own
    month: Month = field(default_factory=Month)
    _made: Adapter | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def made(self) -> Adapter:
        """Give the adapter registered under the name now.

        Raises:
            SettingsError: a key is missing, or an option cannot be.
            MissingExtraError: its SDK is not installed.
        """
        with self._lock:
            if self._made is None:
                self._made = default.fitting(self.adapter, {"model": self.model, **self.options})
            return self._made

    def admit(self, recorder: Recorder, whom: Mapping[str, str]) -> None:
        """Let a call pass that is about to be made.

        Raises:
            BudgetExceededError: a budget with a hard stop is spent.
        """
        provider = provider_id(self.adapter) or self.adapter
        recorder.admit(provider, self.model, contexts.attribution.get().with_(whom))

    def call(self, prompt: str, asked: dict[str, Any]) -> LLMResponse:
        """Make one call; what is recorded is recorded by us, and by no hook below.

        An adapter that raises has failed, as one that says so has. What ends a program, a Ctrl-C say, is for
        the caller to raise again once the call is recorded; see :func:`raised_in`.
        """
        with suppress():
            adapter, start = self.made(), time.perf_counter()
            try:
                return adapter.call(prompt=prompt, **asked)
            except BaseException as error:  # noqa: BLE001 - it stands in the answer
                return self._failed(error, (time.perf_counter() - start) * 1000)

    def _failed(self, error: BaseException, latency_ms: float) -> LLMResponse:
        told = words_of(error)
        return LLMResponse(
            content="",
            input_tokens=0,
            output_tokens=0,
            cost_usd=None,
            latency_ms=latency_ms,
            success=False,
            provider=self.adapter,
            model=self.model or "",
            error=told,
            error_type=type(error).__name__,
            cause=error,
            cause_tells=told != _text_of(error),
        )

    def record(
        self, response: LLMResponse, at: datetime, recorder: Recorder, fields: dict[str, Any]
    ) -> Record:
        """Make and keep the record of an answer."""
        usage = usage_in(response)
        model = response.model or self.model
        provider = provider_id(self.adapter) or self.adapter
        charge = self._charge(response, usage, (provider, model, at), recorder)
        record = recorder.build(
            Billed(provider, model, at, usage, charge),
            {
                "model_requested": self.model,
                "status": "success" if response.success else "error",
                "error": _words(response, recorder),
                "error_type": response.error_type,
                "latency_ms": round(response.latency_ms, 3),
                **{name: value for name, value in fields.items() if value is not None},
            },
        )
        recorder.keep(record)
        return record

    def _charge(
        self,
        response: LLMResponse,
        usage: Usage,
        asked: tuple[str, str | None, datetime],
        recorder: Recorder,
    ) -> Cost:
        provider, model, at = asked
        if not usage.items and usage.reported_cost is None and not response.success:
            return unpriced(usage.reason or FAILED)
        if self.book is not None:
            return own_cost(usage, self.book, at=at, **self.month.take(usage, at))
        if response.usage is None and response.cost_usd is not None:
            return stated_cost(float(response.cost_usd), "USD")
        return recorder.price(usage, provider, model, at)


def raised_in(response: LLMResponse) -> BaseException | None:
    """Give what a program is to end with, where a call was broken off by it."""
    return None if isinstance(response.cause, Exception) else response.cause


def _text_of(error: BaseException) -> str | None:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error that cannot say what it is is one all the same
        return None


def usage_in(response: LLMResponse) -> Usage:
    """Give the units of an answer; of an adapter that knows only counts, from these."""
    if response.usage is not None:
        return response.usage
    names = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    counts = {name: getattr(response, name, 0) for name in names}
    if not response.success and not any(counts.values()):
        return Usage(reason=FAILED)
    return usage_of_counts(counts)


def now() -> datetime:
    """Give the instant at which a call begins."""
    return datetime.now(UTC)


def _words(response: LLMResponse, recorder: Recorder) -> str | None:
    """Give what is kept of why a call failed: the error's facts, or the words that the adapter tells of it.

    Where words are kept they are the adapter's, which has taken its key out of them. An adapter that has no
    error at hand, only words of its own, has them kept as a program's own are.
    """
    if recorder.errors is not None:
        return None if response.error is None else recorder.errors.kept(response.error)
    return response.error if response.cause is None else told(response.cause, None)
