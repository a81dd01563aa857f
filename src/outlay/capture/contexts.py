"""Whom a call is for: user, session, query type and tags, carried by contextvars."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

NAMES = ("user", "session", "query_type", "agent", "action", "workspace")


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is said of every call made while a context is open."""

    user: str | None = None
    session: str | None = None
    query_type: str | None = None
    agent: str | None = None
    action: str | None = None
    workspace: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    def with_(self, attributes: Mapping[str, Any]) -> "Attribution":
        """Lay further attributes over these; any name that is no field is a tag, None takes a tag away."""
        known = {name: text_or_none(attributes[name]) for name in NAMES if name in attributes}
        tags = {name: value for name, value in attributes.items() if name not in NAMES}
        merged = {**self.tags, **tags}
        return replace(
            self, **known, tags={name: str(value) for name, value in merged.items() if value is not None}
        )


class Scope:
    """Counts the calls seen inside one tracked function, so that the function itself is not counted too."""

    __slots__ = ("outer", "seen")

    def __init__(self, outer: "Scope | None") -> None:
        self.outer = outer
        self.seen = 0

    def saw_call(self) -> None:
        """Count a call here and in every scope around."""
        scope: Scope | None = self
        while scope is not None:
            scope.seen += 1
            scope = scope.outer


NOBODY = Attribution()
attribution: ContextVar[Attribution] = ContextVar("outlay_attribution", default=NOBODY)
scope: ContextVar[Scope | None] = ContextVar("outlay_scope", default=None)
inside: ContextVar[object | None] = ContextVar("outlay_inside", default=None)
"""What a hook further out is counting just now, so that no hook below counts it again."""


def text_or_none(value: object) -> str | None:
    """Bring a user, session or other name to text; numbers are names too."""
    return None if value is None else str(value)


@contextmanager
def context(**attributes: Any) -> Iterator[Attribution]:
    """Say whom the calls inside are for: ``user``, ``session``, ``query_type``, …; other keywords are tags.

    Contexts nest, and follow tasks, generators and ``asyncio.to_thread``; a thread that you start yourself
    begins without one.
    """
    inner = attribution.get().with_(attributes)
    token = attribution.set(inner)
    try:
        yield inner
    finally:
        attribution.reset(token)


@contextmanager
def suppress() -> Iterator[None]:
    """Leave the calls inside to an outer hook, or out of the ledger altogether."""
    token = inside.set("suppressed")
    try:
        yield
    finally:
        inside.reset(token)
