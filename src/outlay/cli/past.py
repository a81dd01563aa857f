"""What doctor says of the past that nothing cures: losses, faulty lines, conflicts, calls of the future.

What was noted is told no more, as long as there are not more of it; then those that are new are told.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from shlex import quote
from typing import Any, Final

from outlay.cli.noted import UNPRICED, counted
from outlay.render.cells import many

AHEAD: Final = timedelta(minutes=5)  # of a record's instant; hosts are seldom so far apart
CLOCK: Final = "set the clock of that machine: timedatectl set-ntp true"
_NOTE = "outlay doctor --acknowledge"
Found = Mapping[str, Any]


def told(found: Found, now: datetime) -> Iterator[tuple[str, str, str]]:
    """Give the name of each finding, what it is and what to do; ``now`` is aware UTC."""
    noted = {(each["name"], each["why"]): each for each in found.get("noted", {}).get("findings", ())}
    for (name, why), count in counted(found).items():
        if name == UNPRICED:  # a finding of its own
            continue
        before = noted.get((name, why))
        if before is None:
            yield name, *_said(found, name, count, why=why, now=now)
        elif count > before["count"]:
            new, since = count - before["count"], f" since {before['since'][:10]}"
            yield name, *_said(found, name, new, "more ", since, why=why, now=now)


def spoilt(found: Found) -> Iterator[tuple[str, str, str]]:
    """Give the one finding of a file of notes that cannot be read, if nothing else is why."""
    noted = found.get("noted", {})
    if "error" in noted and not found["place"]["barred"]:
        what = f"nothing counts as noted ({noted['error']})"
        yield "noted", what, f"move {quote(noted['file'])} away, then {_NOTE}"


def _said(  # noqa: PLR0913 - the parts of a sentence
    found: Found, name: str, count: int, more: str = "", since: str = "", *, why: str | None, now: datetime
) -> tuple[str, str]:
    journal = found["settings"]["journal"]
    if name == "lost":
        what = f"{many(count, f'{more}call was', f'{more}calls were')} lost{since} ({why})"
        return what, f"see that {journal} can be written and its disk has room, then {_NOTE}"
    if name == "faulty":
        what = f"{many(count, f'{more}faulty line')} in {journal}{since} cannot be read; all others are in"
        return what, f"outlay doctor --json names each, under faults; then {_NOTE}"
    if name == "conflicts":
        came = many(count, f"{more}entry", f"{more}entries")
        what = f"{came} came{since} with an id that other content has; the first counts"
        causes = "a program that makes ids of its own, or a file imported twice with other options"
        return what, f"look for {causes}, then {_NOTE}"
    what = f"the newest call is of {found['ledger']['last']}, while it is {now:%Y-%m-%dT%H:%M:%SZ} here"
    new = f"{many(count, f'{more}call')} of the future{since}: " if more else ""
    return f"{new}{what}", f"{CLOCK}; if it is right by now, {_NOTE}"
