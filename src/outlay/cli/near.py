"""What to write in place of a command or an option that is not there."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import takewhile
from types import MappingProxyType

import click
from click.exceptions import NoArgsIsHelpError, NoSuchOption

_OPTIONS: Mapping[str, str] = MappingProxyType(
    {"help": "write outlay --help, or outlay COMMAND --help", "version": "write outlay --version"}
)
"""Of words that other programs take for a command."""

_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "--from": "--since",
        "--start": "--since",
        "--to": "--until",
        "--end": "--until",
        "--group-by": "--by",
        "--filter": "--where",
        "--sort": "--order",
        "--timezone": "--tz",
    }
)
"""What options are called elsewhere, and here."""


class NearGroup(click.Group):
    """A group that answers a subcommand which does not exist with the nearest name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"no command {name!r}; {_instead(name, known)}", ctx)
        return super().resolve_command(ctx, args)


def refuse_empty(args: Iterable[str]) -> None:
    """Refuse an empty word, as a variable of the shell that is not set leaves it.

    It would be taken for what counts where the option is left out: the usual ledger for ``--ledger ""``.
    ``--by`` may be empty, for the total alone; what follows ``run`` is the program's.

    Raises:
        UsageError: there is one.
    """
    before = ""
    for word in args:
        if word == "run":
            return
        if not word and before != "--by":
            where = f"after {before} " if before else ""
            raise click.UsageError(f"there is an empty word {where}where a value belongs")
        name, sign, value = word.partition("=")
        if sign and not value and name.startswith("--") and name != "--by":
            raise click.UsageError(f"there is nothing after {word} where a value belongs")
        before = word


def refuse_no_text(args: Iterable[str]) -> None:
    """Refuse a word whose bytes are no text, which no ledger could look for or keep.

    A file may have such a name; what follows ``run`` is the program's.

    Raises:
        UsageError: there is one.
    """
    for word in takewhile("run".__ne__, args):
        if not word.isascii() and not _is_text(word) and not os.path.lexists(word):
            raise click.UsageError(f"{word!r:.60} is no text in UTF-8")


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def wrong(error: click.UsageError, command: str) -> str:
    """Say what is wrong with a command line, and whose help tells more: by default that command's."""
    where = command if error.ctx is None else error.ctx.command_path
    return f"{_said(error)} (see {where} --help)"


def _said(error: click.UsageError) -> str:
    if isinstance(error, NoArgsIsHelpError) and isinstance(error.ctx.command, click.Group):
        return f"name one of {', '.join(error.ctx.command.list_commands(error.ctx))}"
    if isinstance(error, NoSuchOption) and error.ctx is not None and (better := _option(error, error.ctx)):
        return f"no option {error.option_name}; write {better}"
    return error.format_message().replace(" range.", ".")  # click's words: "is not a valid integer range."


def _option(error: NoSuchOption, ctx: click.Context) -> str | None:
    """Give what that command has for an option of others, or for a dimension."""
    from outlay.core.query import DIMENSIONS

    has = {name for param in ctx.command.params for name in param.opts}
    dimension = error.option_name.lstrip("-").replace("-", "_")
    if "--where" in has and dimension in DIMENSIONS:
        return f"--where {dimension}=VALUE"
    other = _ELSEWHERE.get(error.option_name)
    return other if other in has else None


def _instead(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return _OPTIONS.get(name) or (f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}")
