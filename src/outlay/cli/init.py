"""``outlay init``: a first outlay.toml, and what to do next."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outlay.cli.options import data_options, state_of
from outlay.home import default_home

if TYPE_CHECKING:
    from outlay.settings import Settings  # loaded when the command runs


@click.command
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@data_options
@click.pass_context
def init(ctx: click.Context, folder: Path) -> None:
    """Write a commented outlay.toml, and say what to do next.

    It goes into FOLDER, by default this one. Every setting stands in it with its meaning and its default,
    commented out. With --ledger that line is set. A file that is there already is never touched.
    """
    from outlay.cli.session import settings_of, show, show_json
    from outlay.cli.settings_file import settings_text

    state = state_of(ctx)
    above = settings_of(state)
    file = folder / "outlay.toml"
    default = default_home()
    _write_new(file, settings_text(default, state.ledger))
    notes, step = list(_notes(above, file)), _next(above)
    if state.json:
        show_json({"file": str(file.absolute()), "notes": notes, "next": step})
        return
    but = "but the ledger" if state.ledger else "so that nothing has changed yet"
    show(f"{file} is written; all of it is commented out, {but}")
    for note in notes:
        show(f"note: {note}")
    show(f"next: {step}")


def _write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet; what could be written in part is taken away again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            try:
                out.write(text)
                out.flush()
            except OSError:
                file.unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise click.ClickException(f"{file} is there already, and nothing was written; edit it") from None


def _notes(above: "Settings", file: Path) -> Iterator[str]:
    from urllib.parse import urlsplit

    from outlay.core.addresses import is_path

    if above.file is not None:
        yield f"from here on {file} counts alone, and {above.file} no more"
    if above.ledger and not is_path(above.ledger) and urlsplit(above.ledger).password:
        yield "the ledger's URL holds a password: keep this file out of version control, or set OUTLAY_LEDGER"


def _next(settings: "Settings") -> str:
    """Say the one thing to do: record something, by an SDK that is there or without any."""
    from outlay import process

    there = [each.package for each in process.use(settings).hooks.status() if each.version is not None]
    if there:
        return "outlay run your_program.py records its calls; outlay report then shows what they cost"
    return "outlay demo --no-sleep records a few mock calls, as no SDK is installed here; then outlay report"
