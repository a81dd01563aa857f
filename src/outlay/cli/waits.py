"""What waits in this home's journals for the server that a command of ``outlay ledger`` asks."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from outlay.cli.options import state_of

if TYPE_CHECKING:  # loaded when a command runs
    from outlay.core.keeping import LedgerInfo
    from outlay.core.ports import Keeping
    from outlay.journal import Waiting


def waits(ctx: click.Context) -> "Waiting | None":
    """Tell what waits in this home's journals for a server; None of one that the home does not ship to."""
    from outlay.cli.session import settings_of
    from outlay.core.addresses import is_server
    from outlay.journal import waiting
    from outlay.ledger.ship import Offsets, targets

    settings = settings_of(state_of(ctx))
    if settings.ledger is None or not is_server(settings.ledger):
        return None
    own = Offsets(settings.home, settings.ledger).read()
    if settings.peek and own.target not in {each.target for each in targets(settings.home)}:
        return None  # only looked at: nothing here was meant for it
    return waiting(settings.journal, own.taken)


def info_of(ctx: click.Context, kept: "Keeping") -> "LedgerInfo":
    """Have the ledger tell how it stands, and of a server also what waits for it here."""
    found, behind = kept.info(), waits(ctx)
    return found if behind is None else replace(found, pending_bytes=behind.bytes)


def waits_text(behind: "Waiting") -> str:
    """Say in a line how much waits."""
    from outlay.render.cells import many

    count = "more lines than can be counted" if behind.entries is None else many(behind.entries, "line")
    wait = "waits" if behind.entries == 1 else "wait"
    return f"{count} ({behind.bytes:,} bytes) {wait} in the journals; outlay doctor says why"
