"""Patches: methods of other people's classes replaced, and put back exactly as they were."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(slots=True)
class Patches:
    """What one integration has replaced; ``active`` turns its wrappers into plain pass-throughs.

    Where somebody else has wrapped our wrapper since, it cannot be taken out again: it stays, and passes on.
    """

    active: bool = True
    _replaced: list[tuple[type | ModuleType, str, Any, Any]] = field(default_factory=list)
    _undoing: list[Callable[[], object]] = field(default_factory=list)

    def replace(self, owner: type | ModuleType, name: str, make: Callable[[Any], Any]) -> None:
        """Replace ``owner.name`` by ``make(original)``; an owner without that name is left alone."""
        original = owner.__dict__.get(name)
        if original is None:
            return
        ours = make(original)
        setattr(owner, name, ours)
        self._replaced.append((owner, name, original, ours))

    def override(self, owner: type, name: str, make: Callable[[Any], Any]) -> None:
        """Give ``owner`` a method of its own over one that it inherits from others."""
        inherited = getattr(owner, name, None)
        if name in owner.__dict__ or inherited is None:
            self.replace(owner, name, make)
            return
        ours = make(inherited)
        setattr(owner, name, ours)
        self._replaced.append((owner, name, None, ours))

    def add(self, owner: type, name: str, method: Callable[..., Any]) -> None:
        """Give ``owner`` a method where it has none, such as one that it passes on to what it stands for."""
        setattr(owner, name, method)
        self._replaced.append((owner, name, None, method))

    def on_undo(self, undo: Callable[[], object]) -> None:
        """Remember what takes back something else than a method replaced."""
        self._undoing.append(undo)

    def undo(self) -> None:
        """Put every original back."""
        self.active = False
        while self._undoing:
            self._undoing.pop()()
        for owner, name, original, ours in reversed(self._replaced):
            if owner.__dict__.get(name) is not ours:
                continue
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
        self._replaced.clear()
