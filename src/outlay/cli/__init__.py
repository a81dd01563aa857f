"""The command: one file per group of commands, imported when used."""

from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code: 0 done, 1 failed or the answer is no, 2 wrongly called."""
    from outlay.cli.app import main as run  # workers of a command load no command line

    return run(args)
