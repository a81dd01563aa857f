"""A program under ``outlay run`` and the Python processes that it starts: all are hooked, and drained."""

import os
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

from outlay.core.inherited import FORMERLY, MODULES, RUN

if TYPE_CHECKING:  # for an annotation alone: a child that calls no model loads next to nothing
    from outlay.settings import Settings

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "startup")  # noqa: PTH100, PTH118, PTH120 - no pathlib in each child


def hand_down(settings: "Settings", environ: MutableMapping[str, str]) -> None:
    """Have every Python process that inherits this environment record its calls in the same ledger.

    What the settings say is handed down whole, since a child may start in another folder. A folder of ours
    comes first on PYTHONPATH; ``python -E``, ``-I`` and ``-S`` do not look there. An empty entry there, as in
    ``:lib``, is the folder that the child starts in, and stays.
    """
    environ.update(settings.to_environ())
    given = environ.get("PYTHONPATH", "")  # empty as a whole it is as good as none
    paths = [path for path in given.split(os.pathsep) if path != _FOLDER] if given else []
    environ["PYTHONPATH"] = os.pathsep.join([_FOLDER, *paths])


def take_up() -> None:
    """Begin in a child: nothing is loaded until it imports an SDK."""
    if os.environ.get(RUN):
        sys.meta_path.insert(0, _FirstSdk())


class _FirstSdk:
    """Finds nothing itself; when the first SDK is asked for, hooks are set to wait for all of them."""

    def __init__(self) -> None:
        self._modules = frozenset((*MODULES.values(), *FORMERLY))
        self._lock = threading.Lock()

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        """Begin if this is an SDK, and let the finder that hooks it answer."""
        if name not in self._modules:
            return None
        with self._lock:
            if self in sys.meta_path:
                sys.meta_path.remove(self)
                _begin()
        asked = (getattr(finder, "find_spec", None) for finder in list(sys.meta_path))
        return next((spec for find in asked if find is not None and (spec := find(name, path, target))), None)


def _begin() -> None:
    """Hook SDKs as they are imported; a fault of ours is logged, and the child's import goes on."""
    from outlay import process  # noqa: PLC0415 - see take_up
    from outlay.capture.guard import note_failure  # noqa: PLC0415 - likewise
    from outlay.journal.endings import drain_when_terminated  # noqa: PLC0415 - likewise

    try:
        here = process.current()
        here.hooks.watch(include_usage=here.settings.include_usage)
        drain_when_terminated(here.bring_home)
    except Exception as error:  # noqa: BLE001 - see the docstring
        note_failure("outlay run", error)


def die_interrupted() -> None:
    """End as Python ends a program that Ctrl-C stopped: by the signal, so that a shell's script stops too."""
    import signal  # noqa: PLC0415 - see take_up

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or taken away
            stream.flush()
    if os.name == "posix":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
