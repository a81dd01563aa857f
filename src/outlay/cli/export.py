"""``outlay export``: calls out of the ledger as CSV, JSON lines or Parquet."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from outlay.cli.options import data_options, period_options, state_of
from outlay.cli.words import files

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.core.ports import Ledger
    from outlay.core.query import Rows
    from outlay.core.record import Record
    from outlay.report import LedgerReader

_PAGE = 5_000


@click.command
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "parquet"]), required=True,
              help="JSON lines lose nothing; Parquet has a folder for each day.")  # fmt: skip
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    shell_complete=files,
    help="A new file, for Parquet a new folder; else the output.",
)
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most so many calls, the newest.")
@period_options
@data_options
@click.pass_context
def export(ctx: click.Context, /, *, form: str, output: str | None, tz: str | None, **question: Any) -> None:
    """Calls out of the ledger: CSV, JSON lines or Parquet.

    Newest first. A file or folder that is there already is never written over. JSON lines hold every cost
    that a call has had; the others hold the newest. Calls that are kept as daily totals alone are in none.
    """
    from outlay.cli.rolled import tell_rolled
    from outlay.cli.session import reader_of, settings_of, show_json
    from outlay.report.rolled import rolled_json

    if form == "parquet" and output is None:
        raise click.UsageError("say where the folder goes: --output FOLDER", ctx)
    if output is None and state_of(ctx).json:
        raise click.UsageError("--json tells what was written; it goes with --output", ctx)
    settings = settings_of(state_of(ctx))
    with reader_of(settings) as reader:
        asked = {**question, "tz": tz or settings.tz}
        reader.calls_query(**asked)  # one that cannot be is refused before a heading is written
        if form == "parquet" and output is not None:
            count = _write_parquet(Path(output), reader, asked)
        else:
            count = _write(form, output, reader, asked)
        rolled = _left_out(reader, asked, count)
    if state_of(ctx).json:
        show_json({"format": form, "output": output, "calls": count, **rolled_json(rolled)})
    else:
        _tell(output, count)
        tell_rolled(state_of(ctx), reader, asked, rolled)


def _left_out(reader: "LedgerReader", asked: "Mapping[str, Any]", count: int) -> "Rows":
    """Count the calls asked for that are daily totals, which are older than all others."""
    from outlay.cli.rolled import nothing_rolled, rolled_of

    return nothing_rolled() if count == asked["limit"] else rolled_of(reader, asked)


def _tell(output: str | None, count: int) -> None:
    """Say on standard error what was written to a file."""
    from outlay.render.cells import many

    if output is not None:
        click.echo(f"{many(count, 'call')} written to {output}", err=True)


def _write_parquet(folder: Path, reader: "LedgerReader", asked: "Mapping[str, Any]") -> int:
    """Let the ledger's own engine write the files where it can, in a tenth of the time."""
    from outlay.core.copying import Copying

    if isinstance(reader.ledger, Copying):
        return reader.ledger.write_parquet(reader.calls_query(**asked), folder)
    from outlay.ledger.parquet import write_parquet

    return write_parquet(reader.each(**asked), folder)


def _write(form: str, output: str | None, reader: "LedgerReader", asked: "Mapping[str, Any]") -> int:
    from outlay.core.copying import Copying

    count = 0
    with _target(output) as out:
        if form == "csv":
            pages = _csv(reader, asked)
        elif isinstance(reader.ledger, Copying):
            pages = reader.ledger.transcribed(reader.calls_query(**asked))
        else:
            pages = _jsonl(reader.each(**asked), reader.ledger)
        with _progress(output, reader, asked) as advance:
            for calls, piece in pages:
                count += calls
                out.write(piece)
                advance(calls)
    return count


@contextmanager
def _progress(
    output: str | None, reader: "LedgerReader", asked: "Mapping[str, Any]"
) -> Iterator["Callable[[int], None]"]:
    """Show a bar on a terminal, but not among calls that are shown there themselves; else nothing."""
    if output is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    found = reader.rows(detail="counts", **{name: asked[name] for name in asked if name != "limit"})
    there = found.total["calls"] - found.rolled
    total = there if asked["limit"] is None else min(there, asked["limit"])
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("writing", total=total)
        yield lambda calls: bar.advance(task, calls)


def _csv(reader: "LedgerReader", asked: "Mapping[str, Any]") -> Iterator[tuple[int, bytes]]:
    from outlay.core.copying import Copying
    from outlay.render.calls_csv import csv_heading, csv_lines
    from outlay.report.flat import COLUMNS

    yield 0, csv_heading().encode()
    if isinstance(reader.ledger, Copying):
        yield from reader.ledger.tabled(reader.calls_query(**asked), tuple(COLUMNS), csv_lines)
        return
    for line in csv_lines(reader.each(**asked)):
        yield 1, line.encode("utf-8", "replace")


def _jsonl(calls: "Iterator[Record]", ledger: "Ledger") -> Iterator[tuple[int, bytes]]:
    from outlay.journal import line_of
    from outlay.ledger.transcript import as_recorded

    while page := list(islice(calls, _PAGE)):
        costs = ledger.histories([call.id for call in page])
        yield len(page), b"".join(map(line_of, as_recorded(page, costs)))


@contextmanager
def _target(output: str | None) -> Iterator[BinaryIO]:
    """Give where the data go: standard output, or a new file that appears when all is written."""
    from outlay.cli.session import check_folder
    from outlay.core.errors import SettingsError
    from outlay.core.located import located
    from outlay.journal.locks import hold

    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    if path.exists():
        raise SettingsError(f"{path} is there already; name a new file")
    check_folder(path)
    _sweep(path)
    unfinished = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    try:
        with located(path), unfinished.open("xb") as file:
            hold(file.fileno())
            yield file
        try:
            _name(unfinished, path)
        except FileExistsError:
            raise SettingsError(f"{path} is there already; name a new file") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what exports to the same place left that were killed; one that runs holds its file."""
    from outlay.journal.locks import is_live
    from outlay.ledger.leftovers import is_ours

    unfinished = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]+\.part")
    with suppress(OSError):  # another export is there first, or the folder is not to be listed
        for each in path.parent.iterdir():
            if unfinished.fullmatch(each.name) and is_ours(each) and not is_live(each):
                each.unlink()


def _name(unfinished: Path, path: Path) -> None:
    """Give a finished file its name, unless somebody has taken that meanwhile.

    Raises:
        FileExistsError: somebody has.
    """
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: take the name first, then fill it
        path.open("xb").close()
        unfinished.replace(path)
