"""One call under way: started, first token, then finished, failed or left; one Record at the end."""

from collections.abc import Callable
from typing import Any

from outlay.capture import contexts
from outlay.capture.guard import guarded
from outlay.capture.recorder import Billed, Recorder
from outlay.capture.redact import redact
from outlay.capture.surroundings import here
from outlay.core.cost import unpriced
from outlay.core.record import Record, Status
from outlay.core.usage import Usage
from outlay.extract import operation_of

PARTIAL = "partial"
ABANDONED = "abandoned"
CANCELLED = "CancelledError"
FAILED = "the call failed before any usage was known"


class Call:
    """Measures one call; whichever of finish, fail and leave comes first makes its one Record.

    Everything here is guarded: a fault of ours is counted and logged, and the caller's call goes on. Only
    a budget with a hard stop refuses to make one, with a BudgetExceededError.
    """

    __slots__ = (
        "_first",
        "_place",
        "_recorder",
        "_started",
        "api",
        "at",
        "done",
        "extra",
        "keep",
        "model",
        "provider",
        "record",
        "retries",
        "streamed",
        "terms",
    )

    def __init__(  # noqa: PLR0913 - what is known of a call, as keywords
        self,
        recorder: Recorder,
        *,
        provider: str,
        api: str,
        model: str | None = None,
        streamed: bool = False,
        counted: bool = True,  # whether the tracked function around learns of it now
        sent: bool = False,  # whether it is made already, so that no budget can refuse it any more
    ) -> None:
        if not sent:
            recorder.admit(provider, model)
        self._recorder = recorder
        self._place = here()
        self.provider = provider
        self.api = api
        self.model = model
        self.streamed = streamed
        self.retries = 0
        self.terms: dict[str, str] = {}
        self.extra: dict[str, Any] = {}
        self.done = False
        self.record: Record | None = None  # once it is done
        self.keep: Callable[[Record], object] = recorder.sink.append  # where the record goes
        self._first: float | None = None
        scope = contexts.scope.get() if counted else None
        if scope is not None:
            scope.saw_call()
        self.at = recorder.clock.now()
        self._started = recorder.clock.monotonic()

    def first_token(self) -> None:
        """Note the moment at which the first part of a stream came; later ones change nothing."""
        if self._first is None:
            self._first = self._recorder.clock.monotonic()

    def finish(self, usage: Usage) -> None:
        """Record that the call worked."""
        self._end(usage, "success", None)

    def leave(self, usage: Usage) -> None:
        """Record that the caller left a stream before its end: what came is kept, flagged partial."""
        reason = usage.reason or "the stream was left before its end"
        self._end(usage.flagged(PARTIAL, ABANDONED, reason=reason), "success", None)

    def fail(self, error: BaseException, usage: Usage | None = None) -> None:
        """Record that the call failed, with whatever usage came before; the error itself is not touched."""
        known = Usage(reason=FAILED) if usage is None else usage.flagged(PARTIAL, reason=FAILED)
        self._end(known, "error", error)

    def reject(self, error: BaseException, usage: Usage) -> None:
        """Record that the call was answered and billed, and failed all the same: all of its usage counts."""
        self._end(usage, "error", error)

    @guarded
    def _end(self, usage: Usage, status: Status, error: BaseException | None) -> None:
        if self.done:
            return
        self.done = True
        ended = self._recorder.clock.monotonic()
        if self.terms:
            usage = usage.with_terms(**{**self.terms, **dict(usage.terms)})
        model = usage.model or self.model
        recorder = self._recorder
        charge = (
            unpriced(usage.reason)
            if usage.reason and not usage.items and usage.reported_cost is None
            else recorder.price(usage, self.provider, model, self.at)
        )
        record = self.record = recorder.build(
            Billed(self.provider, model, self.at, usage, charge),
            {
                "model_requested": self.model,
                "api": self.api,
                "operation": operation_of(self.api),
                "status": status,
                "error_type": None if error is None else type(error).__name__,
                "error": None if error is None else redact(str(error)),
                "latency_ms": _milliseconds(self._started, ended),
                "time_to_first_token_ms": (
                    None if self._first is None else _milliseconds(self._started, self._first)
                ),
                "streamed": self.streamed,
                "retries": self.retries,
                "extra": self.extra,
                "trace_id": self._place.trace_id,
                "span_id": self._place.span_id,
            },
            self._place.attribution,
        )
        self.keep(record)


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 3)
