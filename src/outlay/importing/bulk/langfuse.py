"""Langfuse's observations in bulk."""

from collections.abc import Callable, Iterable

from outlay.importing import langfuse
from outlay.importing.bulk.cells import Cells, Tree
from outlay.importing.bulk.expressions import NOTHING, coalesced, is_one_of, matches, quoted
from outlay.importing.bulk.moments import between
from outlay.importing.bulk.told import Told
from outlay.importing.langfuse_keys import RARE

_PARTS = {
    "cache_read": langfuse.CACHED,
    "cache_write": langfuse.WRITTEN,
    "cache_write_1h": langfuse.WRITTEN_1H,
    "reasoning": langfuse.REASONING,
}
_AUDIO = tuple(name for names in langfuse.AUDIO.values() for name in names)  # which go one by one
_KEYS = ("input", "output", "total", "unit", *(name for names in _PARTS.values() for name in names), *_AUDIO)
_WITHOUT = {"input": ("inputUsage", "promptTokens"), "output": ("outputUsage", "completionTokens")}
_MS = 1000


def tell(cells: Cells) -> Told | None:
    """Say where an observation's columns stand."""
    told = Told(cells.text("startTime"), cells.textual(cells.text("id")))
    kind = cells.text("type")
    if NOTHING in {told.at, told.identity, kind} or cells.positions is not None:
        return None
    told.is_call = _is_call(cells, kind)
    if told.is_call == "FALSE":
        return told
    level = cells.text("level")
    cells.need(matches(level, "[A-Za-z]*"))
    failed = f"coalesce(upper({level}) = 'ERROR', FALSE)"
    _usage(cells, told)
    told.columns |= {
        "model": cells.textual(cells.first("model", "providedModelName"), never_number=True),
        "operation": f"CASE WHEN upper({kind}) = 'EMBEDDING' THEN 'embeddings' END",
        "status": f"CASE WHEN {failed} THEN 'error' ELSE 'success' END",
        "error": _message(cells, failed),
        "user": cells.textual(cells.text("userId")),
        "session": cells.textual(cells.text("sessionId")),
        "query_type": cells.textual(cells.text("name")),
        "latency_ms": _measured(cells, told.at, "endTime", "latency"),
        "time_to_first_token_ms": _measured(cells, told.at, "completionStartTime", "timeToFirstToken"),
        "trace_id": cells.textual(cells.text("traceId")),
        "span_id": told.identity,
    }
    _cost(cells, told)
    told.tags = [
        (tag, cells.textual(cells.text(name)))
        for tag, name in (
            ("environment", "environment"),
            ("version", "version"),
            ("release", "release"),
            ("prompt_name", "promptName"),
        )
    ]
    return told


def _is_call(cells: Cells, kind: str) -> str:
    always = cells.always("type")
    if always is not None and always.isascii() and always.isalpha():
        return str(always.upper() in langfuse.CALLS).upper()
    calls = ", ".join(map(quoted, sorted(langfuse.CALLS)))
    is_call = f"coalesce(upper({kind}) IN ({calls}), FALSE)"
    # What is no call needs no more than this.
    return f"CASE WHEN {kind} IS NULL OR regexp_full_match({kind}, '[A-Za-z]*') THEN {is_call} END"


def _message(cells: Cells, failed: str) -> str:
    message = cells.textual(cells.text("statusMessage"))
    return message if message == NOTHING else f"CASE WHEN {failed} THEN {message} END"


def _measured(cells: Cells, start: str, end: str, seconds: str) -> str:
    stated = cells.measure(cells.text(seconds))
    if stated != NOTHING:
        stated = f"{stated} * {_MS}"
    return coalesced((between(cells, start, cells.text(end)), stated))


def _usage(cells: Cells, told: Told) -> None:
    said = _told(cells)
    whole, out = (cells.let(f"coalesce({cells.count(said[key])}, 0)") for key in ("input", "output"))
    units = {unit: _added(cells, [said[name] for name in names]) for unit, names in _PARTS.items()}
    total = cells.count(said["total"])
    for name in _AUDIO:
        _only(cells, said[name], "0")
    _only(cells, coalesced((said["unit"], cells.text("unit"))), langfuse.TOKENS)
    within = " + ".join(units[unit] for unit in ("cache_read", "cache_write", "cache_write_1h"))
    inside = cells.let(
        f"""coalesce({total} = {whole} + {out} AND {within} <= {whole}
        AND {units["reasoning"]} <= {out}, FALSE)"""
    )
    told.units = {
        **units,
        "input": f"CASE WHEN {inside} THEN {whole} - ({within}) ELSE {whole} END",
        "output": f"CASE WHEN {inside} THEN {out} - {units['reasoning']} ELSE {out} END",
    }
    told.silent = cells.let(f"{whole} + {out} + {within} + {units['reasoning']} = 0")
    kind = f"upper({cells.text('type')})"
    cells.need(f"NOT coalesce({kind} = 'EMBEDDING' AND {told.silent} AND {total} > 0, FALSE)")


