"""Calls that other threads still make when the program ends: nobody hears of their answers: they failed."""

import atexit
import gc
import os
import sys
import threading
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, FrameType

from outlay.capture.call import Call
from outlay.capture.guard import guarded
from outlay.capture.streams import Watch

_OURS = __name__.partition(".")[0]
_NAMED = "outlay-"  # threads of our own, which make no calls


def watch_end() -> None:
    """Have these calls looked for when this process ends; once, however often it starts over."""
    atexit.unregister(fail_calls_under_way)
    atexit.register(fail_calls_under_way, os.getpid())


@guarded
def fail_calls_under_way(pid: int) -> None:
    """Record the calls that daemon threads are making now: Python ends such threads where they stand.

    They are looked for on the stacks, where each hook waits for its answer, so that no call costs more.
    ``pid`` is the process that this was arranged in: a forked child has copies of what its parent's loops do.
    """
    others = {each.ident for each in threading.enumerate() if not each.name.startswith(_NAMED)}
    others.discard(threading.get_ident())
    if not others:
        return
    frames = [frame for thread, frame in sys._current_frames().items() if thread in others]  # noqa: SLF001 - documented
    for frame in frames:
        for each in _under(frame):
            _fail_in(each)
    if pid == os.getpid():
        for each in _waiting():
            _fail_in(each)


def _under(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waiting() -> Iterator[FrameType]:
    """Give the frames that wait for an answer in a loop's tasks."""
    for each in gc.get_objects():
        if type(each) is CoroutineType:
            frame = each.cr_frame if each.cr_await is not None else None
        elif type(each) is AsyncGeneratorType:
            frame = each.ag_frame if each.ag_await is not None else None
        else:
            continue
        if frame is not None:
            yield frame


def _fail_in(frame: FrameType) -> None:
    """Fail what one of our own functions is waiting for."""
    if str(frame.f_globals.get("__name__")).partition(".")[0] != _OURS:
        return
    for each in list(frame.f_locals.values()):
        call = each.call if isinstance(each, Watch) else each
        # One that is being made is not sent yet, and may still be refused.
        if isinstance(call, Call) and not getattr(call, "done", True):
            each.fail(SystemExit())
