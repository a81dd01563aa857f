"""One call under way: started, first token, then finished, failed or left; one Record at the end."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from outlay.capture import contexts
from outlay.capture.answers import FAILED, Answer, read_answer, usage_from, usual_in
from outlay.capture.failing import told
from outlay.capture.forms import Form, Forms
from outlay.capture.guard import note_failure
from outlay.capture.recorder import Billed, Recorder
from outlay.capture.surroundings import Place, here
from outlay.capture.texts import Said
from outlay.core.codec import facts_json
from outlay.core.cost import unpriced
from outlay.core.errors import BudgetExceededError
from outlay.core.ports import hand_on
from outlay.core.record import Record, Status
from outlay.core.usage import Usage, changed
from outlay.extract import NO_USAGE, Usual, held, operation_of, usual_of

PARTIAL = "partial"
ABANDONED = "abandoned"
LEFT = "the stream was left before its end"
NO_ERROR = (None, None)


def cut_short(usage: Usage, why: str, *flags: str) -> Usage:
    """Flag what came of a stream until it was left or broke; its request may well have asked for usage."""
    known = changed(usage, reason=None) if usage.reason == NO_USAGE else usage
    return known.flagged(PARTIAL, *flags, reason=why)


class Call:
    """Measures one call; whichever of finish, fail and leave comes first makes its one Record.

    The caller's thread keeps only what it alone can tell: what came, and when. Reading the usage, pricing it
    and building the Record wait until the sink asks for the entry. A fault of ours is counted and logged, and
    the caller's call goes on. Only a budget with a hard stop refuses to make one, with a
    BudgetExceededError.
    """

    __slots__ = (
        "_at",
        "_ended",
        "_error",
        "_first",
        "_place",
        "_recorder",
        "_started",
        "_status",
        "_tried",
        "_usage",
        "api",
        "done",
        "extra",
        "keep",
        "model",
        "provider",
        "record",
        "retries",
        "said",
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
        self._place = place = here()
        if not sent and recorder.gated:
            recorder.admit(provider, model, place.attribution)
        self._recorder = recorder
        self.provider = provider
        self.api = api
        self.model = model
        self.streamed = streamed
        self.retries = 0
        self._tried = False
        self.terms: dict[str, str] = {}
        self.extra: dict[str, Any] = {}
        self.said = None if recorder.texts is None else Said(recorder.texts)
        self.done = False
        self.record: Record | None = None  # once it is made
        # Where the record goes, made at once; None: to the sink, which may make it later.
        self.keep: Callable[[Record], object] | None = None
        self._first: float | None = None
        scope = contexts.scope.get() if counted else None
        if scope is not None:
            scope.saw_call()
        self._at: datetime | float = recorder.moment()
        self._started = recorder.clock.monotonic()

    @property
    def at(self) -> datetime:
        """The instant of its start; a system's clock gave it in seconds, which cost less where it is read."""
        if isinstance(self._at, float):
            self._at = datetime.fromtimestamp(self._at, UTC)
        return self._at

    @at.setter
    def at(self, at: datetime) -> None:
        self._at = at

    def beside(self) -> "Call":
        """Give another call that was made in the same stretch of time, for the same user."""
        other = Call(
            self._recorder, provider=self.provider, api=self.api, model=self.model, counted=False, sent=True
        )
        other._place, other._at, other._started = self._place, self._at, self._started
        return other

    def first_token(self) -> None:
        """Note the moment at which the first part of a stream came; later ones change nothing."""
        if self._first is None:
            self._first = self._recorder.clock.monotonic()

    def attempt(self) -> None:
        """Note that its request is sent; each time after the first is a retry."""
        if self._tried:
            self.retries += 1
        self._tried = True

    def answer(self, body: Any, api: str | None = None) -> None:
        """Record that the call worked with this answer, an SDK's object, a mapping or a body's text.

        What bears on usage is kept as it is now, and read when the Record is made.
        """
        name = api or self.api
        if self.said is not None:
            self.said.answered(body)
        try:
            kept = held(body, name)
        except Exception as fault:  # noqa: BLE001 - the guard
            note_failure("Call.answer", fault)
            kept = None
        self.finish(read_answer(body, self.provider, name) if kept is None else (kept, name))

    def leave(self, usage: Usage) -> None:
        """Record that the caller left a stream before its end: what came is kept, flagged partial."""
        self.finish(cut_short(usage, LEFT, ABANDONED))

    def fail(self, error: BaseException, usage: Usage | None = None) -> None:
        """Record that the call failed, with whatever usage came before; the error itself is not touched.

        A call further in that a budget refused was never made: what stands around it is no call either.
        """
        if isinstance(error, BudgetExceededError) and usage is None:
            self.done = True
            return
        known = Usage(reason=FAILED) if usage is None else cut_short(usage, FAILED)
        self.finish(known, "error", error)

    def reject(self, error: BaseException, usage: Usage, *, ended: float | None = None) -> None:
        """Record that the call was answered and billed, and failed all the same: all of its usage counts."""
        self.finish(usage, "error", error, ended=ended)

    def finish(
        self,
        usage: Answer,
        status: Status = "success",
        error: BaseException | None = None,
        *,
        ended: float | None = None,
    ) -> None:
        """Record how the call ended, now or then; ``usage`` may be what is read when the Record is made."""
        if self.done:
            return
        self.done = True
        try:
            self._ended = self._recorder.clock.monotonic() if ended is None else ended
            self._usage = usage
            self._status: Status = status
            self._error = (
                NO_ERROR if error is None else (type(error).__name__, told(error, self._recorder.errors))
            )
            if self.keep is None:
                hand_on(self, self._recorder.sink)
            else:
                self.keep(self.entry())
        except Exception as fault:  # noqa: BLE001 - the guard, without a further call
            note_failure("Call.finish", fault)

    def entry(self) -> Record:
        """Make the Record of a call that has ended, priced as of its start."""
        self.record = Record(**self._facts(self._known(), self._place))
        return self.record

    def json(self) -> dict[str, Any]:
        """Give what :meth:`entry` would make, as JSON; a usual call's is filled into a form."""
        if self._recorder.forms is not None and self.said is None and self._status == "success":
            try:
                filled = self._usual_json(self._recorder.forms)
            except Exception as fault:  # noqa: BLE001 - the guard: the whole way is there
                note_failure("Call.json", fault)
                filled = None
            if filled is not None:
                return filled
        return facts_json(self._facts(self._known(), self._place))

    def _usual_json(self, forms: Forms) -> dict[str, Any] | None:
        usual = self._usual()
        if usual is None:
            return None
        form = forms.of(
            (self.model, self.api, self.streamed),
            usual,
            (self.provider, usual[1][0] or self.model, self.at),
            lambda: self._facts(self._known(), Place(contexts.NOBODY)),
        )
        return None if form is None else self._filled(form, usual)

    def _usual(self) -> Usual | None:
        """Give the facts of an answer about which nothing is odd."""
        if not self.terms:
            usual = usual_in(self._usage, self.provider, self.api)
            if usual is not None:
                return usual
        # What is read is kept, for it may turn out to be odd and go the whole way.
        self._usage = usage_from(self._usage, self.provider)
        return usual_of(self._known())

    def _known(self) -> Usage:
        usage = usage_from(self._usage, self.provider)
        return usage.with_terms(**{**self.terms, **dict(usage.terms)}) if self.terms else usage

    def _filled(self, form: Form, usual: Usual) -> dict[str, Any]:
        """Fill in what is this call's own."""
        data = form.filled(usual, self.at)
        data["latency_ms"] = _milliseconds(self._started, self._ended)
        if self._first is not None:
            data["time_to_first_token_ms"] = _milliseconds(self._started, self._first)
        if self.retries:
            data["retries"] = self.retries
        if self.extra:
            data["extra"] = self.extra
        who, trace_id, span_id = self._place
        if trace_id is not None:
            data["trace_id"], data["span_id"] = trace_id, span_id
        if who is not contexts.NOBODY:
            data.update(who.fields)
            if who.tags:
                data["tags"] = {**data.get("tags", {}), **who.tags}
        return data

    def _facts(self, usage: Usage, place: Place) -> dict[str, Any]:
        recorder = self._recorder
        model = usage.model or self.model
        charge = (
            unpriced(usage.reason)
            if usage.reason and not usage.items and usage.reported_cost is None
            else recorder.price(usage, self.provider, model, self.at)
        )
        return recorder.facts(
            Billed(self.provider, model, self.at, usage, charge),
            {
                "model_requested": self.model,
                "api": self.api,
                "operation": operation_of(self.api),
                "status": self._status,
                "error_type": self._error[0],
                "error": self._error[1],
                "latency_ms": _milliseconds(self._started, self._ended),
                "time_to_first_token_ms": (
                    None if self._first is None else _milliseconds(self._started, self._first)
                ),
                "streamed": self.streamed,
                "retries": self.retries,
                "extra": self.extra,
                "trace_id": place.trace_id,
                "span_id": place.span_id,
                **({} if self.said is None else self.said.fields()),
            },
            place.attribution,
        )


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 3)
