"""The doctor's findings as text: a heading a group, a line a fact, and at the end what to do."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from outlay.render.as_table import Page, wrapped
from outlay.render.cells import UNKNOWN, failed, many, name
from outlay.report.plain import plain

_LABEL = 18
_DEEPER = 4  # of what goes on below the first line of a finding
_COMMAND = re.compile(r"\b(?:outlay|chmod|sudo|pip|timedatectl) ")
_UNPRICED = "unpriced"
_NOTED = {  # by the name of a finding
    "lost": ("lost call",),
    "faulty": ("faulty line",),
    "conflicts": ("conflict",),
    "future": ("call of the future", "calls of the future"),
    _UNPRICED: ("call that no price helps", "calls that no price helps"),
}
_UNTOLD = ("target", "only_home")  # of a server: in the heading, and in what is to do
_SHOWN = 5  # faulty lines; all of them stand in the JSON


def doctor_text(document: Mapping[str, Any], page: Page) -> str:
    """Show what the doctor found; groups that it could not look into are left out."""
    found = plain(document)
    facts = (_fitted(line, page) for line in _facts(found))
    noted = [_noted(each, least=_is_least(found)) for each in found["noted"]["findings"]]
    return "\n".join((*facts, *_findings(found["findings"], noted, page)))


def _fitted(line: str, page: Page) -> str:
    """Break a fact's value between words; one with a long word, as a path, is left to the terminal."""
    indent = _LABEL + 3
    longest = max(map(len, line[indent:].split(" ")))
    return line if longest > (page.width or longest) - indent else wrapped(line, page.width, indent)


def acknowledged_text(document: Mapping[str, Any]) -> str:
    """Say what was taken note of, which servers were forgotten, and which are kept as yet."""
    found = plain(document)
    lines = [f"  - {name(each['what'])}" for each in found["acknowledged"]]
    if lines:
        lines.insert(0, f"taken note of, in {name(found['ledger'])}")
    lines += [f"forgotten: {name(each)}, which never took a call" for each in found["forgotten"]]
    lines += [_kept(each) for each in found["kept"]]
    return "\n".join(lines) or "there is nothing new to take note of"


def _kept(server: Mapping[str, Any]) -> str:
    never = f"kept: {name(server['target'])}, which never took a call"
    if server["until"] is None:
        return f"{never} and is shipped to at this moment"
    tried, until = (f"{server[each][:19].replace('T', ' ')} UTC" for each in ("tried", "until"))
    again = f"if nothing tries it again, outlay doctor --acknowledge forgets it after {until}"
    return f"{never} and was tried at {tried}; {again}"


