"""``outlay import``: calls that others recorded, into the ledger; twice the same file changes nothing."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from outlay.cli import words
from outlay.cli.options import data_options, pairs, state_of

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.core.ports import Ledger
    from outlay.importing import Fault, Maker
    from outlay.importing.bulk.reading import Bulk
    from outlay.importing.reading import OneByOne
    from outlay.pricing import Book

_SHOWN = 20  # faults that people are told of; --json has all
FORMATS = ("auto", "csv", "plain", "litellm", "langfuse", "helicone")


@click.command("import")
@click.argument("files", metavar="FILE…", shell_complete=words.files, nargs=-1, required=True)
@click.option("--format", "shape", type=click.Choice(FORMATS), default="auto", show_default=True,
              help="What the rows are; without it each is recognised.")  # fmt: skip
@click.option("--map", "columns", metavar="FIELD=COLUMN", multiple=True,
              help="Where a field stands: model='LLM name', at=When, cost=USD.")  # fmt: skip
@click.option(
    "--tz",
    metavar="ZONE",
    shell_complete=words.zones,
    help="The zone of times without one; else as their tool writes them, or this machine's.",
)
@click.option("--at", "moment", metavar="DATE", help="The time of rows without one.")
@click.option("--provider", metavar="P", shell_complete=words.providers,
              help="The provider where no row names it.")  # fmt: skip
@click.option("--tag", "tags", metavar="K=V", multiple=True, help="A tag for every call.")
@click.option("--dry-run", is_flag=True, help="Read and count, keep nothing.")
@data_options
@click.pass_context
def import_(ctx: click.Context, /, *, files: tuple[str, ...], dry_run: bool, **given: Any) -> int:
    """Bring calls from logs and exports of others into the ledger.

    Read are outlay's own JSON lines, other JSON lines and CSV with a cost, tokens, a latency or an outcome
    under a usual name, a tracker's usage.json, spend logs of LiteLLM, and exports of Langfuse and Helicone; -
    is standard input. Each call keeps the same id however often it is read. A stated cost is kept to the
    digit; others are priced at the call's own time.
    """
    from outlay import process
    from outlay.cli.inputs import EITHER, check_input
    from outlay.cli.session import or_empty, reader_of, settings_of, show, show_json
    from outlay.importing import SHAPES
    from outlay.importing.bulk.layouts import Origin
    from outlay.importing.bulk.reading import way_of, with_engine

    for name in files:  # before the first of them is taken
        check_input(name, EITHER)
    settings = settings_of(state_of(ctx))
    columns = _columns(ctx, given)
    here = process.use(settings)
    done: list[dict[str, Any]] = []
    old = "known already"
    try:
        with (
            reader_of(or_empty(settings) if dry_run else settings, new=True) as reader,
            with_engine(None if dry_run else reader.ledger) as ledger,
        ):
            before = _uncounted(reader.ledger)
            for name in files:
                maker = _maker(here.book(), given, ctx)
                origin = Origin(SHAPES.get(given["shape"]), columns)
                way = way_of(ledger, here.book(), maker, origin)
                done.append(_import_file(name, way, given["shape"] == "csv"))
            if any(each["known"] for each in done):
                old = _tell_uncounted(before, _uncounted(reader.ledger))
    finally:  # a file that cannot be read leaves those before it imported
        if done and state_of(ctx).json:
            show_json({"dry_run": dry_run, "files": done})
        elif done:
            show("\n".join(line for each in done for line in _lines(each, old, dry_run=dry_run)))
    return int(any(each["faults"] for each in done))


def _columns(ctx: click.Context, given: Mapping[str, Any]) -> dict[str, str]:
    """Read in which column each field stands; a shape that is named may have fields of its own."""
    from outlay.importing.plain import NAMES, names_of

    told = pairs(given["columns"], ctx, None)
    known = given["shape"] in {"auto", "csv", "plain"}
    for field, column in told:
        if known and not names_of(field):
            near = get_close_matches(field, NAMES, n=1)
            which = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMES)}"
            raise click.BadParameter(f"--map: a call has no field {field!r:.60}; {which}", ctx)
        if sum(field == other or column == each for other, each in told) > 1:
            raise click.BadParameter(
                f"--map is one column a field, and one field a column; {field}={column} is not alone",
                ctx,
            )
    return dict(told)


def _uncounted(ledger: "Ledger") -> tuple[int, int]:
    """Count the calls that are in no total: late ones, and those in conflict."""
    from outlay.core.ports import Keeping

    if not isinstance(ledger, Keeping):
        return 0, 0
    found = ledger.info()
    return found.late, found.conflicts


def _tell_uncounted(before: tuple[int, int], after: tuple[int, int]) -> str:
    """Say which calls count nowhere, and give what those of a file may be, but for conflicts of before."""
    from outlay.render.cells import many

    may_be = ["known already"]
    late, conflicts = after[0], after[1] - before[1]
    if late:
        what = f"{many(late, 'call')} of days that had been pruned came late, in no total"
        click.echo(f"outlay: {what}; outlay ledger late shows them", err=True)
        may_be.append("late")
    if conflicts > 0:
        what = f"{many(conflicts, 'call')} came with the id of another, in no total"
        why = (
            "imported before with other options, or ids are of more than a call: --map id=COLUMN names others"
        )
        click.echo(f"outlay: {what}: {why}", err=True)
        may_be.append("in conflict")
    return " or ".join(may_be)


def _maker(book: "Book", given: Mapping[str, Any], ctx: click.Context) -> "Maker":
    from functools import lru_cache, partial

    from outlay.core.instants import HERE, instant
    from outlay.core.query import zone
    from outlay.importing import Maker
    from outlay.pricing import cost_of

    @lru_cache(maxsize=1024)
    def maker_of(model: str) -> str | None:
        asked = book.timeline(None, model, ()).asked
        return None if asked is None else asked.provider

    told = zone(given["tz"]) if given["tz"] else None
    at = None if given["moment"] is None else instant(given["moment"], told or HERE)
    return Maker(
        partial(cost_of, book=book),
        zone=told,
        at=at,
        tags=dict(pairs(given["tags"], ctx, None)),
        provider=given["provider"],
        maker_of=maker_of,
    )


def _import_file(name: str, way: "Bulk | OneByOne", table: bool) -> dict[str, Any]:  # noqa: FBT001  # one plain fact
    from outlay.core.errors import ImportFileError

    new, found = 0, 0
    faults: list[Fault] = []
    with _opened(name) as file, _progress(name, file) as source:
        try:
            for step in way.steps(source, table=table):
                found, new = found + step.calls, new + step.new
                faults += step.faults
        except ImportFileError as error:
            raise ImportFileError(f"{name}: {error}") from None
    counts = way.counts
    return {
        "file": name,
        "format": counts.shape,
        "rows": counts.read,
        "calls": found,
        "new": new,
        "known": 0 if way.ledger is None else found - new,
        "skipped": counts.skipped,
        "faults": [{"line": each.number, "reason": each.reason} for each in faults],
    }


def _opened(name: str) -> Any:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _progress(name: str, file: BinaryIO) -> Any:
    """Show how far a file is read, on a terminal; a pipe has no length and no bar."""
    if name == "-" or not sys.stderr.isatty():
        return nullcontext(file)
    import rich.progress
    from rich.console import Console

    return rich.progress.wrap_file(
        file,
        Path(name).stat().st_size,
        description=Path(name).name,
        console=Console(stderr=True),
        transient=True,
    )


def _lines(done: Mapping[str, Any], old: str, *, dry_run: bool) -> Iterator[str]:
    from outlay.render.cells import many, name

    faults = done["faults"]
    told = [many(done["calls"], "call") + ("" if dry_run else f", {done['new']:,} new")]
    told += [f"{done['known']:,} {old}"] if done["known"] else []
    about = done["rows"] - done["skipped"] - len(faults)
    if done["format"] == "outlay" and about and not done["calls"]:
        told.append(many(about, "line of a score, cost or loss", "lines of scores, costs or losses"))
    told += (
        [many(done["skipped"], "row that is no call", "rows that are no calls")] if done["skipped"] else []
    )
    told += [many(len(faults), "bad row")] if faults else []
    told += [] if done["rows"] or done["format"] else ["no row stands in it"]
    kind = f" ({done['format']})" if done["format"] else ""
    yield f"{name(done['file'])}{kind}: {', '.join(told)}" + (" (dry run)" if dry_run else "")
    for fault in faults[:_SHOWN]:
        yield f"  line {fault['line']}: {name(fault['reason'])}"
    if len(faults) > _SHOWN:
        yield f"  and {len(faults) - _SHOWN:,} more bad rows; --json shows them"
