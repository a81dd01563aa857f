"""The command: one file per group of commands, imported when used."""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code: 0 done, 1 failed or the answer is no, 2 wrongly called."""
    try:
        from outlay.cli.app import main as run  # workers of a command load no command line
    except KeyboardInterrupt:
        sys.stderr.write("\noutlay: interrupted\n")
        return _INTERRUPTED
    return run(args)
