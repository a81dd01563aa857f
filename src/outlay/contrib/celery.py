"""Celery: calls made by a task are for whoever sent it, and are known by the task's name.

``outlay.contrib.celery.connect()`` in the module of the Celery app, which both senders and workers import.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from threading import get_ident
from typing import Any

from celery import current_task, signals

from outlay import process
from outlay.capture import context, contexts
from outlay.capture.guard import guarded

HEADER = "outlay"
_ID = "outlay.contrib.celery"
_FLUSH_SECONDS = 5.0


def connect(*, name_as: str | None = "query_type") -> None:
    """Carry contexts from senders to workers, by a header of each message; calling it again changes how.

    ``name_as`` is the field or tag that the task's name is put in, where the sender gave none; None puts it
    nowhere.
    """
    disconnect()
    running = _Running(name_as)
    signals.before_task_publish.connect(running.send, weak=False, dispatch_uid=_ID)
    signals.task_prerun.connect(running.begin, weak=False, dispatch_uid=_ID)
    signals.task_postrun.connect(running.end, weak=False, dispatch_uid=_ID)
    signals.worker_process_shutdown.connect(_drain, weak=False, dispatch_uid=_ID)


def disconnect() -> None:
    """Let go of Celery's signals."""
    for signal in (
        signals.before_task_publish,
        signals.task_prerun,
        signals.task_postrun,
        signals.worker_process_shutdown,
    ):
        signal.disconnect(dispatch_uid=_ID)


class _Running:
    """The tasks that run now, each in the context of its sender."""

    def __init__(self, name_as: str | None) -> None:
        self._name_as = name_as
        # A task that a broker sends anew while it still runs, or that is tried again in place, keeps its id.
        self._open: dict[tuple[str, int], list[AbstractContextManager[Any]]] = {}

    @guarded
    def send(self, headers: dict[str, Any] | None = None, **_: Any) -> None:
        """Put what the sender's context says into the message: a task's name is that task's alone."""
        said = contexts.attribution.get()
        parts = {"fields": dict(said.fields), "tags": dict(said.tags)}
        task, name_as = current_task, self._name_as
        if name_as is not None and task and name_as not in _attributes(task.request.get(HEADER)):
            for part in parts.values():
                if part.get(name_as) == task.name:
                    del part[name_as]
        if headers is not None and any(parts.values()):
            headers[HEADER] = parts

    @guarded
    def begin(self, task_id: str, task: Any, **_: Any) -> None:
        """Open the context that came with the message; a task that is run in place keeps the one it is in."""
        said = _attributes(task.request.get(HEADER))
        current = contexts.attribution.get()
        name_as = self._name_as
        if name_as is not None and name_as not in {**said, **current.fields, **current.tags}:
            said[name_as] = task.name
        opened = context(**said)
        opened.__enter__()
        self._open.setdefault((task_id, get_ident()), []).append(opened)

    @guarded
    def end(self, task_id: str, **_: Any) -> None:
        """Close it again."""
        key = task_id, get_ident()
        opened = self._open.get(key)
        if opened:
            opened.pop().__exit__(None, None, None)
        if not opened:
            self._open.pop(key, None)


def _attributes(header: Any) -> dict[str, Any]:
    if not isinstance(header, Mapping):
        return {}
    parts = (header.get(name) for name in ("tags", "fields"))
    return {str(name): value for part in parts if isinstance(part, Mapping) for name, value in part.items()}


@guarded
def _drain(**_: Any) -> None:
    """Write what is pending: processes of Celery's pool end without running exit handlers."""
    process.current().flush(_FLUSH_SECONDS)
