"""What doctor concludes of what it saw: findings of one line, each with the one thing to do."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from shlex import quote
from types import MappingProxyType
from typing import Any, Final, Literal

from outlay.cli import doctor_alerts, doctor_servers, past, unreached
from outlay.cli.doctor_place import CLOSED, MODE, NO_FOLDER, READ_ONLY
from outlay.cli.typed import with_option
from outlay.cli.unpriced import told
from outlay.core.addresses import is_server
from outlay.core.errors import ASK_DOCTOR
from outlay.core.instants import instant
from outlay.journal.room import size_text
from outlay.render.cells import many

FAULT: Final = "fault"
ADVICE: Final = "advice"
NOTE: Final = "note"
_LEVELS = (FAULT, ADVICE, NOTE)
_LATER: Mapping[str, int] = MappingProxyType({
    **dict.fromkeys(("open to others", "undelivered"), 1),
    **dict.fromkeys(("clock", "conflicts", "future", "noted", "unpriced"), 2),
    **dict.fromkeys(("stale prices", "two instrumentations"), 3),
})  # fmt: skip
"""Findings that stand behind those of calls that are lost or wait: what is seen or told amiss, counts and
figures that are wrong, and what may make them so."""
_SKEW = 5  # seconds
_STALE = timedelta(days=45)
_NEAR = 4  # a disk is nearly full with less than so many times its floor
_BOTH = "both may stay; outlay.otel.OutlaySpanProcessor reads the spans of a program that wants no hooks"
_ROOM = "make room there"
_TOTALS = "outlay ledger prune --older-than 90d, then outlay ledger compact turn old calls into daily totals"
_NO_ROOM = "No space left on device"
_FULL = (_NO_ROOM, os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))  # what room mends
_WHYS = {READ_ONLY: f"on {READ_ONLY}", CLOSED: CLOSED}  # what nothing but another folder mends
Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or good to know."""

    name: str
    level: Literal["fault", "advice", "note"]  # fault: calls are not recorded, or cannot be asked for
    what: str
    do: str

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.what}: {self.do}"


def findings(found: Found, now: datetime) -> Iterator[Finding]:
    """Give all findings of a doctor's document, the most pressing first; ``now`` is aware UTC."""
    every = [
        *_place(found),
        *_ledger(found),
        *(Finding("alerts", FAULT, *each) for each in doctor_alerts.off(found["alerts"], found["place"])),
        *(Finding("undelivered", ADVICE, *each) for each in doctor_alerts.undelivered(found["alerts"])),
        *_kept(found, now),
        *(Finding(*each) for each in doctor_servers.told(found, now)),
        *(Finding("spoilt progress", ADVICE, *each) for each in unreached.spoilt(found)),
        *_clock(found, now),
        *(Finding("unpriced", ADVICE, *each) for each in told(found)),
        *_prices(found["prices"], now),
        *_sdks(found["instrumentable"]),
        *_others(found["others"]),
        *_spans(found),
        *(Finding("never reached", NOTE, *each) for each in unreached.told(found, now)),
    ]
    for each in sorted(every, key=lambda each: (_LEVELS.index(each.level), _LATER.get(each.name, 0))):
        yield replace(each, do=with_option(each.do, found["typed"]))


def _freed(barred: Mapping[str, str], home: PurePath, elsewhere: str) -> str:
    """Give what lets this user have a path; nothing is taken from others, nor a folder above the home.

    A command stands last, so that its line can be typed as it is.
    """
    path, why = barred["path"], barred.get("why")
    if "refusal" in barred:
        full = barred["refusal"] in _FULL
        return f"make room there, or {elsewhere}" if full else f"{elsewhere}, since this one takes no file"
    if since := f"{barred['owner']}'s" if "owner" in barred else _WHYS.get(why or ""):
        return f"{elsewhere}, since this one is {since}"
    if barred["cannot_be"] == NO_FOLDER:
        return f"{elsewhere}, or move {quote(path)} away"
    above = PurePath(path) in home.parents
    if why == MODE:
        return f"chmod {'u+rwx' if above else '-R u+rwX'} {quote(path)}"
    if above:
        return f"{elsewhere}, or sudo install -d -m 700 -o $(id -un) {quote(str(home))}"
    do = f"sudo chown -R $(id -un) {quote(path)}"
    kept = PurePath(path) == home or home in PurePath(path).parents
    return f"{elsewhere}, or {do}" if kept else do  # settings and prices lie elsewhere


