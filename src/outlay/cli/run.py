"""``outlay run``: a Python program with every supported SDK instrumented, otherwise unchanged."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import click

from outlay.cli.options import data_options, pairs, state_of

_DRAIN_SECONDS = 5.0


class ProgramCommand(click.Command):
    """A command whose own options end where the program begins; all that follows is the program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set the program and its arguments apart before click looks for options in them."""
        start = self._program_at(ctx, args)
        if start < len(args) and args[start] == "--":
            del args[start]
        return super().parse_args(ctx, [*args[:start], "--", *args[start:]])

    def _program_at(self, ctx: click.Context, args: list[str]) -> int:
        takes_value = {
            name
            for option in self.get_params(ctx)
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        place = 0
        while place < len(args):
            word = args[place]
            if word in ("--", "-m") or not word.startswith("-"):
                return place
            place += 2 if word in takes_value else 1
        return place


def _tags(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    return dict(pairs(texts, ctx, param))


@click.command(cls=ProgramCommand, options_metavar="[OPTIONS]")
@click.option("--tag", "tags", metavar="K=V", multiple=True, callback=_tags, help="Put a tag on every call.")
@data_options
@click.argument("program", metavar="PROGRAM [ARGS] | -m MODULE [ARGS]", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(ctx: click.Context, /, *, tags: dict[str, str], program: tuple[str, ...]) -> int:
    """Run a Python program, unchanged, and record its calls.

    Output, exceptions and the exit code are the program's own. What its calls cost is shown at the end on
    standard error, if that is a terminal.
    """
    from outlay.cli.program import start_file, start_module

    module = program[:1] == ("-m",)
    name, *args = (program[1:] if module else program) or ("",)
    if not name:
        raise click.UsageError("name a module after -m" if module else "name a program, or -m MODULE", ctx)
    _record_everything(ctx, tags)
    return (start_module if module else start_file)(name, args)


def _record_everything(ctx: click.Context, tags: dict[str, str]) -> None:
    from outlay import process
    from outlay.cli.session import settings_of
    from outlay.cli.tally import Tally

    here = process.use(settings_of(state_of(ctx), tags))
    recorder = here.recorder()
    tally = recorder.sink = Tally(recorder.sink)
    here.hooks.watch(include_usage=here.settings.include_usage)
    os.environ["OUTLAY_RUN"] = "1"
    # Runs after the program's threads have ended and after its own exit handlers.
    atexit.register(_finish, tally, here.flush)
    _drain_when_terminated(here.flush)


def _finish(tally: Any, flush: Callable[[float], bool]) -> None:
    """Bring the last calls to disk, and tell a person what the program cost."""
    if not flush(_DRAIN_SECONDS):
        click.echo("outlay: some calls may not be on disk yet; see outlay doctor", err=True)
    summary = tally.summary()
    if summary.total.calls and sys.stderr is not None and sys.stderr.isatty():
        from outlay.render.summary import summary_text

        click.echo(summary_text(summary), err=True)


def _drain_when_terminated(flush: Callable[[float], bool]) -> None:
    """On SIGTERM write what is in flight, then end by that signal, as the program would have without us."""

    def drain(number: int, _frame: FrameType | None) -> None:
        # In a thread of its own: the interrupted one may hold a lock that flushing needs.
        writer = threading.Thread(target=flush, args=(_DRAIN_SECONDS,), daemon=True)
        writer.start()
        writer.join(_DRAIN_SECONDS)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, drain)
