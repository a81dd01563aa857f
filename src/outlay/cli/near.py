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

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("cost", "costs", "spend", "usage", "summary", "stats"), "report --by model"),
        **{
            name: f"report --by {unit}"
            for name, unit in (("daily", "day"), ("weekly", "week"), ("monthly", "month"))
        },
        **{f"{name}s": f"report --by {name}" for name in ("model", "provider", "session")},
        **dict.fromkeys(("serve", "server", "ui", "web"), "dashboard"),
        **dict.fromkeys(("record", "instrument", "track", "exec"), "run PROGRAM"),
        **dict.fromkeys(("config", "settings", "setup"), "init"),
        **dict.fromkeys(("status", "check"), "doctor"),
        **dict.fromkeys(("budget", "budgets"), "alerts list"),
        **dict.fromkeys(("delete", "clear", "reset", "prune"), "ledger prune"),
        **dict.fromkeys(("update", "upgrade"), "prices update"),
        **dict.fromkeys(("sync", "push"), "ship"),
    }
)
"""What the root's commands are called elsewhere, ccusage's among them, and here."""

_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "--from": "--since",
        "--start": "--since",
        "--to": "--until",
        "--end": "--until",
        "--group-by": "--by",
        "--group": "--by",
        "--filter": "--where",
        "--sort": "--order",
        "--timezone": "--tz",
        "--days": "--since 7d",
        "--last": "--since 7d",
        "--period": "--since 7d",
        "--url": "--ledger",
    }
)
"""What options are called elsewhere, and here."""

_FORMATS = ("--csv", "--json, --csv or --markdown")
_FILES = (("--html", "--png FILE or --html FILE"), ("--csv", "> FILE after it"))
_BY_COMMAND: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {"--format": (_FORMATS,), "-o": _FILES, "--output": _FILES, "--out": _FILES}
)
"""Likewise, where it depends on the command: an option of its own, and what to write if it has that one."""


class NearGroup(click.Group):
    """A group that answers a subcommand which does not exist with the nearest name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            ours = _COMMANDS.get(name) if ctx.parent is None else None
            instead = f"write outlay {ours}" if ours else _instead(name, known)
            raise click.UsageError(f"no command {name!r}; {instead}", ctx)
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
    said = error.format_message().replace(" range.", ".")  # click's words: "is not a valid integer range."
    has = set() if error.ctx is None else _options(error.ctx)
    extra = "--output" in has and said.startswith("Got unexpected extra argument (")
    return f"{said}; write --output FILE" if extra else said


def _options(ctx: click.Context) -> set[str]:
    return {name for param in ctx.command.params for name in param.opts}


def _option(error: NoSuchOption, ctx: click.Context) -> str | None:
    """Give what that command has for an option of others, or for a dimension."""
    from outlay.core.query import DIMENSIONS

    has = _options(ctx)
    dimension = error.option_name.lstrip("-").replace("-", "_")
    if "--where" in has and dimension in DIMENSIONS:
        return f"--where {dimension}=VALUE"
    word = error.option_name
    if word not in _ELSEWHERE and not error.possibilities:
        word = next(iter(get_close_matches(word, _ELSEWHERE, n=1, cutoff=0.8)), word)
    other = _ELSEWHERE.get(word, "")
    if other.partition(" ")[0] in has:
        return other
    return next((better for own, better in _BY_COMMAND.get(error.option_name, ()) if own in has), None)


def _instead(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return _OPTIONS.get(name) or (f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}")
