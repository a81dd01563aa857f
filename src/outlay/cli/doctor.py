"""``outlay doctor``: what is installed, recorded, pending, lost and unpriced, and what to do about it."""

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, state_of
from outlay.core.errors import OutlayError

if TYPE_CHECKING:
    # Loaded when the command runs: --help needs neither.
    from outlay.report import LedgerReader
    from outlay.settings import Settings

_PACKAGES = ("duckdb", "orjson", "rich", "click", "polars", "pandas", "pyarrow")


@click.command
@data_options
@click.pass_context
def doctor(ctx: click.Context) -> int:
    """What is installed, recorded, pending, lost and unpriced, and what to do about it."""
    from outlay import process
    from outlay.cli.session import reader_of, settings_of, show, show_json
    from outlay.render.doctor import doctor_text

    settings = settings_of(state_of(ctx))
    here = process.use(settings)
    document = {**_installation(settings), "instrumentable": [asdict(each) for each in here.hooks.status()]}
    try:
        with reader_of(settings) as reader:
            document.update(_kept(reader))
    except OutlayError as error:
        document["error"] = str(error)
    document["alerts"] = _alerts(settings)
    document["shipping"] = _shipping(settings)
    document["advice"] = list(_advice(document))
    if state_of(ctx).json:
        show_json(document)
    else:
        show(doctor_text(document))
    return 1 if "error" in document else 0


def _installation(settings: "Settings") -> dict[str, Any]:
    from outlay.settings import is_server, shown

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


def _kept(reader: "LedgerReader") -> dict[str, Any]:
    """Ask the ledger; the question comes first, since it brings in what is pending."""
    report = reader.report()
    info = reader.info()
    lost: Counter[str] = Counter()
    for loss in info.pop("lost", ()):
        lost[loss["why"]] += loss["count"]
    total = report.total
    return {
        "recorded": {name: total[name] for name in ("calls", "errors", "unpriced_calls", "cost")},
        "pending": {"bytes": info.pop("pending_bytes", 0)},
        "lost": {"calls": lost.total(), "why": dict(lost)},
        "faults": {"lines": info.pop("fault_count", 0), "where": info.pop("faults", [])},
        "conflicts": info.pop("conflicts", 0),
        "late": info.pop("late", 0),
        "unpriced": report.to_dict()["unpriced"],
        "ledger": {name: value for name, value in info.items() if name != "recorded"},
    }


def _alerts(settings: "Settings") -> dict[str, Any]:
    """Count the rules and channels, and name the alerts that a channel has not taken yet."""
    import os

    from outlay.alerts.rules import rules_of
    from outlay.alerts.send import channels_of
    from outlay.alerts.state import State

    try:
        channels = sorted(channels_of(settings.alerts, os.environ))
        stuck = State(settings.alert_folder).undelivered()
        return {
            "rules": len(rules_of(settings.alerts, settings.tz)),
            "channels": channels,
            "undelivered": [each for each in stuck if each["channel"] in channels],
        }
    except OutlayError as error:
        return {"error": str(error)}


def _shipping(settings: "Settings") -> list[dict[str, Any]]:
    """Tell of each server that this home ships to what is pending, what went wrong, what was set aside."""
    from outlay.journal import pending_bytes
    from outlay.ledger.ship import Offsets, targets
    from outlay.settings import is_server

    found = {each.target: each for each in targets(settings.home)}
    if settings.ledger is not None and is_server(settings.ledger) and not settings.peek:
        own = Offsets(settings.home, settings.ledger).read()
        found.setdefault(own.target, own)
    told = []
    for target, progress in found.items():
        facts = progress.to_json()
        del facts["taken"]
        letters = Offsets(settings.home, target).dead_letters
        told.append({
            **facts,
            "pending_bytes": pending_bytes(settings.journal, progress.taken),
            "dead_letters": str(letters) if letters.exists() else None,
        })  # fmt: skip
    return told


def _advice(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what to do, the most pressing first."""
    if "error" in document:
        yield f"the ledger cannot be read: {document['error']}"
    lost = document.get("lost", {})
    for why, count in lost.get("why", {}).items():
        yield f"{count:,} calls were lost ({why}); make room and leave to write in {_journal(document)}"
    if count := document.get("faults", {}).get("lines"):
        yield f"{count:,} faulty lines in {_journal(document)} cannot be read; all others are in"
    if count := document.get("conflicts"):
        yield f"{count:,} entries came with an id that other content has; look for who makes ids of their own"
    if count := document.get("late"):
        yield f"{count:,} calls came after their day was pruned; they are kept apart, in no total"
    if pending := document.get("pending", {}).get("bytes"):
        yield f"{pending:,} bytes in journals are not in the ledger yet; the next report brings them in"
    yield from _about_shipping(document.get("shipping", ()))
    if document.get("unpriced"):
        yield "give unpriced models a price in a file of your own, named by prices in outlay.toml"
    yield from _about_alerts(document["alerts"])
    yield from _about_sdks(document["instrumentable"])


def _about_alerts(alerts: Mapping[str, Any]) -> Iterator[str]:
    if "error" in alerts:
        yield f"alerts are off: {alerts['error']}"
    stuck = Counter(each["channel"] for each in alerts.get("undelivered", ()) if each["error"])
    for channel, count in stuck.items():
        why = next(
            each["error"] for each in alerts["undelivered"] if each["channel"] == channel and each["error"]
        )
        yield f"{count:,} alerts could not be sent to {channel} ({why}); outlay alerts check tries again"


def _about_shipping(targets: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in targets:
        if each["last_error"]:
            yield (
                f"{each['target']} could not be reached at {each['last_error_at']}"
                f" ({each['last_error']}); outlay ship tries again"
            )
        if each["pending_bytes"]:
            yield f"{each['pending_bytes']:,} bytes wait for {each['target']}; outlay ship brings them there"
        if each["dead_letters"]:
            yield f"{each['dead']:,} lines were set aside in {each['dead_letters']}; each says why"


def _about_sdks(sdks: list[dict[str, Any]]) -> Iterator[str]:
    for sdk in sdks:
        if sdk["state"] == "too old":
            yield f"{sdk['package']} {sdk['version']} is too old to hook; it needs {sdk['oldest']} or newer"
    if all(sdk["state"] == "not installed" for sdk in sdks):
        names = ", ".join(sdk["package"] for sdk in sdks)
        yield f"none of {names} is installed here; outlay.record() takes calls of anything else"


def _journal(document: Mapping[str, Any]) -> str:
    return str(document["settings"]["journal"])
