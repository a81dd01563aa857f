"""``outlay doctor``: looks at all that can be wrong, and says the one thing to do about each."""

import os
import platform
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, state_of
from outlay.core.errors import JournalError, OutlayError

if TYPE_CHECKING:
    # Loaded when the command runs: --help needs neither.
    from outlay.process import Process
    from outlay.report import LedgerReader
    from outlay.settings import Settings

_NEWEST = 200
_PACKAGES = ("duckdb", "orjson", "rich", "click", "polars", "pandas", "pyarrow")


@click.command
@click.option(
    "--acknowledge", is_flag=True, help="Take note of what nothing cures; from then on new ones are told."
)
@data_options
@click.pass_context
def doctor(ctx: click.Context, *, acknowledge: bool) -> int:
    """What is installed, recorded, pending, lost and unpriced, and what to do about it.

    Looks at SDKs and other instrumentations, ledger, journals and what waits in them, models without a
    price, the age of the prices, the clock, permissions, room on the disk, servers and alerts. A fault keeps
    calls from being recorded or asked for: then the exit code is 1. It ends with what to do first.

    Nothing cures lost calls, faulty lines of journals, conflicts, calls of the future and calls without a
    usage, a model or a provider: whoever has looked at them says so by --acknowledge. What is noted is told
    in one line, and only more of it is a finding.
    A server that never took a call, and that nothing names or tries any more, was typed wrongly:
    --acknowledge forgets it.
    """
    from outlay import process
    from outlay.cli.doctor_alerts import alerts_of
    from outlay.cli.doctor_place import place_of
    from outlay.cli.findings import FAULT, findings
    from outlay.cli.session import check_typed, page_of_terminal, settings_of, tell
    from outlay.cli.typed import option_of
    from outlay.cli.unreached import spoilt_in
    from outlay.instrumentation.others import others
    from outlay.render.doctor import doctor_text

    settings = settings_of(state_of(ctx))
    here, now = process.use(settings), datetime.now(UTC)
    if acknowledge:
        return _acknowledge(ctx, here, now)
    document = {
        **_installation(settings),
        "typed": option_of(state_of(ctx).ledger),
        "instrumentable": [asdict(each) for each in here.hooks.status()],
        "others": [asdict(each) for each in others()],
        "place": {},
    }
    try:
        check_typed(settings)
        with here.open() as reader:
            document.update(_kept(reader, here, now))
    except (OutlayError, OSError) as error:  # the latter of a folder that is closed to this user
        document.update(error=str(error), error_type=type(error).__name__)
    document["place"] = place_of(settings, time.time)  # with the file that the question made
    document.update(alerts=alerts_of(settings), shipping=_shipped(settings), prices=_prices(here))
    document.update(noted=_noted(settings, document), spoilt_progress=spoilt_in(settings))
    found = list(findings(document, now))
    document["findings"] = [asdict(each) for each in found]
    document["advice"] = [each.line for each in found]
    tell(ctx, document, doctor_text(document, page_of_terminal()))
    return 1 if any(each.level == FAULT for each in found) else 0


