"""What a question says on standard error where its filters leave no call: the nearest known value."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import click

from outlay.cli.options import State

if TYPE_CHECKING:  # loaded when a command runs: --help needs none of them
    from outlay.core.record import Record
    from outlay.report import LedgerReader

_PERIOD = ("since", "until", "tz")
_NEWEST = 1_000  # calls whose values are looked at where there may be as many values as calls
_MANY = ("user", "session")
_TAG = "tag:"
_SHOWN = 5
NOTHING_THEN: Final = "nothing in that time; without --since and --until all calls are asked for"
Wanted = Sequence[str | None]  # of which one must hold; None is a missing value
_MISSING: Final = frozenset((None, ""))


def tell_unmatched(state: State, reader: "LedgerReader", question: Mapping[str, Any], *, none: bool) -> bool:
    """Say on standard error why the filters of a question leave no call, if they do; give whether they do.

    A program that asks for JSON is told nothing.
    """
    if state.json or not none or not question.get("where"):
        return False
    click.echo(f"outlay: {_why(reader, question)}", err=True)
    return True


def tell_missing_tags(state: State, reader: "LedgerReader", question: Mapping[str, Any], found: Any) -> None:
    """Say on standard error which tags of a breakdown no call has, beside those that calls have.

    ``found`` is what was answered, of any kind. A program that asks for JSON is told nothing.
    """
    from outlay.render.cells import name as shown
    from outlay.report import Report

    if state.json or not isinstance(found, Report) or not found.rows or found.left_out:
        return
    period: dict[str, Any] = {name: question.get(name) for name in _PERIOD}
    for tag in found.query.by:
        if not tag.startswith(_TAG) or any(row[tag] is not None for row in found.rows):
            continue
        if any(row[tag] is not None for row in reader.rows([tag], detail="counts", **period).rows):
            continue  # others than those that were asked for have it
        known = _tags(reader.calls(_NEWEST, **period))
        click.echo(f"outlay: {_no_call(period)} has {shown(tag)}{_instead(known, [tag])}", err=True)


def _why(reader: "LedgerReader", question: Mapping[str, Any]) -> str:
    where: Mapping[str, Wanted] = question["where"]
    period = {name: question.get(name) for name in _PERIOD}
    if not _calls(reader, {}, period):
        return (
            NOTHING_THEN
            if _is_limited(period)
            else "there are no calls; outlay doctor says where they are looked for"
        )
    no_call = _no_call(period)
    for name, wanted in where.items():
        if not _calls(reader, {name: wanted}, period):
            return f"{no_call} {_has_none(reader, name, wanted, period)}"
    return f"{no_call} has all of {', '.join(map(_said, where.items()))}"


def _is_limited(period: Mapping[str, Any]) -> bool:
    return bool(period["since"] or period["until"])


def _no_call(period: Mapping[str, Any]) -> str:
    return "no call of that time" if _is_limited(period) else "no call"


def _calls(reader: "LedgerReader", where: Mapping[str, Wanted], period: Mapping[str, Any]) -> int:
    calls: int = reader.rows(where=where, detail="counts", **period).total["calls"]
    return calls


def _said(wanted: tuple[str, Wanted]) -> str:
    from outlay.render.cells import name

    dimension, values = wanted
    return " or ".join(dict.fromkeys(f"{name(dimension)}={name(value or '')}" for value in values))


def _has_none(reader: "LedgerReader", name: str, wanted: Wanted, period: Mapping[str, Any]) -> str:
    """Say of a dimension that no call has what is wanted, and what calls have."""
    if _MISSING.issuperset(wanted):
        return f"is without {name}"
    newest: list[Record] = []
    if name in _MANY or name.startswith(_TAG):
        newest = reader.calls(_NEWEST, **period)
        there = [_value(each, name) for each in newest]
    else:
        rows = reader.rows([name], detail="counts", **period).rows
        there = [row[name] for row in sorted(rows, key=lambda row: -row["calls"])]
    known = list(dict.fromkeys(filter(None, there)))
    said = f"has {_said((name, wanted))}"
    if not known and name.startswith(_TAG):
        known = _tags(newest)
        said, wanted = f"has {name}", [name]
    return f"{said}{_instead(known, wanted)}"


def _tags(calls: Iterable["Record"]) -> list[str]:
    return list(dict.fromkeys(f"{_TAG}{tag}" for each in calls for tag in each.tags))


def _value(record: "Record", name: str) -> str | None:
    if name.startswith(_TAG):
        return record.tags.get(name.removeprefix(_TAG))
    value: str | None = getattr(record, name)
    return value


def _instead(known: Sequence[str], wanted: Iterable[str | None]) -> str:
    """Name the known value that comes nearest to one that is wanted, else some of those that there are."""
    from outlay.render.cells import name

    by_word = {each.lower(): each for each in reversed(known)}
    for each in wanted:
        if near := get_close_matches((each or "").lower(), by_word, n=1):
            return f"; did you mean {name(by_word[near[0]])}?"
    if not known:
        return ""
    return f"; there are {', '.join((*map(name, known[:_SHOWN]), *('…' for _ in known[_SHOWN:][:1])))}"
