"""The root command, whose subcommands load when used, and the one place where errors become exit codes."""

import os
import sys
from collections.abc import Sequence
from errno import ENOSPC
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NamedTuple

import click

from outlay.cli.held import let_go
from outlay.cli.manual import HELP, epilog, with_manual
from outlay.cli.near import NearGroup, refuse_empty, refuse_no_text, wrong
from outlay.cli.options import data_options
from outlay.core.errors import ImportFileError, OutlayError, PriceFileError, QueryError, SettingsError

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
_WRONG = (QueryError, SettingsError, PriceFileError, ImportFileError)  # what was typed, or such a file
_GOES_ON = "; what was done till then is kept, and the same command does the rest"
_STANDS = {"import": _GOES_ON, "ship": _GOES_ON, "reprice": _GOES_ON, "compact": "; the ledger is as it was"}
"""What an interrupted command leaves behind, where that is not plain."""


class Entry(NamedTuple):
    """Where a subcommand is, and the line that the root's help shows for it without loading it."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "init": Entry("init", "init", "Write a commented outlay.toml, and say what to do next."),
    "demo": Entry("demo", "demo", "Record a few mock calls and show what they cost."),
    "run": Entry("run", "run", "Run a Python program, unchanged, and record its calls."),
    "report": Entry("report", "report", "Totals and breakdowns of what was recorded."),
    "top": Entry("top", "top", "The dearest or slowest calls, users, sessions, features."),
    "users": Entry("groups", "users", "What each user costs."),
    "trend": Entry("times", "trend", "What changes from one hour, day, week or month to the next."),
    "forecast": Entry("times", "forecast", "Where this month's cost is going, and the days that stand out."),
    "latency": Entry(
        "groups", "latency", "How long calls take, how soon they begin to answer, and the slow ones."
    ),
    "errors": Entry("groups", "errors", "Which calls fail, on which models, and the money they cost."),
    "cache": Entry("groups", "cache", "How often input comes from a cache, what that saved and could."),
    "quality": Entry("groups", "quality", "How good the answers are said to be, beside what they cost."),
    "economics": Entry(
        "groups", "economics", "What a call, a user, a session, a success and a right answer cost."
    ),
    "savings": Entry("savings", "savings", "The few changes that would have made your calls cheaper."),
    "calls": Entry("calls", "calls", "Single calls, newest first."),
    "explain": Entry("calls", "explain", "How the cost of one call came about, line by line."),
    "price": Entry("price", "price", "Price recorded responses: JSON lines in, JSON lines out."),
    "prices": Entry("prices", "prices", "The price book, and prices of your own."),
    "reprice": Entry("reprice", "reprice", "Price recorded calls again by today's book."),
    "whatif": Entry("whatif", "whatif", "The same usage on other models or tariffs."),
    "review": Entry("review", "review", "The week's letter: what it cost, what changed, what to do."),
    "watch": Entry("watch", "watch", "Calls and spend as they happen, from the journals."),
    "dashboard": Entry("dashboard", "dashboard", "Where the money goes: live, as a picture, or as a page."),
    "import": Entry("import_", "import_", "Bring calls from logs and exports of others into the ledger."),
    "sql": Entry("sql", "sql", "A SELECT of your own over the recorded calls."),
    "export": Entry("export", "export", "Calls out of the ledger: CSV, JSON lines or Parquet."),
    "ship": Entry("ship", "ship", "Ship what journals hold to the ledger of a server."),
    "ledger": Entry("ledger", "ledger", "Keep house where calls are kept."),
    "alerts": Entry("alerts", "alerts", "Rules of outlay.toml: budgets, dear calls and errors."),
    "doctor": Entry("doctor", "doctor", "What is installed, recorded, pending, lost and unpriced."),
    "completion": Entry("completion", "completion", "The completion script of a shell."),
}


class LazyGroup(NearGroup):
    """A group that imports a subcommand's module when the subcommand is used, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the subcommands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Import one subcommand."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(f"outlay.cli.{entry.module}"), entry.attribute)
        return with_manual(command, f"outlay {cmd_name}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """List the subcommands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value and not ctx.resilient_parsing:
        from outlay import __version__

        click.echo(f"outlay {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=epilog("outlay"),
    context_settings={"help_option_names": HELP},
)
@data_options
@click.option(
    "-V", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show it."
)
@click.pass_context
def root(ctx: click.Context) -> None:
    """Know what every LLM call costs.

    Without a command: today, the last seven days and this month.
    """
    if ctx.invoked_subcommand != "run":  # whose output is the program's
        _take_any_sign()
        _take_no_output()
    if ctx.invoked_subcommand is None:
        from outlay.cli.times import show_overview

        show_overview(ctx)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code: 0 done, 1 failed or the answer is no, 2 wrongly called."""
    code = DONE
    try:
        code = _invoke(args)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_the_rest()
        return FAILED
    except OSError as error:  # a full disk, which is said once
        if code == DONE:
            click.echo(f"outlay: {_one_line(str(_meaning(error)[0]))}", err=True)
        _drop_the_rest()
        return FAILED
    return code


def _invoke(args: Sequence[str] | None) -> int:
    try:
        refuse_empty(sys.argv[1:] if args is None else args)
        refuse_no_text(sys.argv[1:] if args is None else args)
        result: Any = root.main(args=args, prog_name="outlay", standalone_mode=False)
    except BrokenPipeError:
        raise
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error, click.Abort) and error.__cause__ is None:  # at a question
            click.echo(err=True)
        _say_interrupted(sys.argv[1:] if args is None else args)
        return INTERRUPTED
    except Exception as error:
        message, code = _meaning(error, args)
        let_go(message)
        if message is None:
            raise
        click.echo(f"outlay: {_one_line(message)}", err=True)
        return code
    finally:
        let_go()
    return result if isinstance(result, int) else DONE


def _one_line(message: str) -> str:
    """Bring an error to one line, without passwords, nor what could move a terminal's cursor.

    Both may stand in a word that was typed at a wrong place, the latter in the names of files too.
    """
    from outlay.core.addresses import hidden
    from outlay.render.cells import name

    return name(hidden(" ".join(message.split())))


def _say_interrupted(args: Sequence[str]) -> None:
    """Say in one line that the command ended early, and what stands; click has ended the line of ``^C``."""
    stands = "" if "--dry-run" in args else next((_STANDS[word] for word in args if word in _STANDS), "")
    click.echo(f"outlay: interrupted{stands}", err=True)


def _meaning(error: Exception, args: Sequence[str] | None = None) -> tuple[str | None, int]:
    """Say in one line what an error means to who typed the command, and with which code it ends."""
    if isinstance(error, click.UsageError):
        return wrong(error, _named(sys.argv[1:] if args is None else args)), WRONG
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, OutlayError):
        return str(error), WRONG if isinstance(error, _WRONG) else FAILED
    if isinstance(error, OSError):
        where = error.filename or "standard output" if error.errno == ENOSPC else error.filename
        return f"{where}: {error.strerror}" if where else str(error), FAILED
    if os.environ.get("OUTLAY_DEBUG"):
        return None, FAILED
    return f"a fault of outlay's own, {error!r:.200}; OUTLAY_DEBUG=1 shows where", FAILED


def _named(args: Sequence[str]) -> str:
    """Give the command that the line names; click's parser does not always say whose option it was."""
    return " ".join(["outlay", *(word for word in args[:1] if word in COMMANDS)])


def _take_no_output() -> None:
    """Let a closed output take everything, as one that nobody reads."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - to the end


def _take_any_sign() -> None:
    """Let an output that is not UTF-8 show an escape for what it cannot, rather than fail."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_the_rest() -> None:
    """Point standard output away, so that the interpreter's last flush finds no closed pipe either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