def _installation(settings: "Settings") -> dict[str, Any]:
    from outlay.core.addresses import is_server, shown

    return {
        "outlay": metadata.version("outlay"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "settings": {
            "file": None if settings.file is None else str(settings.file),
            "ledger": settings.ledger and shown(settings.ledger)
            if is_server(settings.ledger)
            else settings.ledger,
            "home": str(settings.home),
            "journal": str(settings.journal),
            "sync": settings.sync,
        },
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _acknowledge(ctx: click.Context, here: "Process", now: datetime) -> int:
    """Take note of what nothing cures, and say of what."""
    from outlay.cli import unpriced
    from outlay.cli.noted import UNPRICED, Notes, counted, key_of, since, taken
    from outlay.cli.past import told
    from outlay.cli.session import check_typed, tell
    from outlay.cli.unpriced import NOTE, seen
    from outlay.cli.unreached import forget
    from outlay.render.doctor import acknowledged_text

    check_typed(here.settings)
    notes = Notes(here.settings.home)
    with here.open() as reader:
        reader.report(detail="sums")  # which brings in what is pending
        info = reader.info()
        every = notes.read()
        found = {**_installation(here.settings), **incurable(reader, info, now), "ledger": info}
        noted = since(every.get(key_of(info["ledger"]), ()))
        since_pruned = info.get("pruned_before")
        found["without_price"] = seen(reader, here.book, noted, models=sys.maxsize, since=since_pruned)
    found["noted"] = _noted(here.settings, found)
    new = [{"name": name, "what": what} for name, what, _ in told(found, now)]
    new += [
        {"name": UNPRICED, "what": what}
        for what, do in unpriced.told(found, sys.maxsize)
        if do.endswith(NOTE)
    ]
    if new:
        key = key_of(info["ledger"])
        notes.write({**every, key: taken(every.get(key, ()), counted(found), now)})
        found["noted"] = _noted(here.settings, found)
    forgotten, kept = forget(here.settings, now)
    document = {
        "ledger": info.get("ledger"),
        "acknowledged": new,
        "noted": found["noted"],
        "forgotten": forgotten,
        "kept": kept,
    }
    tell(ctx, document, acknowledged_text(document))
    return 0


def _noted(settings: "Settings", found: dict[str, Any]) -> dict[str, Any]:
    """Tell what was taken note of in this ledger, as far as it is still there; the rest is forgotten."""
    from outlay.cli.noted import Notes, counted, key_of, lowered

    notes = Notes(settings.home)
    told: dict[str, Any] = {"file": str(notes.path), "findings": []}
    try:
        every = notes.read()
    except JournalError as error:
        return {**told, "error": str(error)}
    ledger = found.get("ledger", {}).get("ledger")
    if ledger is None:  # one that cannot be asked says nothing of what is still there
        return told
    noted = every.get(key_of(ledger), [])
    still = lowered(noted, counted(found))
    if still != noted:
        with suppress(OSError):  # a home that cannot be written is a finding of its own
            notes.write({**every, key_of(ledger): still})
    return {**told, "findings": [asdict(each) for each in still]}


def _noted_until(settings: "Settings", ledger: str) -> datetime | None:
    """Give the instant up to which calls that no price helps were noted; none of a file that is spoilt."""
    from outlay.cli.noted import Notes, key_of, since

    with suppress(JournalError):
        return since(Notes(settings.home).read().get(key_of(ledger), ()))
    return None


def _kept(reader: "LedgerReader", here: "Process", now: datetime) -> dict[str, Any]:
    """Ask the ledger; the question comes first, since it brings in what is pending."""
    from outlay.cli.unpriced import seen

    report = reader.report(detail="sums")
    info = reader.info()
    noted = _noted_until(here.settings, info["ledger"])
    total = report.total
    kept = ("calls", "errors", "unpriced_calls", "cost", "costs")  # the last where there are several
    return {
        "recorded": {name: total[name] for name in kept if name in total},
        "pending": {"bytes": info.pop("pending_bytes", 0)},
        **incurable(reader, info, now),
        "late": info.pop("late", 0),
        "unpriced": report.to_dict()["unpriced"],
        "without_price": seen(reader, here.book, noted, since=info.get("pruned_before")),
        "ledger": {name: value for name, value in info.items() if name != "recorded"},
        "from_spans": _from_spans(reader),
    }


def incurable(reader: "LedgerReader", info: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Take out of what a ledger says of itself the past that nothing cures."""
    from outlay.cli.past import AHEAD
    from outlay.core.instants import instant

    lost: Counter[str] = Counter()
    for loss in info.pop("lost", ()):
        lost[loss["why"]] += loss["count"]
    last, ahead = info.get("last"), now + AHEAD
    future = last is not None and instant(last) > ahead
    return {
        "lost": {"calls": lost.total(), "why": dict(lost)},
        "faults": {"lines": info.pop("fault_count", 0), "where": info.pop("faults", [])},
        "conflicts": info.pop("conflicts", 0),
        "future": reader.rows(since=ahead, detail="counts").total["calls"] if future else 0,
    }


def _from_spans(reader: "LedgerReader") -> dict[str, Any]:
    """Count by instrumentation which of the newest calls came from spans: it is on in some program."""
    newest = reader.calls(limit=_NEWEST)
    spans = [call.extra["otel"] for call in newest if isinstance(call.extra.get("otel"), dict)]
    scopes = Counter(str(span.get("scope") or "an instrumentation without a name") for span in spans)
    return {"of": len(newest), "scopes": dict(scopes)}


def _shipped(settings: "Settings") -> list[dict[str, Any]]:
    """Tell of all servers; of none where this user may not look, which is told under what is barred."""
    try:
        return _shipping(settings)
    except OSError:
        return []


def _shipping(settings: "Settings") -> list[dict[str, Any]]:
    """Tell of each server that this home ships to what is pending, what went wrong, what was set aside."""
    from outlay.cli.unreached import named
    from outlay.core.addresses import is_server, shown
    from outlay.core.instants import text_of
    from outlay.journal import waiting
    from outlay.ledger.ship import Offsets, targets

    found = {each.target: each for each in targets(settings.home)}
    if settings.ledger is not None and is_server(settings.ledger) and not settings.peek:
        own = Offsets(settings.home, settings.ledger).read()
        found.setdefault(own.target, own)
    told, kept = [], named(settings)
    for target, progress in found.items():
        facts = progress.to_json()
        del facts["taken"]
        place = Offsets(settings.home, target)
        letters = place.dead_letters
        behind = waiting(settings.journal, progress.taken)
        told.append({
            **facts,
            "pending_bytes": behind.bytes,
            "pending_entries": behind.entries,
            "pending_since": None if behind.since is None else text_of(behind.since),
            "current": settings.ledger is not None and target == shown(settings.ledger),
            "named": target in kept,
            "took_nothing": progress.took_nothing,
            "only_home": None if _is_home_of(settings, target) else str(settings.home),
            "offsets": str(place.file),
            "dead_letters": str(letters) if letters.exists() else None,
        })  # fmt: skip
    return sorted(told, key=lambda each: not each["current"])


def _is_home_of(settings: "Settings", target: str) -> bool:
    """Whether a command that names that ledger has this home: one that a ledger's folder named it has not."""
    from outlay.core.addresses import is_path
    from outlay.home import working_folder
    from outlay.settings import load

    if settings.ledger is None or not is_path(settings.ledger):
        return True
    return load({**os.environ, "OUTLAY_LEDGER": target}, working_folder()).home == settings.home


def _prices(here: "Process") -> dict[str, Any]:
    """Tell which book calls are priced by, and when it was made."""
    from outlay.core.addresses import hidden
    from outlay.core.instants import text_of
    from outlay.pricing.newest import made_of
    from outlay.settings.values import PRICES_NAME

    try:
        book = here.book()
    except OutlayError as error:
        settings = here.settings
        file = settings.prices or settings.price_updates
        wanted = settings.prices not in (None, settings.home / PRICES_NAME)
        return {"error": str(error), "file": str(file), "wanted": wanted}
    made = made_of(book)
    return {
        "version": book.version,
        "made": None if made is None else text_of(made),
        "url": here.settings.prices_url and hidden(here.settings.prices_url),
    }
