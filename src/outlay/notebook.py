"""``%load_ext outlay``: a notebook's calls are recorded, and ``%outlay`` shows what they cost so far."""

from typing import Any

from outlay import process
from outlay.core.errors import OutlayError


def load_ipython_extension(shell: Any) -> None:
    """Record the calls of every supported SDK in this notebook, on ``%load_ext outlay``."""
    here = process.current()
    here.hooks.watch(include_usage=here.settings.include_usage)
    shell.register_magic_function(show, "line", "outlay")


def unload_ipython_extension(shell: Any) -> None:
    """Take the hooks out again, on ``%unload_ext outlay``."""
    process.current().hooks.uninstrument()
    shell.magics_manager.magics["line"].pop("outlay", None)


def show(line: str) -> None:
    """Show a report: ``%outlay`` by model, ``%outlay user,day`` by these, ``%outlay day 7d`` of that time."""
    from outlay.render.as_table import Page  # noqa: PLC0415 - only where it is asked for
    from outlay.render.reports import report_text  # noqa: PLC0415 - likewise

    by, since, *rest = (*line.split(), "", "")
    if any(rest):
        print(f"outlay: {rest[0]!r} is one word too many; write %outlay user,day 7d")  # noqa: T201 - as below
        return
    try:
        with process.current().open() as reader:
            report = reader.report(by or "model", since=since or None)
    except OutlayError as error:
        print(f"outlay: {error}")  # noqa: T201 - what a cell shows is what is printed
        return
    print(report_text(report, Page()))  # noqa: T201 - likewise