def _elsewhere(found: Found) -> str:
    """Say what names the folder, in a form to type."""
    ledger = found["settings"]["ledger"]
    if ledger is None or is_server(ledger):
        return "name another folder by home (OUTLAY_HOME=FOLDER)"
    by = "ledger (OUTLAY_LEDGER=FOLDER)" if found["typed"] is None else "--ledger FOLDER"
    return f"name another folder by {by}"


def _place(found: Found) -> Iterator[Finding]:
    place, home = found["place"], PurePath(found["place"]["home"])
    disks = [{**place, "folder": place["home"]}, place.get("journals_disk")]
    told = [finding for disk in disks if disk for finding in _disk(disk)]
    for each in place["barred"]:
        if each.get("refusal") == _NO_ROOM and any(finding.level == FAULT for finding in told):
            continue
        yield Finding(
            "permissions",
            FAULT,
            f"{each['path']} cannot be {each['cannot_be']} by this user"
            + (f" ({each['refusal']})" if "refusal" in each else ""),
            _freed(each, home, _elsewhere(found)),
        )
    yield from told
    if open_to := place["open_to_others"]:
        kinds = sorted({"journal/*" if each.endswith(".jsonl") else "ledger.duckdb*" for each in open_to})
        yield Finding(
            "open to others",
            ADVICE,
            f"calls can be read by others than you ({', '.join(open_to)})",
            " ".join(("chmod 600", *(f"{quote(place['home'])}/{each}" for each in kinds))),
        )


def _disk(disk: Found) -> Iterator[Finding]:
    free, floor = disk["free_bytes"], disk["floor_bytes"]
    if free is not None and floor and free < _NEAR * floor:
        full = free < floor
        yield Finding(
            "disk",
            FAULT if full else ADVICE,
            f"{_size(free)} are free where {disk['folder']} is, and below {_size(floor)} (min_free)"
            " nothing is recorded" + (", as now" if full else ""),
            _ROOM if full else f"{_ROOM}; {_TOTALS}",
        )


def _ledger(found: Found) -> Iterator[Finding]:
    if "error" not in found:
        return
    server = next((each for each in found["shipping"] if each["current"]), None)
    if found["error_type"] == "LedgerSchemaError":
        yield Finding("newer ledger", FAULT, found["error"], "pip install --upgrade outlay")
    elif found["error_type"] == "MissingExtraError":
        yield Finding("extra", FAULT, "a package of this ledger is missing", found["error"])
    elif found["error_type"] == "NoLedgerError" and not found["place"]["barred"]:
        what, _, _ = found["error"].partition(";")
        yield Finding(
            "no ledger", FAULT, what, "name another folder by --ledger, or record calls there first"
        )
    elif found["error_type"] == "LedgerBusyError":  # it is well, and says itself what to do
        what, _, do = found["error"].partition("; ")
        yield Finding("busy", FAULT, what, do or "ask again")
    elif server is not None:
        yield Finding("server", FAULT, *doctor_servers.current(server, found["error"]))
    elif is_server(found["settings"]["ledger"]):  # one that the command line names, and no program feeds
        yield Finding("server", FAULT, *doctor_servers.typed(found["settings"]["ledger"], found["error"]))
    elif not found["place"]["barred"]:  # else that is why
        why = found["error"].removesuffix(f"; {ASK_DOCTOR}").removesuffix("; make room")
        what = f"the ledger cannot be read ({why}); the journals are not touched"
        aside = f"put {found['settings']['home']}/ledger.duckdb aside"
        anew = f"{aside}; outlay report makes one anew of the journals that are left"
        yield Finding("ledger", FAULT, what, "make room there" if _NO_ROOM in why else anew)