def _facts(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"outlay {found['outlay']}, Python {found['python']}, {found['system']}"
    yield from _group("packages", {key: value or "not installed" for key, value in found["packages"].items()})
    sdks = {
        each["package"]: " ".join(filter(None, (each["version"], each["state"])))
        for each in found["instrumentable"]
    }
    yield from _group("can be hooked", sdks)
    settings = {**found["settings"], "ledger": found["settings"]["ledger"] or "the embedded one in home"}
    yield from _group("settings", settings)
    yield from _group("ledger", found.get("ledger", {}))
    yield from _group("place", _place(found["place"]))
    yield from _group("prices", {key: value for key, value in found["prices"].items() if value is not None})
    if "recorded" in found:
        recorded = found["recorded"]
        counts = {key: value for key, value in recorded.items() if key != "costs"}
        yield from _group("recorded", {**counts, "cost": _cost(recorded)})
        yield from _group("not in the ledger", _outside(found))
    for each in found.get("shipping", ()):
        told = ((key, value) for key, value in each.items() if key not in _UNTOLD and value is not None)
        yield from _group(f"shipping to {each['target']}", dict(told))
    unpriced = {
        f"{name(each['provider'])}/{name(each['model'])}": failed(each["calls"], each["errors"])
        for each in found.get("unpriced", ())
    }
    yield from _group("cost unknown or partial", unpriced)
    faults = {f"{each['segment']} +{each['offset']}": each["reason"] for each in _first_faults(found)}
    yield from _group("first faulty lines", faults)
    yield from _group("alerts", _alerts(found.get("alerts", {})))


def _findings(findings: list[Mapping[str, Any]], noted: list[str], page: Page) -> Iterator[str]:
    """List what is to do, is good to know and was noted; the last line is the first thing to do."""
    to_do = [each for each in findings if each["level"] != "note"]
    for heading, shown in (
        ("to do", to_do),
        ("good to know", [each for each in findings if each["level"] == "note"]),
    ):
        if shown:
            yield ""
            yield heading
            for each in shown:
                yield from _finding(name(each["what"]), name(each["do"]), page)
    yield ""
    if noted:
        yield wrapped(f"noted before: {', '.join(noted)}", page.width, _DEEPER)
    if to_do:
        yield from _steps("first: ", name(to_do[0]["do"]), page)
    else:
        yield "all is well"


def _finding(what: str, do: str, page: Page) -> Iterator[str]:
    """Show what is wrong and below it what to do, where there is a page's edge; else all in one line."""
    if page.width is None:
        yield f"  - {what}: {do}"
        return
    yield wrapped(f"  - {what}:", page.width, _DEEPER)
    yield from _steps(" " * _DEEPER, do, page)


def _steps(before: str, do: str, page: Page) -> Iterator[str]:
    """Show a step a line where one line has no room; a command is never broken, so that it can be copied."""
    steps = [do] if page.width is None or len(before) + len(do) <= page.width else do.split("; ")
    for place, step in enumerate(steps):
        begun = before if not place else " " * len(before)
        line = f"{begun}{step}{';' if place < len(steps) - 1 else ''}"
        yield line if _COMMAND.search(step) else wrapped(line, page.width, len(before))


def _noted(noted: Mapping[str, Any], *, least: bool) -> str:
    why = "" if noted["why"] is None else f"{name(noted['why'])}; "
    what = many(noted["count"], *_NOTED[noted["name"]])
    if least and noted["name"] == _UNPRICED:
        what = what.replace(" ", " or more ", 1).replace(" call ", " calls ")
    return f"{what} ({why}{noted['since'][:10]})"


def _is_least(found: Mapping[str, Any]) -> bool:
    """Whether only the newest calls of a model were looked at, so that more of them may have no usage."""
    rows = [each for each in found.get("without_price", ()) if each.get("no_price_helps")]
    return any(each["looked_at"] < each["calls"] != each["no_price_helps"] for each in rows)


def _place(place: Mapping[str, Any]) -> dict[str, Any]:
    free, floor = place["free_bytes"], place["floor_bytes"]
    return {} if free is None else {"bytes free": free, "needed at least": floor}


def _cost(recorded: Mapping[str, Any]) -> str:
    if costs := recorded.get("costs"):  # by currency
        return " + ".join(f"{amount} {currency}" for currency, amount in costs.items())
    return str(recorded["cost"] or (UNKNOWN if recorded["calls"] else 0))


def _first_faults(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    where: list[Mapping[str, Any]] = found.get("faults", {}).get("where", [])
    return where[:_SHOWN]


def _outside(found: Mapping[str, Any]) -> dict[str, Any]:
    lost = found["lost"]
    why = "; ".join(f"{reason} ({count:,})" for reason, count in lost["why"].items())
    return {
        "pending": f"{found['pending']['bytes']:,} bytes",
        "lost": many(lost["calls"], "call") + (f": {why}" if why else ""),
        "faulty lines": found["faults"]["lines"],
        "conflicts": found["conflicts"],
        "late": found["late"],
    }


def _alerts(alerts: Mapping[str, Any]) -> dict[str, Any]:
    if not alerts.get("rules"):
        return {}
    channels = ", ".join(alerts["channels"]) or "none; alerts are printed alone"
    return {"rules": alerts["rules"], "channels": channels, "not delivered": len(alerts["undelivered"])}


def _group(heading: str, facts: Mapping[str, Any]) -> Iterator[str]:
    if facts:
        yield ""
        yield heading
        yield from (f"  {name(label):<{_LABEL}} {name(_shown(value))}" for label, value in facts.items())


def _shown(value: Any) -> Any:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
