"""LiteLLM's spend logs in bulk."""

from outlay.importing import litellm
from outlay.importing.bulk.cells import Cells
from outlay.importing.bulk.expressions import NOTHING, coalesced, is_one_of, matches, quoted
from outlay.importing.bulk.metadata import Details, read_as_object, read_by_keys
from outlay.importing.bulk.moments import between
from outlay.importing.bulk.told import Told, inclusive

_TAG = "[A-Za-z0-9_.:/]([A-Za-z0-9_.:/ -]*[A-Za-z0-9_.:/])?"
_TAGS = rf'\[\]|\["{_TAG}"(,"{_TAG}")*\]|{{}}|{{{_TAG}(,{_TAG})*}}'


def tell(cells: Cells) -> Told | None:
    """Say where a spend log's columns stand; failed calls of metadata of any keys are read one by one."""
    told = Told(cells.text("startTime"), cells.textual(cells.text("request_id")))
    if NOTHING in {told.at, told.identity}:
        return None
    hit = cells.text("cache_hit")
    said = read_by_keys(cells) or read_as_object(cells)
    cells.need(f"{told.identity} IS NOT NULL")
    failed = _failed(cells, said)
    cells.need(is_one_of(f"lower({hit})", "true", "false", "none"))
    own = f"coalesce(contains({told.identity}, {quoted(litellm.ITS_CACHE)}), FALSE)"
    cached = cells.let(f"coalesce(lower({hit}) = 'true', FALSE) OR {own}")
    _no_other(cells)
    _usage(cells, told, said)
    unspent = _cost(cells, told, cached)
    if failed != "FALSE":
        _unless(told, cells.let(f"{failed} AND {unspent}"))
    told.columns |= {
        "provider": cells.textual(cells.text("custom_llm_provider"), never_number=True),
        "model": cells.textual(cells.text("model"), never_number=True),
        "model_requested": cells.textual(cells.text("model_group"), never_number=True),
        "operation": _operation(cells.textual(cells.text("call_type"))),
        "status": f"CASE WHEN {failed} THEN 'error' ELSE 'success' END",
        "error": f"CASE WHEN {failed} THEN coalesce({said.error}, 'the call failed') END",
        "error_type": said.error_type
        if said.error_type == NOTHING
        else f"CASE WHEN {failed} THEN {said.error_type} END",
        "user": cells.textual(cells.first("end_user", "user")),
        "session": cells.textual(cells.text("session_id")),
        "latency_ms": between(cells, told.at, cells.text("endTime")),
        "time_to_first_token_ms": _first_token(cells, told.at),
    }
    told.tags = [
        ("team", cells.textual(cells.text("team_id"))),
        ("organization", cells.textual(cells.text("organization_id"))),
        ("request_tags", _request_tags(cells)),
        ("cache_hit", f"CASE WHEN {cached} THEN 'true' END"),
    ]
    return told


def _no_other(cells: Cells) -> None:
    """Leave rows to the other way that may call no model."""
    kind = cells.text("call_type")
    if kind != NOTHING:
        cells.need(f"({kind} IS NULL OR {kind} NOT IN ({', '.join(map(quoted, sorted(litellm.OTHERS)))}))")


def _failed(cells: Cells, said: Details) -> str:
    """Say whether a call failed; that may stand in the row or within."""
    status = cells.text("status")
    if said.status is None:
        cells.need(is_one_of(status, "success"))
        return "FALSE"
    cells.need(is_one_of(status, "success", "failure"))
    status = coalesced((status, said.status))
    return "FALSE" if status == NOTHING else cells.let(f"coalesce({status} = 'failure', FALSE)")


def _unless(told: Told, unknown: str) -> None:
    """Count nothing where nobody knows what a call used."""
    told.units = {unit: f"CASE WHEN {unknown} THEN 0 ELSE {text} END" for unit, text in told.units.items()}
    told.silent = f"({unknown} OR {told.silent})"


def _usage(cells: Cells, told: Told, said: Details) -> None:
    counts = {
        "input_tokens": cells.count(cells.text("prompt_tokens")),
        "output_tokens": cells.count(cells.text("completion_tokens")),
    }
    silent = cells.let(" + ".join(f"coalesce({count}, 0)" for count in counts.values()) + " = 0")
    for name, text in (
        ("cached_tokens", said.cached),
        ("cache_write_tokens", said.written),
        ("reasoning_tokens", said.reasoning),
    ):
        counts[name] = text if text == NOTHING else _count(cells, text, silent)
    inclusive(cells, told, counts)
    told.silent = silent


def _count(cells: Cells, text: str, silent: str) -> str:
    """Read a count of the metadata, which counts only where tokens are told at all."""
    return f"CASE WHEN NOT {silent} THEN {cells.count(cells.let(text))} END"


def _operation(call_type: str) -> str:
    if call_type == NOTHING:
        return NOTHING
    ways = " ".join(
        f"WHEN contains({call_type}, {quoted(word)}) THEN {quoted(name)}" for word, name in litellm.OPERATIONS
    )
    return f"CASE {ways} END"


def _first_token(cells: Cells, start: str) -> str:
    begun, end = cells.text("completionStartTime"), cells.text("endTime")
    if begun == NOTHING:
        return NOTHING
    taken = between(cells, start, begun)
    return taken if end == NOTHING else f"CASE WHEN {begun} IS DISTINCT FROM {end} THEN {taken} END"


def _cost(cells: Cells, told: Told, cached: str) -> str:
    """Read what was spent; give whether that is nothing."""
    spent, rounded, nothing = cells.money(cells.text("spend"))
    if spent != NOTHING:
        if cells.positions is None:
            cells.need(cells.verbatim("spend", cells.text("spend"), money=True))
        spent = f"CASE WHEN NOT {nothing} THEN {spent} END"
        rounded = f"NOT {cached} AND {rounded}"
    told.columns["cost"] = f"CASE WHEN {cached} THEN '0' ELSE {spent} END"
    told.columns["rounded"] = rounded
    return "TRUE" if nothing == NOTHING else f"coalesce({nothing}, TRUE)"


def _request_tags(cells: Cells) -> str:
    text = cells.text("request_tags")
    if text == NOTHING:
        return NOTHING
    cells.need(matches(text, _TAGS))
    return cells.let(f"NULLIF(replace({text}[2:-2], '\"', ''), '')")
