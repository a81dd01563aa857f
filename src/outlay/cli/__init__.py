"""The command: one file per group of commands, imported when used."""

from outlay.cli.app import main

__all__ = ["main"]
