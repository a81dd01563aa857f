"""Whom a call is for: user, session, query type and tags, carried by contextvars."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from outlay.capture.guard import text_of

T = TypeVar("T")
NAMES = frozenset({"user", "session", "query_type", "agent", "action", "workspace"})


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is said of every call made while a context is open."""

    fields: Mapping[str, str] = field(
        default_factory=dict, hash=False
    )  # by NAMES; what is not said is left out
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    lent: frozenset[str] = frozenset()  # what of it a framework said, and not the program

    def with_(self, attributes: Mapping[str, Any]) -> "Attribution":
        """Lay further attributes over these; any name that is no field is a tag, None takes it away.

        So does what has no text: it is not known whom the calls are for, and not whom was said further out.
        """
        fields, tags = dict(self.fields), dict(self.tags)
        for name, value in attributes.items():
            target = fields if name in NAMES else tags
            text = None if value is None else text_of(value)
            if text is None:
                target.pop(name, None)
            else:
                target[name] = text
        return Attribution(fields, tags, self.lent and self.lent.difference(attributes))

    def over(self, said: Mapping[str, str]) -> "Attribution":
        """Lay under these what a framework says: it fills in what is open, or what another one said."""
        free = {
            name: value
            for name, value in said.items()
            if name in self.lent or name not in (self.fields if name in NAMES else self.tags)
        }
        if not free:
            return self
        told = self.with_(free)
        return Attribution(told.fields, told.tags, self.lent.union(free))


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


class OneCall(Scope):
    """A framework's run that is one call, recorded as such: what tells of a call from inside repeats it."""

    __slots__ = ("over",)

    def __init__(self, outer: Scope | None) -> None:
        super().__init__(outer)
        self.over = False


NOBODY = Attribution()
attribution: ContextVar[Attribution] = ContextVar("outlay_attribution", default=NOBODY)
scope: ContextVar[Scope | None] = ContextVar("outlay_scope", default=None)
standing: ContextVar[Scope | None] = ContextVar("outlay_standing", default=None)
"""The tracked function whose result, or failure, is recorded just now: it stands for whatever ran in it."""
inside: ContextVar[object | None] = ContextVar("outlay_inside", default=None)
"""What a hook further out is counting just now, so that no hook below counts it again."""


class Block(ContextDecorator, Generic[T]):
    """Sets a variable where it is open.

    It may be opened again, within itself, and in several threads and tasks at once.
    """

    def __init__(self, variable: ContextVar[T], inner: Callable[[T], T]) -> None:
        self._variable = variable
        self._inner = inner
        self._tokens: list[Token[T]] = []

    def __enter__(self) -> T:
        inner = self._inner(self._variable.get())
        self._tokens.append(self._variable.set(inner))
        return inner

    def __exit__(self, *_: object) -> None:
        for token in self._tokens[::-1]:  # those of other threads and tasks are not taken here
            if restore(self._variable, token):
                self._tokens.remove(token)
                return


def context(**attributes: Any) -> Block[Attribution]:
    """Say whom the calls inside are for: ``user``, ``session``, ``query_type``, …; other keywords are tags.

    Contexts nest, and follow tasks and ``asyncio.to_thread``; a thread or executor of your own begins without
    one, unless :func:`carry` takes it along. In a generator use :func:`track`: a context that is open at a
    ``yield`` is open for the caller too.
    """
    return Block(attribution, lambda outer: outer.with_(attributes))


@contextmanager
def lending(said: Mapping[str, str]) -> Iterator[None]:
    """Lay what a framework says of the calls inside under what the program says itself."""
    token = attribution.set(attribution.get().over(said))
    try:
        yield
    finally:
        restore(attribution, token)


def suppress() -> Block[object | None]:
    """Leave the calls inside to an outer hook, or out of the ledger altogether."""
    return Block(inside, lambda _: "suppressed")


def restore(variable: ContextVar[T], token: Token[T]) -> bool:
    """Put a variable back, unless we are elsewhere by now: whoever closes a coroutine may be another task."""
    try:
        variable.reset(token)
    except ValueError:
        return False
    return True
