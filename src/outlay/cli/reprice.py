"""``outlay reprice``: recorded calls priced again by today's book, corrections beside what was recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, period_options, state_of
from outlay.core.errors import JournalError

if TYPE_CHECKING:  # loaded when the command runs: --help needs none
    from outlay.core.ports import Sink
    from outlay.core.record import Revision
    from outlay.pricing.reprice import Repricing
    from outlay.render.as_table import Page

_BATCH = 5_000  # revisions handed to the journal before it is waited for
_PATIENCE = 60.0


@click.command
@click.option("--dry-run", is_flag=True, help="Show the difference, write nothing.")
@period_options
@data_options
@click.pass_context
def reprice(ctx: click.Context, /, *, dry_run: bool, tz: str | None, **question: Any) -> None:
    """Price recorded calls again by today's book.

    Each is priced at its own instant. What differs becomes a revision: it counts from then on, and the
    recorded cost stays beside it. Costs that a provider stated are left as they are. Calls that had no price
    are filled where one is known now.
    """
    from outlay import process
    from outlay.cli.rolled import rolled_of, tell_rolled
    from outlay.cli.session import page_of_terminal, reader_of, settings_of, show, show_json
    from outlay.core.query import zone
    from outlay.pricing.reprice import Repricing
    from outlay.report.rolled import rolled_json

    if question["since"] is None:
        raise click.UsageError("say from when on, such as --since 30d or --since 2026-11-01", ctx)
    settings = settings_of(state_of(ctx))
    here = process.use(settings)
    shown_in = tz or settings.tz
    found, asked = Repricing(zone(shown_in)), {**question, "tz": shown_in}
    with reader_of(settings) as reader:
        calls = reader.each(**asked)
        revisions = found.revisions(calls, here.book(), datetime.now(UTC))
        written = _counted(revisions) if dry_run else _written(revisions, here.recorder().sink)
        reader.conflicts()  # any question takes in what is in the journal
        rolled = rolled_of(reader, asked)
    if state_of(ctx).json:
        show_json({"dry_run": dry_run, "written": 0 if dry_run else written, **found.counts(),
                   "rows": found.rows(), "totals": found.totals(), **rolled_json(rolled)})  # fmt: skip
    else:
        show("\n".join(_lines(found, page_of_terminal(), dry_run=dry_run)))
        tell_rolled(state_of(ctx), reader, asked, rolled)


def _counted(revisions: "Iterator[Revision]") -> int:
    return sum(1 for _ in revisions)


def _written(revisions: "Iterator[Revision]", sink: "Sink") -> int:
    """Hand revisions to the journal, and wait for it now and then, so that none is dropped."""
    count = 0
    for revision in revisions:
        sink.append(revision)
        count += 1
        if count % _BATCH == 0:
            _confirm(sink)
    _confirm(sink)
    return count


def _confirm(sink: "Sink") -> None:
    if not sink.flush(_PATIENCE):
        raise JournalError("not every revision could be written to the journal; run it again for the rest")


def _lines(found: "Repricing", page: "Page", *, dry_run: bool) -> Iterator[str]:
    from outlay.render.cells import many

    counts = found.counts()
    if found.changed:
        yield _table(found, page)
    dearer_or_not = many(found.changed, "costs", "cost")
    yield f"{many(counts['calls'], 'call')} looked at, {dearer_or_not} something else now"
    if counts["filled"]:
        yield f"{counts['filled']:,} of them had no price"
    if counts["stated"]:
        stay = many(counts["stated"], "stays as it was", "stay as they were")
        yield f"{stay} stated by the provider or the caller"
    if counts["known_no_more"]:
        stay = many(counts["known_no_more"], "stays as it is", "stay as they are")
        yield f"{stay}: the book knows less of it than it did"
    if counts["unpriced"]:
        yield f"{many(counts['unpriced'], 'has', 'have')} no price still"
    if found.changed:
        yield (
            "nothing was written (--dry-run)"
            if dry_run
            else many(found.changed, "revision was", "revisions were") + " written"
        )


def _table(found: "Repricing", page: "Page") -> str:
    from outlay.render.as_table import Column, table
    from outlay.render.cells import count, dollars, name

    rows = found.rows()
    totals = found.totals()
    ends = totals if len(totals) == 1 else []
    shown = [*rows, *ends]
    blank = ("",) * len(ends)
    columns = [
        Column("day", (*(row["day"] for row in rows), *("total" for _ in ends)), text=True),
        Column("provider", (*(name(row["provider"]) for row in rows), *blank), text=True, spare=4),
        Column("model", (*(name(row["model"]) for row in rows), *blank), text=True),
        Column("calls", tuple(count(row["calls"]) for row in shown), spare=2),
        Column("had no price", tuple(count(row["filled"]) for row in shown), spare=3),
        Column("before", tuple(dollars(row["before"], row["currency_before"]) for row in shown), spare=1),
        Column("after", tuple(dollars(row["after"], row["currency"]) for row in shown)),
        Column("difference", tuple(_difference(row) for row in shown)),
    ]
    return table(columns, page, total=bool(ends))


def _difference(row: dict[str, Any]) -> str:
    from outlay.render.cells import MISSING, signed

    return MISSING if row["difference"] is None else signed(row["difference"], row["currency"])
