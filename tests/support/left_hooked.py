"""Hooks of SDKs that a test leaves behind: taken out, and told of as that test's fault, not a later one's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from outlay import process
from outlay.instrumentation.late import _AfterImport
from outlay.instrumentation.patches import Patches


class Hooked:
    """What is hooked in this process, whoever hooked it: each set of patches is remembered as it is made."""

    def __init__(self) -> None:
        self._made: list[Patches] = []

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Remember whatever is patched within the block."""
        make = Patches.__init__

        def remember(patches: Patches, *args: Any, **kwargs: Any) -> None:
            make(patches, *args, **kwargs)
            self._made.append(patches)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Patches, "__init__", remember)
            yield

    @contextmanager
    def left_as_found(self) -> Iterator[None]:
        """Fail, once all is taken out, where the block leaves hooks that were not there before."""
        before, finders = self._live(), _finders()
        self._made = [*before]
        yield
        left = [each for each in self._live() if not any(each is one for one in before)]
        waiting = [each for each in _finders() if each not in finders]
        if left or waiting:
            told = _told(left)
            process.current().hooks.uninstrument()
            for patches in reversed(left):
                patches.undo()
            for finder in waiting:
                finder.forget()
            pytest.fail(told, pytrace=False)

    def _live(self) -> list[Patches]:
        return [each for each in self._made if each.active and (each._replaced or each._undoing)]


def _finders() -> list[_AfterImport]:
    return [each for each in sys.meta_path if isinstance(each, _AfterImport)]


def _told(left: list[Patches]) -> str:
    owners = (owner for patches in left for owner, *_ in patches._replaced)
    names = sorted({getattr(owner, "__module__", owner.__name__).partition(".")[0] for owner in owners})
    return (
        f"this test left SDKs hooked for all later ones ({', '.join(names) or 'as they are imported'});"
        " undo it with outlay.uninstrument(), or start a process for it"
    )
