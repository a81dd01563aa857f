"""What doctor sees and says of calls whose cost is not, or not wholly, known: a price lacks, or a usage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING, Any

from outlay.core.errors import OutlayError
from outlay.render.cells import many

if TYPE_CHECKING:  # loaded when the command runs
    from outlay.core.record import Record
    from outlay.pricing import Book
    from outlay.report import LedgerReader

_WHERE = {"cost_status": ["unpriced", "partial"], "status": "success"}  # a failed one has no usage
_MODELS = 3  # a line each
_MANY = 50
_NEWEST = 200  # calls of each that are looked at one by one
NOTE = "outlay doctor --acknowledge"
_NOBODY = (None, "unknown")  # a provider


def seen(
    reader: "LedgerReader",
    book: "Callable[[], Book]",
    noted: datetime | None = None,
    models: int = _MODELS,
    *,
    since: str | None = None,
) -> list[dict[str, Any]]:
    """Give the models of such calls, the most frequent first.

    Of the first also what their newest say, and which listed models may have been meant. Those that no price
    helps are new where they were made after the instant that was noted. ``since`` is when the first call
    stands that is more than a part of a daily total, which no price reaches.
    """
    rows = reader.rows(["provider", "model"], where=_WHERE, since=since, detail="counts").rows
    names = ("provider", "model", "calls")
    found = [{name: row[name] for name in names} for row in sorted(rows, key=lambda row: -row["calls"])]
    if noted is not None:  # most of those have nothing to say any more
        models = max(models, _MANY)
    looked = (each | _looked(reader, each, noted) | {"near": _near(book, each)} for each in found[:models])
    return [*looked, *found[models:]]


def _near(book: "Callable[[], Book]", model: Mapping[str, Any]) -> list[str]:
    """Name the listed models that come nearest to one that is not listed."""
    from outlay.pricing import Unpriced

    try:
        card = book().resolve(model["provider"], model["model"])
    except OutlayError:  # prices that cannot be read are a finding of their own
        return []
    return list(card.near) if isinstance(card, Unpriced) else []


def _looked(reader: "LedgerReader", model: Mapping[str, Any], noted: datetime | None) -> dict[str, Any]:
    where = {**_WHERE, "provider": model["provider"], "model": model["model"]}
    newest = reader.calls(_NEWEST, where=where)
    lacking = [each for each in newest if _lacks_usage(each)]
    new = [each for each in newest if noted is None or each.at > noted]
    new_lacking = [each for each in new if _lacks_usage(each)]
    nameless = len(new) - len(new_lacking) if _lacks_name(model) else 0
    if nameless and noted is None:  # all of them
        nameless += model["calls"] - len(newest)
    return {
        "looked_at": len(newest),
        "without_usage": len(lacking),
        "new_without_usage": len(new_lacking),
        "new_without_name": nameless,
        "no_price_helps": model["calls"] if _lacks_name(model) else len(lacking),
        "newest_without_usage": {"id": lacking[0].id, "reason": lacking[0].usage.reason} if lacking else None,
    }


def _lacks_name(model: Mapping[str, Any]) -> bool:
    """Whether there is nothing to look a price up by."""
    return model["model"] is None or model["provider"] in _NOBODY


def _lacks_usage(record: "Record") -> bool:
    """Whether what it was billed for is not known; then no price helps."""
    why = record.usage.reason
    return why is not None and why in (record.charge.reason or "")


def told(found: Mapping[str, Any], models: int = _MODELS) -> Iterator[tuple[str, str]]:
    """Say of a doctor's document what is unpriced, and the one thing to do about each."""
    rows = found.get("without_price", ())
    since = (found.get("ledger", {}).get("first") or "today")[:10]
    said = [(each, list(_of_model(each, since)) if "looked_at" in each else []) for each in rows]
    left = [(each, lines) for each, lines in said if lines or "looked_at" not in each]
    for _, lines in left[:models]:
        yield from lines
    if rest := [each for each, lines in left[:models] if not lines] + [each for each, _ in left[models:]]:
        calls = sum(each["calls"] for each in rest)
        what = f"{many(calls, 'call')} of {len(rest)} more models without a price"
        yield what, "outlay doctor --json names them, under without_price"


def _of_model(each: Mapping[str, Any], since: str) -> Iterator[tuple[str, str]]:
    provider, model, calls, seldom = (each[name] for name in ("provider", "model", "calls", "without_usage"))
    every = each["looked_at"] == calls
    if new := each["new_without_usage"]:
        newest = each["newest_without_usage"]
        of_newest = "" if every else f", among the {each['looked_at']:,} newest without a cost"
        what = f"{many(new, 'call')} of {_name(each)} with no usage, or a part of it ({newest['reason']})"
        do = f"have the program record what they used; outlay explain {newest['id']} shows the newest"
        yield f"{what}{of_newest}", f"{do}; then {NOTE}"
    if _lacks_name(each):
        if count := each["new_without_name"]:
            lacks = "model" if model is None else "provider"
            what = f"{many(count, 'call')} of {_name(each)} without a {lacks}"
            own = (
                "" if model is None else f"; or, for a price of your own, {_priced('unknown', model, since)}"
            )
            yield what, f"have the program record such calls with their {lacks}, then {NOTE}{own}"
        return
    if seldom == each["looked_at"] and seldom:
        return
    lacking = many(calls - seldom if every else calls, "call")
    some = "some of " if seldom and not every else ""
    yield (
        f"{provider}/{model} has no known price, or a partial one, for {some}{lacking}",
        f"{_meant(each['near'])}{_priced(provider, model, since)}",
    )


def _priced(provider: str, model: str, since: str) -> str:
    """Give the commands that price a model's calls."""
    step = f"outlay prices set {quote(model)} --provider {quote(provider)} --input R --output R"
    return f"{step} && outlay reprice --since {since}"


def _meant(near: Sequence[str]) -> str:
    """Ask for a slip in a name before a price is set under it, where the slip would stay."""
    if not near:
        return ""
    *others, last = near
    names = f"{', '.join(others)} or {last}" if others else last
    return f"is it {names}? then have the program name it so; else "


def _name(each: Mapping[str, Any]) -> str:
    return f"{each['provider'] or '-'}/{each['model'] or '-'}"
