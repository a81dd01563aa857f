"""LiteLLM's spend logs in bulk."""

from outlay.importing import litellm
from outlay.importing.bulk.cells import Cells
from outlay.importing.bulk.expressions import NOTHING, matches, quoted
from outlay.importing.bulk.moments import between
from outlay.importing.bulk.told import Told, inclusive

_TAG = "[A-Za-z0-9_.:/]([A-Za-z0-9_.:/ -]*[A-Za-z0-9_.:/])?"
_TAGS = rf'\[\]|\["{_TAG}"(,"{_TAG}")*\]|{{}}|{{{_TAG}(,{_TAG})*}}'
_AS_TEXT = ("usage_object", "prompt_tokens_details", "completion_tokens_details", "additional_usage_values")
_USAGE = "$.usage_object"
_OBJECTS = ("$", _USAGE, f"{_USAGE}.prompt_tokens_details", f"{_USAGE}.completion_tokens_details",
            "$.additional_usage_values")  # fmt: skip
_READ = (*_AS_TEXT, *litellm.CACHED, *litellm.WRITTEN, "reasoning_tokens", "status")
_PLACES = ("$.additional_usage_values", _USAGE, f"{_USAGE}.prompt_tokens_details")  # the first that names it
_REASONING = f"{_USAGE}.completion_tokens_details.reasoning_tokens"


def tell(cells: Cells) -> Told | None:
    """Say where a spend log's columns stand; failed calls are read one by one."""
    told = Told(cells.text("startTime"), cells.textual(cells.text("request_id")))
    if NOTHING in {told.at, told.identity}:
        return None
    metadata, hit = cells.text("metadata"), cells.text("cache_hit")
    cells.need(f"{told.identity} IS NOT NULL")
    _only_successes(cells, metadata)
    cells.need(matches(hit, "(?i:true|false|none)"))
    cached = cells.let(f"coalesce(lower({hit}) = 'true', FALSE)")
    _usage(cells, told, metadata)
    told.columns |= {
        "provider": cells.textual(cells.text("custom_llm_provider"), never_number=True),
        "model": cells.textual(cells.text("model"), never_number=True),
        "model_requested": cells.textual(cells.text("model_group"), never_number=True),
        "operation": _operation(cells.textual(cells.text("call_type"))),
        "status": "'success'",
        "user": cells.textual(cells.first("end_user", "user")),
        "session": cells.textual(cells.text("session_id")),
        "latency_ms": between(cells, told.at, cells.text("endTime")),
        "time_to_first_token_ms": _first_token(cells, told.at),
    }
    _cost(cells, told, cached)
    told.tags = [
        ("team", cells.textual(cells.text("team_id"))),
        ("organization", cells.textual(cells.text("organization_id"))),
        ("request_tags", _request_tags(cells)),
        ("cache_hit", f"CASE WHEN {cached} THEN 'true' END"),
    ]
    return told


def _only_successes(cells: Cells, metadata: str) -> None:
    cells.need(matches(cells.text("status"), "success"))
    if metadata != NOTHING:
        # Usage within the metadata as the text of a JSON object is read the other way, and so are failures,
        # and objects that name a key twice.
        valid, texts = _valid(cells, metadata), "|".join(_AS_TEXT)
        strange = quoted(rf'(?i)failure|"({texts})"\s*:\s*"')
        once = " AND ".join(
            f"coalesce(list_unique({keys}) = len({keys}), TRUE)"
            for keys in (f"json_keys({metadata}, {quoted(path)})" for path in _OBJECTS)
        )
        usual = f"CASE WHEN {valid} THEN NOT regexp_matches({metadata}, {strange}) AND {once} ELSE FALSE END"
        cells.need(f"({metadata} IS NULL OR {valid})")
        twice = "|".join(rf'"{key}\\?"\s*:.*"{key}\\?"\s*:' for key in _READ)
        sign = rf'(?i:failure)|({texts})\\?"\s*:\s*\\?"|{twice}'
        cells.need_of_odd(f"({metadata} IS NULL OR {usual})", sign)


def _valid(cells: Cells, metadata: str) -> str:
    return cells.let(f"json_valid({metadata})")


def _usage(cells: Cells, told: Told, metadata: str) -> None:
    counts = {
        "input_tokens": cells.count(cells.text("prompt_tokens")),
        "output_tokens": cells.count(cells.text("completion_tokens")),
    }
    counts |= dict.fromkeys(("cached_tokens", "cache_write_tokens", "reasoning_tokens"), NOTHING)
    either = cells.let(f"coalesce({counts['input_tokens']}, {counts['output_tokens']})")
    if metadata != NOTHING:
        groups = (litellm.CACHED, litellm.WRITTEN)
        paths = [f"{place}.{key}" for keys in groups for key in keys for place in _PLACES]
        listed = ", ".join(quoted(path) for path in [*paths, _REASONING])
        found = cells.let(
            f"json_extract(CASE WHEN {_valid(cells, metadata)} THEN {metadata} END, [{listed}])"
        )
        each = len(_PLACES)
        read, written = (
            [_first_named(found, paths, start * 2 * each + n * each) for n in range(2)] for start in range(2)
        )
        for name, texts in (("cached_tokens", read), ("cache_write_tokens", written)):
            counts[name] = _count(cells, f"coalesce({', '.join(texts)})", either)
        counts["reasoning_tokens"] = _count(
            cells, f"NULLIF(CAST({found}[{len(paths) + 1}] AS VARCHAR), 'null')", either
        )
    inclusive(cells, told, counts)
    told.silent = f"{either} IS NULL"


def _first_named(found: str, paths: list[str], start: int) -> str:
    """Give what the first place says that names a key, be it that it is null."""
    named = ", ".join(f"CAST({found}[{start + at + 1}] AS VARCHAR)" for at in range(len(_PLACES)))
    return f"NULLIF(coalesce({named}), 'null')" if paths else NOTHING


def _count(cells: Cells, text: str, either: str) -> str:
    """Read a count of the metadata, which counts only where tokens are told at all."""
    return f"CASE WHEN {either} IS NOT NULL THEN {cells.count(cells.let(text))} END"


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


def _cost(cells: Cells, told: Told, cached: str) -> None:
    spent, rounded, nothing = cells.money(cells.text("spend"))
    if spent != NOTHING:
        if cells.positions is None:
            cells.need(cells.verbatim("spend", cells.text("spend"), money=True))
        spent = f"CASE WHEN NOT {nothing} THEN {spent} END"
        rounded = f"NOT {cached} AND {rounded}"
    told.columns["cost"] = f"CASE WHEN {cached} THEN '0' ELSE {spent} END"
    told.columns["rounded"] = rounded


def _request_tags(cells: Cells) -> str:
    text = cells.text("request_tags")
    if text == NOTHING:
        return NOTHING
    cells.need(matches(text, _TAGS))
    return cells.let(f"NULLIF(replace({text}[2:-2], '\"', ''), '')")
