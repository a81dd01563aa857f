"""Hooking an SDK at the moment a program imports it, so that a program without it does not load it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from threading import get_ident
from types import ModuleType
from typing import Any

from outlay.capture.guard import guarded
from outlay.core.inherited import FORMERLY, MODULES


def hook_when_imported(hook: Callable[[str], Any]) -> Callable[[], None]:
    """Call ``hook`` with an SDK's name now, if a program has it already, else right after its import.

    A hook that fails is noted and told of by ``doctor``; the program's import goes on. Gives a function that
    waits no longer.
    """
    safely = guarded(hook)
    watched = {module: name for name, module in MODULES.items()} | {**FORMERLY}
    waiting = {module: name for module, name in watched.items() if module not in sys.modules}
    for name in dict.fromkeys(name for module, name in watched.items() if module not in waiting):
        safely(name)
    finder = _AfterImport(waiting, safely)
    sys.meta_path.insert(0, finder)
    return finder.forget


class _AfterImport(MetaPathFinder):
    """Finds nothing itself; what the others find is told of once it is loaded."""

    def __init__(self, waiting: Mapping[str, str], hook: Callable[[str], Any]) -> None:
        self._waiting = waiting
        self._hook = hook
        self._asking: set[tuple[str, int]] = set()  # what is being looked for, and in which thread

    def forget(self) -> None:
        """Wait no longer; calling it twice is harmless."""
        self._waiting = {}
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name, asked = self._waiting.get(fullname), (fullname, get_ident())
        if name is None or asked in self._asking:
            return None
        # Those before us were asked already, and may be the ones that ask us. Where somebody has put
        # something of his own around every finder, we are asked by one that we ask.
        finders: list[Any] = list(sys.meta_path)
        later = finders[finders.index(self) + 1 :] if self in finders else finders
        found = (finder.find_spec(fullname, path, target) for finder in later if hasattr(finder, "find_spec"))
        self._asking.add(asked)
        try:
            spec = next((spec for spec in found if spec is not None), None)
        finally:
            self._asking.discard(asked)
        if spec is not None and spec.loader is not None:
            _tell_after(
                fullname, spec.loader, lambda: self._hook(name) if name in self._waiting.values() else None
            )
        return spec


@guarded
def _tell_after(name: str, loader: Any, tell: Callable[[], object]) -> None:
    """Let this one loader tell when it is done; most are made for one import, that of a zip is not.

    One that cannot be given a method, as those written in C, is left as it is.
    """
    load = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        load(module)
        if module.__name__ == name:
            tell()

    loader.exec_module = exec_module