def _only(cells: Cells, text: str, value: str) -> None:
    """Leave rows to the other way that say anything else here."""
    if text != NOTHING:
        cells.need(is_one_of(text, value, f'"{value}"'))  # as a text or, out of an object, as JSON


def _told(cells: Cells) -> dict[str, str]:
    """Give the texts of the usage by its keys."""
    names = [name for name in ("usageDetails", "usage") if name in cells.sources]
    trees = cells.trees(*names)
    if trees:  # each key stands in the first that has it
        found = {key: text for tree in reversed(trees) for key, text in tree.items() if key in _KEYS}
        _no_others(cells, cells.trees("usageDetails") or (), langfuse.is_counted)
        _no_others(cells, cells.trees("usage") or (), RARE.__contains__)
        if not all(isinstance(text, str) for text in found.values()):
            cells.need("FALSE")  # an object is no count
        return {key: text if isinstance(text := found.get(key), str) else NOTHING for key in _KEYS}
    objects = [text for name in names if (text := cells.object(name)) != NOTHING]
    if "usageDetails" in names:
        known = ", ".join(map(quoted, _KEYS))
        signs = ("input", "output", "oken", "cached_")
        counted = f"lambda key: {' OR '.join(f'contains(key, {quoted(sign)})' for sign in signs)}"
        keys = f"list_filter(json_keys({objects[0]}), {counted})"
        cells.need(f"coalesce(list_has_all([{known}], {keys}), TRUE)")
    if "usage" in names:
        rare = ", ".join(map(quoted, sorted(RARE)))
        cells.need(f"coalesce(NOT list_has_any([{rare}], json_keys({objects[-1]})), TRUE)")
    said = {key: _said(cells, objects, at) for at, key in enumerate(_KEYS)}
    for key, others in _WITHOUT.items():
        said[key] = _either(cells, objects, said[key], others)
    return said


def _no_others(cells: Cells, trees: Iterable[Tree], is_counted: Callable[[str], bool]) -> None:
    """Leave rows to the other way that count under other names."""
    for key, text in (each for tree in trees for each in tree.items()):
        if key not in _KEYS and is_counted(key):
            _only(cells, text if isinstance(text, str) else "'more'", "0")


def _said(cells: Cells, objects: list[str], at: int) -> str:
    """Give what the first object says that names a key, be it that it is null."""
    if not objects:
        return NOTHING
    listed = ", ".join(quoted(f"$.{key}") for key in _KEYS)
    found = [cells.let(f"json_extract({name}, [{listed}])") for name in objects]
    texts = ", ".join(f"CAST({each}[{at + 1}] AS VARCHAR)" for each in found)
    return cells.let(f"NULLIF(coalesce({texts}), 'null')")


def _either(cells: Cells, objects: list[str], said: str, names: Iterable[str]) -> str:
    """Give what the usage says, or, where there is none, what the row does."""
    plain = cells.first(*names)
    if not objects:
        return plain
    some = " OR ".join(f"coalesce(len(json_keys({name})) > 0, FALSE)" for name in objects)
    return cells.let(f"CASE WHEN {some} THEN {said} ELSE {plain} END")


def _added(cells: Cells, texts: list[str]) -> str:
    counts = [cells.count(text) for text in texts if text != NOTHING]
    return cells.let(" + ".join(["0", *(f"coalesce({count}, 0)" for count in counts)]))


def _total(cells: Cells) -> str:
    trees = cells.trees("costDetails")
    if trees is not None:
        said = trees[0].get("total", NOTHING) if trees else NOTHING
        if said == NOTHING:
            return NOTHING
        if not isinstance(said, str) or cells.is_text(said):
            zero = f"({said} IS NULL OR {said} NOT IN ('0', '0.0'))"
            cells.need(zero if isinstance(said, str) else "FALSE")
        total = cells.let(f"NULLIF(NULLIF({said}, '0'), '0.0')")
        cells.numerals.update([said] if isinstance(said, str) else [])  # read as money, so it is such a one
    else:
        details = cells.object("costDetails")
        total = cells.let(f"NULLIF(NULLIF(json_extract_string({details}, '$.total'), ''), '0')")
        cells.need(cells.verbatim("costDetails", total, money=True, within="total"))
    cells.need(f"({total} IS NULL OR NOT regexp_full_match({total}, '[-0.]+([eE].*)?'))")
    return total


def _cost(cells: Cells, told: Told) -> None:
    texts = []
    if "costDetails" in cells.sources:
        texts.append(_total(cells))
    name = next((name for name in ("calculatedTotalCost", "totalCost") if name in cells.sources), None)
    if name is not None:
        if name == "calculatedTotalCost":
            cells.missing(cells.text("totalCost"))
        texts.append(cells.text(name))
        cells.need(cells.verbatim(name, cells.text(name), money=True))
    if texts:
        amount, rounded, nothing = cells.money(cells.let(coalesced(texts)))
        told.columns["cost"] = f"CASE WHEN NOT {nothing} THEN {amount} END"
        told.columns["rounded"] = rounded
