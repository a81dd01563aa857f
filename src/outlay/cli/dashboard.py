"""``outlay dashboard``: where the money goes, live, as a picture or as a page."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, period_options, state_of
from outlay.cli.words import dimensions, files

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.report import LedgerReader
    from outlay.report.picture import Picture

_NEEDED = ("streamlit", "plotly")  # Streamlit itself starts without the second, and fails at the first chart

_NO_EXPORT = {"STREAMLIT_CLIENT_DISABLE_DATA_EXPORT": "true"}  # it would write floats for money


@click.command
@click.option(
    "--png",
    metavar="FILE",
    shell_complete=files,
    help="Write the 2x2 picture, 1200 by 800; needs the extra png.",
)
@click.option(
    "--html",
    metavar="FILE",
    shell_complete=files,
    help="Write one page with filters, which works offline; needs the extra html.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="The live dashboard's port.  [default: 8501]")
@click.option(
    "--feature",
    metavar="D",
    shell_complete=dimensions,
    help="The dimension that is a feature on the page: query_type, tag:NAME.",
)
@period_options
@data_options
@click.pass_context
def dashboard(
    ctx: click.Context,
    /,
    *,
    png: str | None,
    html: str | None,
    feature: str | None,
    port: int | None,
    tz: str | None,
    **question: Any,
) -> int:
    """Where the money goes: live, as a picture, or as a page.

    Without options a live dashboard starts, on this machine alone, until Ctrl-C; it needs the extra
    dashboard. The picture has daily cost, cost by model, latency distribution and success rate; the page also
    users, features, tokens, agents and the dearest calls, with filters. --json prints the picture's figures.
    """
    from outlay.cli.session import check_typed, reader_of, settings_of, show_json
    from outlay.report.picture import picture_of

    settings = settings_of(state_of(ctx))
    if png is None and html is None and not state_of(ctx).json:
        if any(question.values()) or feature or tz:
            raise click.UsageError(
                "the live dashboard has its own filters; they go with --png and --html", ctx
            )
        check_typed(settings)
        if port is not None:  # without one Streamlit looks for a free one itself
            _check_free(ctx, port)
        return _serve(state_of(ctx).ledger, port)
    question["tz"] = tz or settings.tz
    with reader_of(settings) as reader:
        picture = picture_of(reader, **question)
        saved = list(_saved(reader, picture, png, html, feature, question))
    if state_of(ctx).json:
        show_json(picture.to_dict())
    else:
        for path in saved:
            click.echo(f"Dashboard saved to {path}")
    return 0


def _check_free(ctx: click.Context, port: int) -> None:
    """Refuse a port that cannot be had.

    Raises:
        click.UsageError: another program listens there, or this user may not.
    """
    import socket

    with socket.socket() as trial:
        if os.name == "posix":  # as the server itself asks for it: one that has just ended is no hindrance
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("localhost", port))
        except OSError as error:
            said = f"port {port} cannot be had ({error.strerror}); without --port a free one is found"
            raise click.UsageError(said, ctx) from None


def _serve(ledger: str | None, port: int | None) -> int:
    """Run Streamlit on our app, which listens on this machine alone; give the code it ends with."""
    from importlib.util import find_spec

    from outlay.core.errors import MissingExtraError

    app = find_spec("outlay.contrib.streamlit_app")
    missing = next((package for package in _NEEDED if find_spec(package) is None), None)
    if missing or app is None or app.origin is None:
        raise MissingExtraError.of("dashboard", missing or _NEEDED[0])
    flags = ["--server.address=localhost", "--browser.gatherUsageStats=false", "--client.toolbarMode=minimal"]
    flags += [] if port is None else [f"--server.port={port}"]
    flags += [] if sys.stdout.isatty() else ["--server.headless=true"]
    environ = {**os.environ, **_NO_EXPORT, **({"OUTLAY_LEDGER": ledger} if ledger else {})}
    command = [sys.executable, "-m", "streamlit", "run", app.origin, *flags]
    if os.name == "posix":  # this process becomes the server, so that whoever ends it ends the server
        os.execve(sys.executable, command, environ)  # noqa: S606 - our own app
    try:
        return subprocess.run(command, env=environ, check=False).returncode  # noqa: S603 - our own app
    except KeyboardInterrupt:
        return 0


def _saved(
    reader: "LedgerReader",
    picture: "Picture",
    png: str | None,
    html: str | None,
    feature: str | None,
    question: dict[str, Any],
) -> Iterator[str]:
    from outlay.cli.session import replace_file

    if png is not None:
        from outlay.render.png import png_bytes

        replace_file(Path(png), png_bytes(picture))
        yield png
    if html is not None:
        from outlay.render.html import html_text
        from outlay.report.page import page_of

        page = page_of(reader, feature=feature, **question)
        replace_file(Path(html), html_text(page).encode("utf-8", "replace"))
        yield html
