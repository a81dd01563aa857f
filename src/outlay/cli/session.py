"""What a command works with: the settings of this command line, a reader, a book, and where it prints."""

import os
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from outlay import process
from outlay.atomic import write_file
from outlay.cli.held import hold
from outlay.cli.migrating import show_migrations
from outlay.cli.options import State, state_of
from outlay.core.addresses import is_path, is_server, named
from outlay.core.errors import NoLedgerError, SettingsError
from outlay.core.period import moment
from outlay.core.query import zone
from outlay.home import working_folder
from outlay.render.as_table import Page
from outlay.report import LedgerReader
from outlay.settings import Settings, load

if TYPE_CHECKING:  # a command that prices nothing loads no prices
    from outlay.pricing import Book

_OURS = frozenset(
    {"acknowledged.json", "alerts", "journal", "ledger.duckdb", "prices", "prices.toml", "ship", "spool"}
)
"""What a ledger's folder holds, or some of it."""


def settings_of(state: State, tags: dict[str, str] | None = None) -> Settings:
    """Read the settings with the command line's ledger over all others, and its tags over theirs."""
    environ = dict(os.environ)
    peek = False
    if state.ledger is not None:
        environ["OUTLAY_LEDGER"] = named(state.ledger)
        peek = is_server(state.ledger) and load(os.environ, working_folder()).ledger != state.ledger
    settings = process.resolved(replace(load(environ, working_folder()), peek=peek))
    return replace(settings, tags={**settings.tags, **tags}) if tags else settings


def reader_of(settings: Settings, *, new: bool = False) -> LedgerReader:
    """Open the ledger that the settings name; where it has to be migrated first, that is shown.

    A question makes no folder where none is: a name that was mistyped would stay behind as a ledger. What
    settings name is merely empty still. With ``new`` a ledger is made that is not there: calls are brought.

    Raises:
        NoLedgerError: the command line names a folder that is not there.
    """
    show_migrations()
    if not new:
        check_typed(settings)
        settings = or_empty(settings)
    if settings.ledger is not None and is_server(settings.ledger):
        hold()
    return process.use(settings).open()


def or_empty(settings: Settings) -> Settings:
    """Give the settings, with an empty ledger for this command where the one that they name is not there."""
    if not no_folder(settings):
        return settings
    root = click.get_current_context().find_root()
    return replace(settings, ledger=root.with_resource(TemporaryDirectory(prefix="outlay-")))


def check_typed(settings: Settings) -> None:
    """Say that there is no ledger where the command line names one.

    Raises:
        NoLedgerError: it is so.
        SettingsError: a file is there, not a folder.
    """
    named = settings.ledger
    if state_of(click.get_current_context()).ledger is None or named is None or not is_path(named):
        return
    if not no_folder(settings) and not _path(named).is_dir():
        raise SettingsError(f"{named} is a file; a ledger is a folder or a URL")
    if no_folder(settings) or _is_strange(_path(named)):
        raise NoLedgerError(f"there is no ledger in {named}; outlay doctor says where calls are kept")


def _is_strange(folder: Path) -> bool:
    """Whether a folder holds files, and nothing of a ledger: a question would leave one among them."""
    try:
        held = {each.name for each in folder.iterdir()}
    except OSError:  # whoever opens it says so
        return False
    return bool(held) and held.isdisjoint(_OURS)


def no_folder(settings: Settings) -> bool:
    """Whether an embedded ledger is named where there is nothing."""
    named = settings.ledger
    return named is not None and is_path(named) and not _path(named).exists()


def _path(named: str) -> Path:
    return Path(named.strip()).expanduser()


def book_of(settings: Settings) -> "Book":
    """Give the book that calls are priced by.

    Raises:
        PriceBookError: the price file is missing or breaks the format.
    """
    return process.use(settings).book()


def moment_of(text: str | None, settings: Settings) -> datetime | None:
    """Read an instant as the options --since and --until do.

    Raises:
        QueryError: it is none.
    """
    return moment(text, datetime.now(UTC), zone(settings.tz))


def page_of_terminal() -> Page:
    """Say how wide standard output is and whether it shows colours; a pipe has no width."""
    if not sys.stdout.isatty():
        return Page()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Page(shutil.get_terminal_size().columns, color=not plain)


def show(text: str) -> None:
    """Print data, to the last sign: click would take what looks like a colour out of a name in a pipe."""
    click.echo(text, color=True)


def show_csv(text: str) -> None:
    """Print CSV; on a terminal, what could move its cursor stands as an escape."""
    from outlay.render.cells import name

    show("\n".join(map(name, text.split("\n"))) if sys.stdout.isatty() else text)


def show_json(document: Any) -> None:
    """Print one JSON document."""
    from outlay.render.as_json import json_text

    click.echo(json_text(document))


def tell(ctx: click.Context, document: Any, text: str) -> None:
    """Print what came of a command: as one JSON document where that was asked for, else as text."""
    if state_of(ctx).json:
        show_json(document)
    else:
        show(text)


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
    write_file(path, data)
