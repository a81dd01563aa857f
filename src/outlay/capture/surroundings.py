"""Where a call stands: whom it is for, and in which OpenTelemetry span, if the program uses that."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from outlay.capture import contexts
from outlay.capture.guard import note_failure

MAX_BAGGAGE = 16  # entries kept of what other services sent along
MAX_TEXT = 200
# Baggage by these names says what a field says; all else becomes a tag.
_FIELDS: Mapping[str, str] = {
    "user.id": "user",
    "enduser.id": "user",
    "session.id": "session",
    "gen_ai.conversation.id": "session",
    "gen_ai.agent.name": "agent",
}


class Place(NamedTuple):
    """What is around a call when it starts."""

    attribution: contexts.Attribution
    trace_id: str | None = None
    span_id: str | None = None


_NOWHERE = Place(contexts.NOBODY)  # where most calls of most programs stand
Saying = Callable[[], Mapping[str, str]]
"""What a framework says, as attributes, of a call that starts now."""
_sayings: list[Saying] = []
"""Those of the frameworks that are hooked and keep it in a context of their own: none in most programs."""


def listen(saying: Saying) -> Callable[[], None]:
    """Ask a framework too, wherever a call starts; give what ends that."""
    _sayings.append(saying)
    return lambda: _sayings.remove(saying)


def here() -> Place:
    """Look around; OpenTelemetry is asked only where the program has loaded it, and never loaded by us."""
    attribution = contexts.attribution.get()
    if _sayings:
        attribution = _told(attribution)
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return _NOWHERE if attribution is contexts.NOBODY else Place(attribution)
    try:
        return _in_span(attribution, trace)
    except Exception as error:  # noqa: BLE001 - a half-loaded or foreign module must not stop a call
        note_failure("surroundings", error)
        return Place(attribution)


def _in_span(attribution: contexts.Attribution, trace: Any) -> Place:
    baggage = sys.modules.get("opentelemetry.baggage")
    carried = baggage.get_all() if baggage is not None else None
    if carried:
        attribution = _under(attribution, carried)
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return Place(attribution)
    return Place(attribution, f"{span.trace_id:032x}", f"{span.span_id:016x}")


def _told(attribution: contexts.Attribution) -> contexts.Attribution:
    """Lay under what is said already what frameworks say that are asked where a call starts."""
    for saying in tuple(_sayings):
        try:
            said = saying()
            tags = {name: value for name, value in said.items() if name not in contexts.NAMES}
            fields = {name: value for name, value in said.items() if name in contexts.NAMES}
        except Exception as error:  # noqa: BLE001 - a framework that moved its insides must not stop a call
            note_failure("surroundings", error)
            continue
        attribution = _laid_under(attribution, fields, tags) if said else attribution
    return attribution


def _under(attribution: contexts.Attribution, baggage: Mapping[str, Any]) -> contexts.Attribution:
    """Lay what baggage says under what the program itself says."""
    fields: dict[str, str] = {}
    tags: dict[str, str] = {}
    for name, value in list(baggage.items())[:MAX_BAGGAGE]:
        field = _FIELDS.get(name)
        (tags if field is None else fields)[(field or name)[:MAX_TEXT]] = str(value)[:MAX_TEXT]
    return _laid_under(attribution, fields, tags)


def _laid_under(
    attribution: contexts.Attribution, fields: Mapping[str, str], tags: Mapping[str, str]
) -> contexts.Attribution:
    return contexts.Attribution(
        {**fields, **attribution.fields}, {**tags, **attribution.tags}, attribution.lent
    )
