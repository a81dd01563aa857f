"""What the shell completes where no command or option stands: files, dimensions, models, zones, tags."""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # loaded when a shell asks
    from pathlib import Path

    from click.shell_completion import CompletionItem

_TAG = "tag:"
_PLAIN = re.compile(r"[\w.:/@+-]+")
"""What means itself in every shell, and no second name or value in an option of ours."""


def files(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Let the shell complete the names of files."""
    return _items([typed], kind="file")


def folders(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Let the shell complete the names of folders; a URL stays as it is typed."""
    return _items([typed], kind="dir")


def dimensions(ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the last of the dimensions that stand with commas between them."""
    from outlay.core.query import DIMENSIONS

    before, comma, last = typed.rpartition(",")
    names = _tags(ctx, last) or [name for name in (*DIMENSIONS, _TAG) if name.startswith(last)]
    return _items(f"{before}{comma}{name}" for name in names)


def filters(ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the dimension of a filter up to its equals sign, and behind it what calls have there."""
    from outlay.core.query import DIMENSIONS

    dimension, sign, start = typed.partition("=")
    if sign:
        return _items(f"{dimension}={value}" for value in _held(ctx, dimension, start))
    tags = [f"{name}=" for name in _tags(ctx, typed)]
    names = (*(f"{name}=" for name in DIMENSIONS), _TAG)
    return _items(tags or [name for name in names if name.startswith(typed)])


def ids(ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the id of one of the newest calls, newest first."""
    from outlay.ledger.offered import offered_ids

    return _items(_offered(ctx, lambda folder: offered_ids(folder, typed)))


def metrics(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete what rows are ranked by."""
    from outlay.core.query import METRICS

    return _items(name for name in METRICS if name.startswith(typed))


def more_metrics(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete what a report shows only where it is named."""
    from outlay.core.query import MORE_METRICS

    return _items(name for name in (*MORE_METRICS, "slow:") if name.startswith(typed))


def zones(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the names of time zones."""
    from zoneinfo import available_timezones

    return _items(sorted(name for name in available_timezones() if name.startswith(typed)))


def ranked(ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete what ``outlay top --of`` takes."""
    from outlay.core.query import DIMENSIONS

    names = ("calls", "users", "sessions", "features", "models", *DIMENSIONS, _TAG)
    return _items(_tags(ctx, typed) or [name for name in names if name.startswith(typed)])


def models(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete the last of the models that stand with commas between them, by the book that counts here."""
    before, comma, last = typed.rpartition(",")
    names = sorted({name for _provider, name in _priced() if name.startswith(last)})
    names = [name for name in names if not name.endswith("-")]  # what only begins a name
    return _items(f"{before}{comma}{name}" for name in names)


def providers(_ctx: click.Context, _param: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Complete who serves models, by the book that counts here."""
    return _items(sorted({name for name, _model in _priced() if name.startswith(typed)}))


def _priced() -> Iterable[tuple[str, str]]:
    """Give providers and models that have a price here."""
    import os

    from outlay import process
    from outlay.core.errors import OutlayError
    from outlay.home import working_folder
    from outlay.settings import load

    try:
        return process.use(process.resolved(load(os.environ, working_folder()))).book().models()
    except OutlayError:  # the command itself says what is wrong
        return []


def _tags(ctx: click.Context, typed: str) -> list[str]:
    """Give the tags that begin so; none where that is not the beginning of a tag."""
    if not typed.startswith(_TAG):
        return []
    return [f"{_TAG}{name}" for name in _held(ctx, _TAG, typed.removeprefix(_TAG))]


def _held(ctx: click.Context, dimension: str, start: str) -> list[str]:
    """Give what calls have in a dimension."""
    from outlay.ledger.offered import offered

    return [
        name
        for name in _offered(ctx, lambda folder: offered(folder, dimension, start))
        if _PLAIN.fullmatch(name)
    ]


def _offered(ctx: click.Context, ask: "Callable[[Path], list[str]]") -> list[str]:
    """Ask the folder of an embedded ledger; of a server nothing is asked."""
    import os
    from pathlib import Path

    from outlay.core.addresses import is_path, named
    from outlay.core.errors import OutlayError
    from outlay.home import working_folder
    from outlay.settings import load

    typed = getattr(ctx.obj, "ledger", None)
    try:
        environ = {**os.environ, **({"OUTLAY_LEDGER": named(typed)} if typed else {})}
        settings = load(environ, working_folder())
        if settings.ledger is not None and not is_path(settings.ledger):
            return []
        return ask(Path(settings.ledger.strip()).expanduser() if settings.ledger else settings.home)
    except (OutlayError, OSError, ValueError):  # the command itself says what is wrong
        return []


def _items(values: Iterable[str], kind: str = "plain") -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(value, type=kind) for value in values]
