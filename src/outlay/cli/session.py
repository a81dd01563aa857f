"""What a command works with: the settings of this command line, a reader, and where it prints."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from outlay import process
from outlay.cli.migrating import show_migrations
from outlay.cli.options import State, state_of
from outlay.core.errors import SettingsError
from outlay.render.as_table import Page
from outlay.report import LedgerReader
from outlay.settings import Settings, is_path, is_server, load


def settings_of(state: State, tags: dict[str, str] | None = None) -> Settings:
    """Read the settings with the command line's ledger over all others, and its tags over theirs."""
    environ = dict(os.environ)
    peek = False
    if state.ledger is not None:
        environ["OUTLAY_LEDGER"] = state.ledger
        peek = is_server(state.ledger) and load(os.environ, Path.cwd()).ledger != state.ledger
    settings = process.resolved(replace(load(environ, Path.cwd()), peek=peek))
    return replace(settings, tags={**settings.tags, **tags}) if tags else settings


def reader_of(settings: Settings, *, new: bool = False) -> LedgerReader:
    """Open the ledger that the settings name; where it has to be migrated first, that is shown.

    A question makes no folder where none is: a name that was mistyped would stay behind as a ledger. With
    ``new`` the ledger is made where it is not there, for calls that are brought to it.
    """
    show_migrations()
    if not new and no_folder(settings):
        context = click.get_current_context()
        if state_of(context).ledger is not None:
            click.echo(f"outlay: {no_ledger(settings)}", err=True)
        empty = context.find_root().with_resource(TemporaryDirectory(prefix="outlay-"))
        settings = replace(settings, ledger=empty)
    return process.use(settings).open()


def no_folder(settings: Settings) -> bool:
    """Whether an embedded ledger is named where there is nothing."""
    named = settings.ledger
    return named is not None and is_path(named) and not Path(named.strip()).expanduser().exists()


def no_ledger(settings: Settings) -> str:
    """Say that nothing is where the ledger should be."""
    return f"there is no ledger in {settings.ledger}; outlay doctor says where calls are kept"


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


def check_folder(path: Path) -> None:
    """Say that a file cannot be written because its folder is missing.

    Raises:
        SettingsError: it is.
    """
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"there is no folder {path.parent}; make it, or name another file")


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; what was made yesterday is replaced by that of today.

    Raises:
        SettingsError: the path names no file, or one in a folder that is not there.
        OSError: it cannot be written.
    """
    if path.is_dir() or not path.name:
        raise SettingsError(f"{path} is a folder; name a file in it")
    check_folder(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:  # named by the file that was asked for
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        unfinished.unlink(missing_ok=True)
