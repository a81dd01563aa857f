"""Calls that other threads still make when the program ends: they failed, and what is half read was left."""

import atexit
import gc
import os
import sys
import threading
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, FrameType
from typing import Any

from outlay.capture.call import Call
from outlay.capture.guard import guarded
from outlay.capture.streams import Open, Watch
from outlay.journal.endings import before_hard_ends

_OURS = __name__.partition(".")[0]
_NAMED = "outlay-"  # threads of our own, which make no calls


def watch_end() -> None:
    """Have these calls looked for when this process ends; once, however often it starts over."""
    atexit.unregister(fail_calls_under_way)
    atexit.register(fail_calls_under_way, os.getpid())
    before_hard_ends(leave_at_once)


def leave_at_once() -> None:
    """Record what is under way where a process ends at once: what was dropped is not collected any more.

    What its loops wait for is left out: in a forked child they would be its parent's.
    """
    fail_calls_under_way(0, at_once=True)


@guarded
def fail_calls_under_way(pid: int, *, at_once: bool = False) -> None:
    """Record the calls that daemon threads are making now: Python ends such threads where they stand.

    They are looked for on the stacks, where each hook waits for its answer, so that no call costs more. A
    stream that one has read in part, and is at other work, was left: nobody drops it any more.
    ``pid`` is the process that this was arranged in: a forked child has copies of what its parent's loops do.
    """
    others = {each.ident for each in threading.enumerate() if not each.name.startswith(_NAMED)}
    others.discard(threading.get_ident())
    if not others and not at_once:
        return
    collects = gc.isenabled()
    gc.disable()  # what is made from now on stays in the youngest generation
    try:
        _fail(others, gc.get_objects(), own=pid == os.getpid())
        # Those threads went on meanwhile: a request may have become a stream, which was not there before.
        _fail(others, gc.get_objects(generation=0), own=pid == os.getpid())
    finally:
        if collects:
            gc.enable()


def _fail(others: set[int | None], objects: list[Any], *, own: bool) -> None:
    """Record what these threads' stacks and these objects hold; tasks only where they are our own."""
    frames = [frame for thread, frame in sys._current_frames().items() if thread in others]  # noqa: SLF001 - documented
    for frame in frames:
        for each in _under(frame):
            _fail_in(each)
    waiting, half_read = _held(objects)
    for frame in waiting if own else ():
        _fail_in(frame)
    for stream in half_read:
        stream.leave()


def _under(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _held(objects: list[Any]) -> tuple[list[FrameType], list[Open]]:
    """Give the frames that wait for an answer in a loop's tasks, or run as one came, and open streams."""
    waiting: list[FrameType | None] = []
    half_read: list[Open] = []
    for each in objects:
        kind = type(each)
        if kind is CoroutineType:
            waiting.append(each.cr_frame if each.cr_await is not None or each.cr_running else None)
        elif kind is AsyncGeneratorType:
            waiting.append(each.ag_frame if each.ag_await is not None or each.ag_running else None)
        elif issubclass(kind, Open):  # a proxy may say that it is of any kind: it is not asked
            half_read.append(each)
    return [frame for frame in waiting if frame is not None], half_read


def _fail_in(frame: FrameType) -> None:
    """Fail what one of our own functions is waiting for."""
    if str(frame.f_globals.get("__name__")).partition(".")[0] != _OURS:
        return
    for each in list(frame.f_locals.values()):
        call = each.call if isinstance(each, Watch) else each
        # One that is being made is not sent yet, and may still be refused.
        if isinstance(call, Call) and not getattr(call, "done", True):
            each.fail(SystemExit())
