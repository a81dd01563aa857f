"""What a command works with: the settings of this command line, a reader, and where it prints."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from outlay import process
from outlay.cli.migrating import show_migrations
from outlay.cli.options import State
from outlay.render.as_table import Page
from outlay.report import LedgerReader
from outlay.settings import Settings, is_server, load


def settings_of(state: State, tags: dict[str, str] | None = None) -> Settings:
    """Read the settings with the command line's ledger over all others, and its tags over theirs."""
    environ = dict(os.environ)
    peek = False
    if state.ledger is not None:
        environ["OUTLAY_LEDGER"] = state.ledger
        peek = is_server(state.ledger) and load(os.environ, Path.cwd()).ledger != state.ledger
    settings = process.resolved(replace(load(environ, Path.cwd()), peek=peek))
    return replace(settings, tags={**settings.tags, **tags}) if tags else settings


def reader_of(settings: Settings) -> LedgerReader:
    """Open the ledger that the settings name; where it has to be migrated first, that is shown."""
    show_migrations()
    return process.use(settings).open()


def page_of_terminal() -> Page:
    """Say how wide standard output is and whether it shows colours; a pipe has no width."""
    if not sys.stdout.isatty():
        return Page()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Page(shutil.get_terminal_size().columns, color=not plain)


def show(text: str) -> None:
    """Print data."""
    click.echo(text)


def show_json(document: Any) -> None:
    """Print one JSON document."""
    from outlay.render.as_json import json_text

    click.echo(json_text(document))


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; what was made yesterday is replaced by that of today."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:  # named by the file that was asked for
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        unfinished.unlink(missing_ok=True)
