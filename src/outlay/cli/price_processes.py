"""Worker processes: copies of this one where the system forks safely, else fresh interpreters.

A copy has read its prices already, and may read the input itself. Either kind ends when its pipe does,
however this process ended, and an interrupt from the keyboard does not reach it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import outlay

_PIPE = 1 << 20  # bytes; what a process may ask for as Linux comes


@dataclass(frozen=True, slots=True, eq=False)
class Worker:
    """A process with a pipe to it and one from it."""

    pid: int
    asking: BinaryIO
    answering: BinaryIO
    wait: Callable[[], int]
    """Wait until it has ended, and give its exit code, as :mod:`subprocess` does."""

    def kill(self) -> None:
        """End it at once; it may have ended already."""
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def end(self) -> None:
        """Let it end, since nothing more is asked of it, and wait until it has."""
        for pipe in (self.asking, self.answering):
            with suppress(BrokenPipeError):  # a dead one has not read all that it was sent
                pipe.close()
        self.wait()


def may_fork() -> bool:
    """Whether this process can be copied: the system does it safely, and no other thread holds a lock."""
    return sys.platform == "linux" and threading.active_count() == 1


def forked(serve: Callable[[BinaryIO, BinaryIO], None], others: Iterable[Worker]) -> Worker:
    """Start a copy of this process that serves and then ends; ``others`` were started before."""
    asked, asking = os.pipe()
    answers, answering = os.pipe()
    _widen(answering)
    pid = os.fork()
    if pid == 0:
        _serve(serve, (asked, answering), (asking, answers), others)
    os.close(asked)
    os.close(answering)
    ended: list[int] = []

    def wait() -> int:
        if not ended:
            ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return ended[0]

    return Worker(pid, os.fdopen(asking, "wb"), os.fdopen(answers, "rb"), wait)


def _widen(pipe: int) -> None:
    """Let a pipe hold the answers to a batch, so that the copy need not wait until they are fetched."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # more than the system grants
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def _serve(
    serve: Callable[[BinaryIO, BinaryIO], None],
    own: tuple[int, int],
    theirs: tuple[int, int],
    others: Iterable[Worker],
) -> None:
    """Be the copy: without the ends of pipes that are not its own, or no pipe would ever end."""
    code = 1
    try:
        os.setsid()
        for descriptor in theirs:
            os.close(descriptor)
        for other in others:
            other.asking.raw.close()  # type: ignore[attr-defined]  # a BufferedWriter; nothing waits in it
            other.answering.close()
        with os.fdopen(own[0], "rb") as asked, os.fdopen(own[1], "wb") as answering:
            serve(asked, answering)
        code = 0
    finally:
        os._exit(code)  # what this process would do at its end is for the other one to do


def fresh(code: str, *arguments: str) -> Worker:
    """Start an interpreter that runs a line of code and finds this very package."""
    home = str(Path(outlay.__file__).parents[1])
    path = os.pathsep.join((home, *filter(None, (os.environ.get("PYTHONPATH"),))))
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-P", "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    return Worker(
        process.pid, cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout), process.wait
    )