def _kept(found: Found, now: datetime) -> Iterator[Finding]:
    for name, what, do in (*past.told(found, now), *past.spoilt(found)):
        yield Finding(name, ADVICE, what, do)
    if count := found.get("late"):
        what = f"{many(count, 'call')} of days that had been pruned came late: kept apart, in no total"
        do = "outlay ledger late shows them; --count-in or --discard settles them, once for ever"
        yield Finding("late", ADVICE, what, do)
    if pending := found.get("pending", {}).get("bytes"):
        yield Finding(
            "pending", ADVICE, f"{pending:,} bytes in journals are not in the ledger yet", "outlay report"
        )


def _clock(found: Found, now: datetime) -> Iterator[Finding]:
    skew = found["place"]["skew_seconds"]
    if skew is not None and abs(skew) > _SKEW:
        ahead = "ahead of" if skew > 0 else "behind"
        what = f"the disk of {found['place']['home']} has a clock {abs(skew):,} s {ahead} this machine's"
        yield Finding("clock", ADVICE, what, past.CLOCK)
    made = found["prices"].get("made")
    if made is not None and instant(made) > now + timedelta(days=1):
        what = f"it is {now:%Y-%m-%d} here, before the prices were made ({made[:10]})"
        yield Finding("clock", ADVICE, what, past.CLOCK)


def _prices(prices: Found, now: datetime) -> Iterator[Finding]:
    if "error" in prices:
        what = f"the price book cannot be read ({prices['error']})"
        yield Finding("prices", FAULT, what, _mended(prices["file"], wanted=prices["wanted"]))
    made = prices.get("made")
    if made is not None and now - instant(made) > _STALE:
        what = f"the price book is {(now - instant(made)).days} days old ({made[:10]})"
        do = "pip install --upgrade outlay brings a newer one"
        do = f"outlay prices update; where that finds none newer, {do}" if prices["url"] else do
        yield Finding("stale prices", ADVICE, what, do)


def _mended(file: str, *, wanted: bool) -> str:
    """A file that the settings name is asked for; one that only lies there may go."""
    if not wanted:
        return f"mend {quote(file)}, or take it away"
    return f"mend {quote(file)}, or name another by prices (outlay.toml, OUTLAY_PRICES), or none"


def _sdks(sdks: list[dict[str, Any]]) -> Iterator[Finding]:
    for sdk in sdks:
        if sdk["state"] == "too old":
            what = f"{sdk['package']} {sdk['version']} is too old to hook; it needs {sdk['oldest']} or newer"
            yield Finding(
                "old SDK", ADVICE, what, f'pip install --upgrade "{sdk["package"]}>={sdk["oldest"]}"'
            )
    if all(sdk["state"] == "not installed" for sdk in sdks):
        what = f"none of {', '.join(sdk['package'] for sdk in sdks)} is installed here"
        yield Finding("no SDK", NOTE, what, "outlay.record() takes calls of anything else")


def _others(others: Iterable[Found]) -> Iterator[Finding]:
    for each in others:
        if each["state"] == "on":
            what = (
                f"{each['name']} is on beside outlay's hooks; a call counts once here, though both look at it"
            )
            yield Finding(
                "two instrumentations", ADVICE, what, f"keep one of them; {each['off']} switches that off"
            )
    if there := [each["name"] for each in others if each["state"] == "installed"]:
        what = (
            f"{', '.join(there)} can instrument the same calls, which count once all the same; whether one is"
            " on in a program, that program alone knows"
        )
        yield Finding("other instrumentations", NOTE, what, _BOTH)


def _spans(found: Found) -> Iterator[Finding]:
    for scope, count in found.get("from_spans", {}).get("scopes", {}).items():
        newest = found["from_spans"]["of"]
        what = f"of the {newest:,} newest calls {count:,} were told by {scope}, which is on in a program"
        do = "nothing, if it is meant to be; outlay's own hooks know more of a call"
        yield Finding("told by spans", NOTE, what, do)


def _size(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else size_text(count)
