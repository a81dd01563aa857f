"""A group of processes that ends with the one that started it, by Ctrl-C or kill -9 too."""

import os
import sys
from functools import lru_cache

_WARDEN = "import os, signal, sys; sys.stdin.buffer.read(); os.killpg(0, signal.SIGKILL)"


@lru_cache(maxsize=1)
def group() -> int:
    """Give the group, for ``process_group`` of whatever this process starts.

    A warden leads it, at the other end of a pipe that nobody writes to: when this process is gone, the pipe
    ends, and the warden ends the group, itself included.
    """
    theirs, _ours = os.pipe()  # ours is closed by this process's end alone
    given = [(os.POSIX_SPAWN_DUP2, theirs, 0)]
    command = [sys.executable, "-I", "-S", "-c", _WARDEN]
    try:
        return os.posix_spawn(command[0], command, os.environ, file_actions=given, setpgroup=0)
    finally:
        os.close(theirs)
