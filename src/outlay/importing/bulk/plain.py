"""Plain rows in bulk, by the same names as one by one."""

from collections.abc import Callable, Sequence

import orjson

from outlay.importing import plain
from outlay.importing.bulk.cells import Cells
from outlay.importing.bulk.expressions import NOTHING, coalesced, matches, quoted
from outlay.importing.bulk.told import Told, inclusive

_YES, _NO = "('true', '1', 'yes', 'y', 't')", "('false', '0', 'no', 'n', 'f')"


def tell(cells: Cells) -> Told | None:
    """Say where a plain layout's columns stand; None for a layout that has two columns of one name."""
    normal = {plain.normal(name): name for name in cells.sources}
    if len(normal) < len(cells.sources):
        return None

    def said(name: str) -> str:
        return cells.first(*(normal[other] for other in plain.NAMES[name] if other in normal))

    told = Told(said("at"), cells.textual(said("id")))
    for name in plain.TEXTS:
        told.columns[name] = cells.textual(said(name), never_number=name in {"provider", "model"})
    if (currency := told.columns["currency"]) != NOTHING:
        cells.need(matches(currency, plain.CODE.pattern))
        told.columns["currency"] = f"upper({currency})"
    inclusive(cells, told, {name: cells.count(said(name)) for name in plain.COUNTS})
    _tells_all(cells, told, said)
    for name in ("time_to_first_token_ms", *plain.NUMBERS):
        told.columns[name] = cells.measure(said(name))
    told.columns["latency_ms"] = coalesced(
        (cells.measure(said("latency_ms")), cells.seconds(said("latency")))
    )
    told.columns["prompt_length"] = cells.count(said("prompt_length"))
    told.columns["correct"] = _truth(cells, said("correct"))
    faults = [told.columns[name] for name in ("error", "error_type") if told.columns[name] != NOTHING]
    told.columns["status"] = _status(cells, said("status"), said("success"), faults)
    costs = [name for name in plain.NAMES["cost"] if name in normal]
    if len(costs) > 1:
        return None
    if costs:
        told.columns["cost"], told.columns["rounded"], _ = cells.money(said("cost"))
        if cells.positions is None:
            cells.need(cells.verbatim(normal[costs[0]], said("cost"), money=True))
    told.columns["extra"] = _extra(cells)
    _says_something(cells, [said(name) for name in plain.TELLING])
    return told


def _tells_all(cells: Cells, told: Told, said: Callable[[str], str]) -> None:
    """Leave rows to the other way that tell of a part of their tokens, or of their total alone."""
    sides = [coalesced(said(name) for name in names) for names in plain.SIDES.values()]
    both = f"({sides[0]} IS NULL) = ({sides[1]} IS NULL)"
    if (whole := said("total_tokens")) == NOTHING:
        if sides != [NOTHING, NOTHING]:
            cells.need(both)
        return
    total = cells.count(whole)
    cells.need(f"CASE WHEN {whole} IS NULL THEN {both} ELSE {total} = {' + '.join(told.units.values())} END")
    cells.need(f"({whole} IS NULL OR {coalesced(sides)} IS NOT NULL)")


def _says_something(cells: Cells, texts: Sequence[str]) -> None:
    """Leave rows to the other way that tell nothing: a table's leaves out what is empty."""
    if cells.positions is not None:
        cells.need(f"{coalesced(texts)} IS NOT NULL")


def _truth(cells: Cells, text: str) -> str:
    if text == NOTHING:
        return NOTHING
    cells.need(f"({text} IS NULL OR {text} IN {_YES} OR {text} IN {_NO})")
    return f"CASE WHEN {text} IS NOT NULL THEN {text} IN {_YES} END"


def _status(cells: Cells, status: str, success: str, faults: Sequence[str]) -> str:
    """Read the outcome: as it is told, as ``success`` says, or by an error that is told."""
    by_success = (
        f"CASE WHEN coalesce({', '.join([*faults, NOTHING])}) IS NULL THEN 'success' ELSE 'error' END"
    )
    worked = _truth(cells, success)
    if worked != NOTHING:
        told = f"CASE WHEN {worked} THEN 'success' ELSE 'error' END"
        by_success = f"CASE WHEN {success} IS NULL THEN {by_success} ELSE {told} END"
    if status == NOTHING:
        return by_success
    cells.need(f"({status} IS NULL OR regexp_full_match({status}, '[A-Za-z]+'))")
    failed = ", ".join(quoted(word) for word in sorted(plain.FAILED))
    by_status = f"CASE WHEN lower({status}) IN ({failed}) THEN 'error' ELSE 'success' END"
    return f"CASE WHEN {status} IS NULL THEN {by_success} ELSE {by_status} END"


def _extra(cells: Cells) -> str:
    """Put columns without a place of their own into an object; only plain values of JSON are taken."""
    pairs = []
    for name in cells.sources:
        if not plain.is_extra(plain.normal(name), name):
            continue
        key = quoted(orjson.dumps(name).decode() + ":")
        if cells.positions is not None:
            text = cells.text(name)
            pairs.append(f"{key} || CAST(to_json({text}) AS VARCHAR)")
            continue
        pairs.append(f"{key} || {cells.business(name)}")
    if not pairs:
        return NOTHING
    joined = cells.let(f"concat_ws(',', {', '.join(pairs)})")
    return f"CASE WHEN {joined} <> '' THEN '{{' || {joined} || '}}' END"
