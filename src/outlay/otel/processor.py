"""The span processor: calls that other instrumentations tell of become records, each once."""

import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from outlay import process
from outlay.capture import contexts
from outlay.capture.guard import guarded, note_failure
from outlay.capture.recorder import UNKNOWN, Billed, Recorder
from outlay.capture.redact import redact
from outlay.capture.surroundings import here
from outlay.capture.texts import Texts
from outlay.core.cost import unpriced
from outlay.core.ports import Sink
from outlay.core.record import Entry, Record
from outlay.journal import watch_exit, watch_forks
from outlay.journal.endings import DRAIN_SECONDS, watch_hard_ends
from outlay.otel.identity import Known, overlap
from outlay.otel.names import PREPARED
from outlay.otel.reading import Reading, read_span
from outlay.otel.tree import ANY, Models, Node, Span, Tree
from outlay.otel.twins import Told, Twins

_started: ContextVar[Node | None] = ContextVar("outlay_started", default=None)
"""The span that was started last in this task or thread, of those that had not ended."""
_telling: ContextVar[bool] = ContextVar("outlay_telling", default=False)
"""Whether the record that is made here is that of a span."""


class OutlaySpanProcessor(SpanProcessor):
    """Add it to the program's TracerProvider: ``provider.add_span_processor(OutlaySpanProcessor())``.

    A span of a call becomes a record, unless a hook of outlay saw that call, or a span below tells of it. It
    is decided when its trace has ended here, or some seconds later if the trace goes on; ``force_flush`` and
    ``shutdown`` decide at once. Nothing of ours reaches the program.
    """

    def __init__(self, recorder: Callable[[], Recorder] | None = None) -> None:
        self._recorder = recorder or process.current().recorder
        self._known, self._twins = Known(), Twins()
        self._watched: Any = None
        self._closed = False
        self._begin()
        watch_forks(self)

    def _begin(self) -> None:
        self._lock = RLock()
        self._tree = Tree(self._decide)
        self._ready: deque[tuple[Reading, ReadableSpan, Node]] = deque()
        self._ends_watched = False

    def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        """Note where a span stands, and whether a hook of ours is measuring there."""
        if not self._closed:
            self._started(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Read what a span says of a call."""
        if not self._closed:
            self._ended(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Decide on all that has ended, and bring it to disk; False where that failed or took too long."""
        self._settle()
        return bool(guarded(lambda: self._recorder().flush(timeout_millis / 1000))())

    def shutdown(self) -> None:
        """Decide on all that has ended, and bring it to disk; what comes later is not looked at."""
        self.drain()
        self._closed = True

    def drain(self, timeout: float = DRAIN_SECONDS) -> bool:
        """Do what :meth:`force_flush` does, before a process ends."""
        return self.force_flush(int(timeout * 1000))

    def drain_at_exit(self) -> None:
        """Decide on what waits for a span that never ended."""
        self.drain()

    def start_anew_in_child(self) -> None:
        """Leave the spans that are under way to the parent: they never end in a forked child."""
        self._begin()

    def _settle(self) -> None:
        with self._lock:
            guarded(self._tree.settle_all)()
        self._record_ready()

    @guarded
    def _started(self, span: Any) -> None:
        parent = span.parent
        scope = contexts.scope.get()
        node = Node(
            parent=None if parent is None or parent.is_remote else f"{parent.span_id:016x}",
            attribution=here().attribution,
            # A tracer that a framework calls in a thread, as LangChain's are, has no span above it there.
            ours=contexts.inside.get() is not None
            or (isinstance(scope, contexts.OneCall) and not scope.over),
            scope=scope,
            started=time.monotonic(),
            emitter=_emitter(span)[0],
            around=_live(_started.get()),
        )
        with self._lock:
            self._watch()
            self._tree.start(_span_of(span.context), node)
        _started.set(node)

    @guarded
    def _ended(self, span: ReadableSpan) -> None:
        held = self._read(span)
        if held is not None and not self._ends_watched:
            self._ends_watched = True
            self._watch_ends()
        with self._lock:
            self._tree.end(_span_of(span.context), held, time.monotonic())
        self._record_ready()

    @guarded  # here, for none can be made while the interpreter is torn down
    def _watch_ends(self) -> None:
        watch_exit(self)
        watch_hard_ends(self)

    @guarded  # likewise
    def _read(self, span: ReadableSpan) -> tuple[Reading, ReadableSpan] | None:
        if span.name.rpartition(".")[2] in PREPARED:
            return None
        # A plain dict: each look into what the SDK hands out goes through two more classes of its own.
        reading = read_span(dict(span.attributes or {}), *_emitter(span))
        return None if reading is None else (reading, span)

    def _watch(self) -> None:
        """See every record of this process, from whatever recorder it has by now."""
        recorder = self._recorder()
        if recorder is not self._watched:
            recorder.sink = _Watching(recorder.sink, self._saw)
            self._watched = recorder

    def _saw(self, record: Record) -> None:
        """Note a record: the spans around it repeat it, those too that were never made current."""
        names = tuple(name for name in (record.model, record.model_requested) if name) or ANY
        around, standing = None if _telling.get() else _started.get(), contexts.standing.get()
        with self._lock:
            self._known.add(record.provider, record.response_id, (record.trace_id, record.span_id))
            if record.trace_id and record.span_id:
                self._tree.cover((record.trace_id, record.span_id), names)
                if standing is not None:
                    self._tree.cover_within(record.trace_id, standing, names)
            while around is not None:
                if around.live:  # one that has ended is another call
                    around.covered.update(names)
                around = around.around

    def _decide(self, span: Span, node: Node) -> Models | None:
        """Have a call recorded that nobody else tells of; give its model's names, None if it is none."""
        reading, ended = node.held
        if node.ours or self._known.has(reading.provider, reading.usage.response_id, span):
            return reading.models  # type: ignore[no-any-return] # what is held is a Reading
        if node.covered and (not reading.single or overlap(reading.models, node.covered)):
            return None
        self._known.add(reading.provider, reading.usage.response_id, span)
        if reading.single and self._twins.repeats(_told(reading, ended)):
            return reading.models  # type: ignore[no-any-return] # likewise
        _cover_around(node, reading.models)
        self._ready.append((*node.held, node))
        return reading.models  # type: ignore[no-any-return] # likewise

    def _record_ready(self) -> None:
        """Record what was decided, outside of the lock: pricing may take its time at first."""
        while self._ready:
            try:
                self._record(*self._ready.popleft())
            except IndexError:  # another thread took it
                return
            except Exception as error:  # noqa: BLE001 - one span that fails must not stop the others
                note_failure("a span's record", error)

    def _record(self, reading: Reading, span: ReadableSpan, node: Node) -> None:
        recorder, usage = self._recorder(), reading.usage
        at = _instant(span.start_time or 0)
        provider, model = reading.provider, reading.model
        charge = (
            unpriced(usage.reason)
            if usage.reason and not usage.items and usage.reported_cost is None
            else recorder.price(usage, provider if provider != UNKNOWN else "", model, at)
        )
        failed = span.status.status_code is StatusCode.ERROR or "error.type" in (span.attributes or {})
        trace_id, span_id = _span_of(span.context)
        record = recorder.build(
            Billed(provider, model, at, usage, charge),
            {
                "model_requested": reading.model_requested,
                "operation": reading.operation,
                "latency_ms": round(((span.end_time or 0) - (span.start_time or 0)) / 1e6, 3),
                "trace_id": trace_id,
                "span_id": span_id,
                "status": "error" if failed else "success",
                **(_error(span, recorder.errors) if failed else {}),
                "extra": {"otel": {"span": span.name, **reading.notes}},
                **reading.fields,
            },
            node.attribution,
        )
        if node.scope is not None:  # not the one that happens to be open where this is decided
            node.scope.saw_call()
        token = _telling.set(True)
        try:
            recorder.sink.append(record)
        finally:
            contexts.restore(_telling, token)


class _Watching:
    """A sink that tells of each record before it hands it on."""

    def __init__(self, sink: Sink, saw: Callable[[Record], None]) -> None:
        self._sink = sink
        self._saw = guarded(saw)

    def append(self, entry: Entry) -> None:
        """Hand an entry on."""
        if isinstance(entry, Record):
            self._saw(entry)
        self._sink.append(entry)

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all is kept."""
        return self._sink.flush(timeout)


def _emitter(span: Any) -> tuple[str, str | None]:
    scope = span.instrumentation_scope
    return (scope.name, scope.version) if scope is not None else ("", None)


def _live(node: Node | None) -> Node | None:
    """Give the nearest that has not ended, and let go of those before it that have."""
    while node is not None and not node.live:
        node = node.around
    while node is not None and node.around is not None and not node.around.live:
        node.around = node.around.around
    return node


def _cover_around(node: Node, models: Models) -> None:
    """Note a call at the spans that were started around it and never made current: other emitters' alone.

    One emitter's own are calls side by side: the prompts of one request, two streams that are read in turn.
    """
    around = node.around
    while around is not None:
        had_ended = not around.live and around.ended < node.started  # another call, before this one
        if around.emitter != node.emitter and not had_ended:
            around.covered.update(models)
        around = around.around


def _told(reading: Reading, span: ReadableSpan) -> Told:
    used = reading.usage
    return Told(
        reading.notes["scope"],
        reading.provider,
        reading.models,
        used.response_id,
        (used.input_tokens, used.output_tokens),
        span.start_time or 0,
        span.end_time or 0,
    )


def _span_of(context: Any) -> Span:
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def _instant(nanoseconds: int) -> datetime:
    """Give an instant to its microsecond, without what Python takes away before it has ended."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def _error(span: ReadableSpan, errors: Texts | None) -> dict[str, Any]:
    """Name the error as the span does: by its attribute, or by the exception that it recorded.

    What it says in words is kept where errors' words are: emitters write the exception's whole text there.
    """
    raised = next((event.attributes or {} for event in span.events if event.name == "exception"), {})
    kind = (span.attributes or {}).get("error.type") or raised.get("exception.type") or "Error"
    message = span.status.description or raised.get("exception.message")
    kept = None if message is None or errors is None else errors.kept(str(message))
    return {"error_type": str(kind).rpartition(".")[2], "error": None if kept is None else redact(kept)}
