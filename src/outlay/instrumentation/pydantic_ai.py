"""pydantic-ai: whom the calls of its agents are for; the calls themselves are counted by the SDKs below.

A request of an agent's model is sent inside ``set_current_run_context``; a stream is asked for later, by
whoever reads it, in the context that ``capture_current_context`` took along.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

from outlay.capture.contexts import attribution, lending, restore
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.instrumentation.lending import named, said_by
from outlay.instrumentation.patches import Patches

OLDEST = (2, 60)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - makes no calls
    """Hook the agents' runs; a release that has no such context says nothing of them.

    Raises:
        ImportError: it is not installed.
    """
    from pydantic_ai import _agent_graph  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    patches.replace(_agent_graph, "set_current_run_context", _telling)
    patches.replace(_agent_graph, "capture_current_context", _carrying)
    return patches


Enter = Callable[[], AbstractContextManager[Any]]


def _telling(original: Callable[[Any], AbstractContextManager[None]]) -> Callable[..., Any]:
    say = guarded(_said_of)

    @contextmanager
    @wraps(original)
    def set_current_run_context(run_context: Any) -> Iterator[None]:
        with original(run_context), lending(say(run_context) or {}):
            yield

    return set_current_run_context


def _carrying(original: Callable[[], Enter]) -> Callable[[], Enter]:
    @wraps(original)
    def capture_current_context() -> Enter:
        enter, who = original(), attribution.get()

        @contextmanager
        def entered() -> Iterator[None]:
            token = attribution.set(who)
            try:
                with enter():
                    yield
            finally:
                restore(attribution, token)

        return entered

    return capture_current_context


def _said_of(run: Any) -> dict[str, str]:
    """Give what a run says: its agent's name, its conversation, its metadata."""
    own = named(agent=getattr(run.agent, "name", None), session=getattr(run, "conversation_id", None))
    return {**own, **said_by(run.metadata)}
