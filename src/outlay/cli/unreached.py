"""Servers that a home was once told to ship to, that never took a line and that nothing names: slips.

A server that is merely away at first is named by settings or by OUTLAY_LEDGER, or a program that another
environment names it to tries it again and again: then it is behind. Of another address nobody can tell
whether there is one, so it is forgotten only where somebody says so: until then the journals are kept for it.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from outlay.core.addresses import is_server, shown
from outlay.core.instants import instant, text_of

if TYPE_CHECKING:  # loaded when the command runs
    from outlay.settings import Settings

Found = Mapping[str, Any]
_QUIET: Final = timedelta(minutes=10)  # a program that ships tries again after a minute at most


def named(settings: "Settings") -> set[str]:
    """Give the servers that this command line, the environment and the settings name, without passwords."""
    from outlay.home import working_folder
    from outlay.settings import load

    ledgers = (settings.ledger, load(os.environ, working_folder()).ledger)
    return {shown(each) for each in ledgers if each is not None and is_server(each)}


def is_one(server: Found, now: datetime) -> bool:
    """Whether a server of a doctor's document is none that anybody names or tries, or that took a line."""
    return _may_be_one(server) and until(_tried(server), now) is None


def _may_be_one(server: Found) -> bool:
    return not server["named"] and bool(server["took_nothing"])


def _tried(server: Found) -> datetime | None:
    tried = server["last_error_at"]
    return None if tried is None else instant(tried)


def until(tried: datetime | None, now: datetime) -> datetime | None:
    """Say until when a program that ships may still try it again; None if none does any more."""
    return None if tried is None or now - tried > _QUIET else tried + _QUIET


def later(server: Found, now: datetime) -> str:
    """Say when a server that was tried just now can be forgotten, if it was a slip; else nothing."""
    end = until(_tried(server), now) if _may_be_one(server) else None
    return "" if end is None else f"; if it was a slip, outlay doctor --acknowledge after {utc_text(end)}"


def told(found: Found, now: datetime) -> Iterator[tuple[str, str]]:
    """Say which there are, and what forgets them."""
    for each in found.get("shipping", ()):
        if is_one(each, now):
            never = f"{each['target']} has never taken a call ({each['last_error']}), and no setting names it"
            yield f"{never}; journals are kept for it", "if it was a slip, outlay doctor --acknowledge"


def spoilt(found: Found) -> Iterator[tuple[str, str]]:
    """Say of which server nobody can read how far it is."""
    for file in found.get("spoilt_progress", ()):
        do = f"move {quote(file)} away; if a program ships there still, it begins anew, each call once"
        yield f"how far a server is cannot be read in {file}; journals are kept for it", do


def spoilt_in(settings: "Settings") -> list[str]:
    """Name the files that say so and cannot be read; none in a folder that is closed to this user."""
    from outlay.ledger.ship import unreadable

    try:
        return [str(each) for each in unreadable(settings.home)]
    except OSError:
        return []


def forget(settings: "Settings", now: datetime) -> tuple[list[str], list[dict[str, Any]]]:
    """Forget these servers; give their addresses, and which others are kept as yet, and until when.

    One is kept that a program may still try, or that something ships to at this moment.

    Raises:
        OSError: a file of theirs cannot be removed.
    """
    from outlay.ledger.ship import Offsets, targets
    from outlay.ledger.ship.turns import Turn

    names, dropped, kept = named(settings), [], []
    for each in targets(settings.home):
        offsets = Offsets(settings.home, each.target)
        if not each.took_nothing or each.target in names:
            continue
        if not (turn := Turn(offsets.lock)).take():
            kept.append({"target": each.target, "tried": None, "until": None})
            continue
        try:
            found = offsets.read()
            tried = found.last_error_at
            if found.took_nothing and tried is not None and (end := until(tried, now)) is not None:
                kept.append({"target": each.target, "tried": text_of(tried), "until": text_of(end)})
            elif found.took_nothing:
                offsets.drop()
                dropped.append(each.target)
        finally:
            turn.give()
    return dropped, kept


def utc_text(moment: datetime) -> str:
    """Show an instant to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
