"""``outlay run``: a Python program with every supported SDK instrumented, otherwise unchanged."""

import atexit
import os
import sys
from dataclasses import dataclass, replace
from typing import Any

import click

from outlay.cli.options import data_options, pairs, state_of
from outlay.cli.words import files
from outlay.running import die_interrupted, hand_down


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
@click.argument(
    "program",
    metavar="PROGRAM [ARGS] | -m MODULE [ARGS]",
    shell_complete=files,
    nargs=-1,
    type=click.UNPROCESSED,
)
@click.pass_context
def run(ctx: click.Context, /, *, tags: dict[str, str], program: tuple[str, ...]) -> int:
    """Run a Python program, unchanged, and record its calls.

    PROGRAM is a file, or a Python command such as gunicorn or pytest. Python processes that it starts are
    recorded too. Output, exceptions, signals and the exit code are the program's own. What its calls cost is
    shown at the end on standard error, if that is a terminal.
    """
    from outlay.cli.program import INTERRUPTED, check_module, check_program, start_file, start_module

    module = program[:1] == ("-m",)
    name, *args = (program[1:] if module else program) or ("",)
    if not name:
        raise click.UsageError("name a module after -m" if module else "name a program, or -m MODULE", ctx)
    (check_module if module else check_program)(name)  # before anything is hooked or handed down
    end = _End(os.getpid())
    # First of all exit handlers, so that it runs after the program's own, and after its threads.
    atexit.register(end)
    _record_everything(ctx, tags, end)
    code = (start_module if module else start_file)(name, args)
    end.interrupted = code == INTERRUPTED
    return code


def _record_everything(ctx: click.Context, tags: dict[str, str], end: "_End") -> None:
    from outlay import process
    from outlay.cli.session import settings_of
    from outlay.cli.tally import Tally
    from outlay.journal.endings import drain_when_terminated

    settings = replace(settings_of(state_of(ctx), tags), run=os.urandom(4).hex())
    here = process.use(settings)
    recorder = here.recorder()
    end.settings = settings
    end.tally = recorder.sink = Tally(recorder.sink)
    here.hooks.watch(include_usage=settings.include_usage)
    hand_down(settings, os.environ)
    drain_when_terminated(here.bring_home)


_CLIENTS = (
    'what asks a provider by requests alone needs outlay.instrument("requests") in it,'
    " and so do httpx and aiohttp, by their names"
)


@dataclass(slots=True)
class _End:
    """The end of the program: the last calls reach the disk, and a person learns what it cost."""

    started_by: int
    settings: Any = None
    tally: Any = None
    interrupted: bool = False

    def __call__(self) -> None:
        """Run at exit, in forked children too."""
        try:
            self._end()
        finally:
            if self.interrupted:
                die_interrupted()

    def _end(self) -> None:
        from outlay.journal.endings import DRAIN_SECONDS

        if self.tally is not None:
            if not self.tally.flush(DRAIN_SECONDS):
                click.echo("outlay: some calls may not be on disk yet; see outlay doctor", err=True)
            if os.getpid() == self.started_by and sys.stderr is not None and sys.stderr.isatty():
                self._tell()

    def _tell(self) -> None:
        """Say what the program cost, the calls of its child processes included."""
        self.tally.add_journals(self.settings.journal, self.settings.run)
        summary = self.tally.summary()
        if summary.total.calls:
            from outlay.render.summary import summary_text

            click.echo(summary_text(summary), err=True)
        elif not self.tally.unread:
            click.echo(f"outlay: no calls were seen; {_CLIENTS}", err=True)
        if self.tally.unread:
            click.echo("outlay: child processes recorded more; outlay report has all of it", err=True)
