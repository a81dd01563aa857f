"""The spans under way in this process, and which of them repeat what stands below them."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Span = tuple[str, str]
"""Trace id and span id, as texts."""
MAX_TRACES = 5_000
GRACE_SECONDS = 5.0  # how long a call waits, in a trace that goes on, for one who knows more of it


@dataclass(slots=True)
class Node:
    """One span, from its start until it is settled."""

    parent: str | None  # the span id above, in this process
    attribution: Any  # whom a call in it is for
    ours: bool  # a hook of outlay is measuring just there
    scope: Any = None  # the tracked function that it runs in
    emitter: str = ""  # who makes it: the name of its instrumentation's scope
    around: "Node | None" = None  # the one that had been started before it here, and had not ended
    live: bool = True
    started: float = 0.0
    held: Any = None  # what it says of a call, once it has ended
    ended: float = 0.0
    below: int = 0  # children that are not settled yet
    covered: set[str] = field(default_factory=set)  # models of the calls below that are known


@dataclass(slots=True)
class _Trace:
    nodes: dict[str, Node] = field(default_factory=dict)  # in the order of their starts
    live: int = 0
    due: float | None = None  # when the next held span has waited long enough


Models = tuple[str, ...]
Decide = Callable[[Span, Node], Models | None]
"""Called with each span that says something of a call: its model's names; None if it only repeats others."""
ANY: Models = ("",)
"""The names of a call whose model nobody knows."""


class Tree:
    """Every trace that has a live span here; used under a lock of its owner."""

    def __init__(self, decide: Decide, most: int = MAX_TRACES) -> None:
        self._decide = decide
        self._most = most
        self._traces: OrderedDict[str, _Trace] = OrderedDict()

    def start(self, span: Span, node: Node) -> None:
        """Note a span's start; where too many traces are open, the oldest is settled as it is."""
        trace = self._traces.setdefault(span[0], _Trace())
        trace.nodes[span[1]] = node
        trace.live += 1
        above = trace.nodes.get(node.parent or "")
        if above is not None:
            above.below += 1
        if len(self._traces) > self._most:
            trace_id, oldest = self._traces.popitem(last=False)
            self._settle(trace_id, oldest, None)

    def end(self, span: Span, held: Any, now: float) -> None:
        """Note a span's end: its trace is settled with the last of them, or by and by if it goes on."""
        trace = self._traces.get(span[0])
        node = None if trace is None else trace.nodes.get(span[1])
        if trace is None or node is None or not node.live:
            return
        node.live, node.held, node.ended = False, held, now
        trace.live -= 1
        if held is None:
            _forget(trace, span[1])
        elif trace.due is None:
            trace.due = now + GRACE_SECONDS
        if not trace.live:
            del self._traces[span[0]]
            self._settle(span[0], trace, None)
        elif trace.due is not None and now >= trace.due:
            self._settle(span[0], trace, now)

    def cover(self, span: Span, models: Models) -> None:
        """Note that a call of this model, at this span, is known: it and all above repeat it."""
        trace = self._traces.get(span[0])
        if trace is not None:
            _cover(trace, span[1], models)

    def cover_within(self, trace_id: str, scope: Any, models: Models) -> None:
        """Note that a tracked function stands for the calls of this model that it made in this trace."""
        trace = self._traces.get(trace_id)
        for node in () if trace is None else tuple(trace.nodes.values()):
            around = node.scope
            while around is not None and around is not scope:
                around = around.outer
            if around is scope:
                node.covered.update(models)

    def settle_all(self) -> None:
        """Decide on all that has ended."""
        for trace_id, trace in list(self._traces.items()):
            self._settle(trace_id, trace, None)

    def _settle(self, trace_id: str, trace: _Trace, now: float | None) -> None:
        """Decide on what has ended, or on what has waited long enough by ``now``; children before parents."""
        trace.due = None
        # A parent starts before its children: the order of starts, backwards.
        for span_id, node in [pair for pair in reversed(trace.nodes.items()) if pair[1].held is not None]:
            if node.below:
                continue
            if now is not None and now - node.ended < GRACE_SECONDS:
                trace.due = min(trace.due or now + GRACE_SECONDS, node.ended + GRACE_SECONDS)
                continue
            models = self._decide((trace_id, span_id), node)
            if models is not None:
                _cover(trace, node.parent, models)
            node.held = None
            _forget(trace, span_id)


def _cover(trace: _Trace, span_id: str | None, models: Models) -> None:
    while span_id is not None and (node := trace.nodes.get(span_id)) is not None:
        node.covered.update(models)
        span_id = node.parent


def _forget(trace: _Trace, span_id: str | None) -> None:
    """Let go of a settled span without unsettled children, and then of the one above, if that is so too."""
    while span_id is not None and (node := trace.nodes.get(span_id)) is not None:
        if node.live or node.below or node.held is not None:
            return
        del trace.nodes[span_id]
        span_id = node.parent
        above = trace.nodes.get(span_id or "")
        if above is not None:
            above.below -= 1
