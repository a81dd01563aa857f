"""What the shell completes where no command or option stands: files, folders, dimensions, metrics, models."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # loaded when a shell asks
    from click.shell_completion import CompletionItem


def files(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Let the shell complete the names of files."""
    return _items([typed], kind="file")


def folders(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Let the shell complete the names of folders; a URL stays as it is typed."""
    return _items([typed], kind="dir")


def dimensions(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the last of the dimensions that stand with commas between them."""
    from outlay.core.query import DIMENSIONS

    before, comma, last = typed.rpartition(",")
    return _items(f"{before}{comma}{name}" for name in (*DIMENSIONS, "tag:") if name.startswith(last))


def filters(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the dimension of a filter up to its equals sign."""
    from outlay.core.query import DIMENSIONS

    names = (*(f"{name}=" for name in DIMENSIONS), "tag:")
    return _items(name for name in names if name.startswith(typed))


def metrics(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete what rows are ranked by."""
    from outlay.core.query import METRICS

    return _items(name for name in METRICS if name.startswith(typed))


def ranked(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete what ``outlay top --of`` takes."""
    from outlay.core.query import DIMENSIONS

    names = ("calls", "users", "sessions", "features", "models", *DIMENSIONS, "tag:")
    return _items(name for name in names if name.startswith(typed))


def models(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the last of the models that stand with commas between them, by the book that counts here."""
    import os

    from outlay import process
    from outlay.core.errors import OutlayError
    from outlay.home import working_folder
    from outlay.settings import load

    before, comma, last = typed.rpartition(",")
    try:
        book = process.use(process.resolved(load(os.environ, working_folder()))).book()
    except OutlayError:  # the command itself says what is wrong
        return []
    names = sorted({name for _provider, name in book.models() if name.startswith(last)})
    names = [name for name in names if not name.endswith("-")]  # what only begins a name
    return _items(f"{before}{comma}{name}" for name in names)


def _items(values: Iterable[str], kind: str = "plain") -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(value, type=kind) for value in values]
