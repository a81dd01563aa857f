"""``outlay ship --forget``: a server that calls went to once is given up; nothing waits for it any more."""

import os
from pathlib import Path

import click

from outlay.cli.session import tell
from outlay.core.addresses import shown
from outlay.core.errors import JournalError, LedgerError
from outlay.home import working_folder
from outlay.ledger.ship import Offsets, targets
from outlay.ledger.ship.turns import Turn
from outlay.settings import load


def forget_server(ctx: click.Context, home: Path, url: str) -> int:
    """Forget how far a server is; what it has stays there, and journals stay as they are.

    Whoever ships to it later begins with the first line that is left, each call once.

    Raises:
        click.UsageError: the settings name that server, so that calls go on to it.
        LedgerError: this home has never shipped to it, or something does so at this moment.
        JournalError: the file cannot be removed.
    """
    offsets = Offsets(home, url)
    named = load(os.environ, working_folder()).ledger
    if named is not None and shown(named) == offsets.target:
        raise click.UsageError(f"settings say that calls go to {offsets.target}; name another there", ctx)
    if offsets.target not in {each.target for each in targets(home)}:
        raise LedgerError(f"{home} ships nothing to {offsets.target}; outlay doctor names its servers")
    if not (turn := Turn(offsets.lock)).take():
        raise LedgerError(f"something ships to {offsets.target} at this moment; end it first")
    try:
        offsets.drop()
    except OSError as error:
        raise JournalError(f"{offsets.file} cannot be removed: {error.strerror or error}") from error
    finally:
        turn.give()
    letters = str(offsets.dead_letters) if offsets.dead_letters.exists() else None
    text = f"{offsets.target} is forgotten; what it has stays there"
    text += "" if letters is None else f", and lines that it refused in {letters}"
    tell(ctx, {"forgotten": offsets.target, "dead_letters": letters}, text)
    return 0
