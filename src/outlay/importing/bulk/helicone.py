"""Helicone's requests in bulk: those that tell its own counts, without the provider's body."""

from outlay.importing import helicone
from outlay.importing.bulk.cells import Cells
from outlay.importing.bulk.expressions import MONEY, NOTHING, is_one_of, matches, quoted, trimmed
from outlay.importing.bulk.told import Told

_SESSION = "Helicone-Session-Id"


def tell(cells: Cells) -> Told | None:
    """Say where a request's columns stand; bodies with usage are read one by one."""
    told = Told(cells.text("request_created_at"), cells.textual(cells.text("request_id")))
    if NOTHING in {told.at, told.identity} or cells.positions is not None:
        return None
    cells.need(f"{told.identity} IS NOT NULL")
    status = cells.count(cells.first("response_status", "status"))
    failed = f"coalesce({status}, 0) >= {helicone.FAILED}"
    _no_body(cells)
    _usage(cells, told)
    provider = cells.textual(cells.first("provider", "model_provider"), never_number=True)
    cells.need(
        f"({provider} IS NULL OR regexp_full_match({provider}, '[ -~]*'))"
    )  # lower() of others differs
    properties = next((name for name in ("request_properties", "properties") if name in cells.sources), None)
    if properties == "request_properties":
        cells.missing(cells.text("properties"))
    tags = None if properties is None else _tags(cells, properties)
    if tags is None:
        said = NOTHING if properties is None else cells.object(properties)
        told.more_tags, session = said, _session(cells, said)
    else:
        told.tags, session = list(tags.items()), tags.get(_SESSION, NOTHING)
    model = cells.textual(
        cells.first("response_model", "request_model", "model", "model_override"), never_number=True
    )
    _no_other(cells, model)
    told.columns |= {
        "provider": f"lower({provider})",
        "model": model,
        "status": f"CASE WHEN {failed} THEN 'error' ELSE 'success' END",
        "error": f"CASE WHEN {failed} THEN 'HTTP ' || {status} END",
        "user": cells.textual(cells.first("request_user_id", "helicone_user", "user_id")),
        "session": session,
        "latency_ms": cells.measure(cells.first("delay_ms", "latency")),
        "time_to_first_token_ms": cells.measure(cells.text("time_to_first_token")),
    }
    _cost(cells, told)
    return told


def _tags(cells: Cells, name: str) -> dict[str, str] | None:
    """Give the texts of properties by their names; None where not all rows have the same, and texts alone."""
    if cells.form is None or not cells.form.has_texts(cells.sources[name]):
        return None
    texts = {key: str(text) for tree in cells.trees(name) or () for key, text in tree.items()}
    for text in texts.values():
        cells.need(f"{text} IS NOT NULL")  # an empty one is a tag as well
    return texts


def _session(cells: Cells, properties: str) -> str:
    if properties == NOTHING:
        return NOTHING
    return cells.textual(cells.let(f"NULLIF(json_extract_string({properties}, '$.\"{_SESSION}\"'), '')"))


def _no_other(cells: Cells, model: str) -> None:
    """Leave rows to the other way that may be no calls of a model."""
    if model != NOTHING:
        begin = [f"starts_with({model}, {quoted(name)})" for name in helicone.OTHERS_OF]
        cells.need(f"({model} IS NULL OR NOT ({' OR '.join([*begin, _is_one_of(model)])}))")


def _is_one_of(model: str) -> str:
    return f"{model} IN ({', '.join(map(quoted, helicone.OTHERS))})"


def _no_body(cells: Cells) -> None:
    body = cells.text("response_body")
    if body != NOTHING:
        cells.need(f"""({body} IS NULL OR NOT (contains({body}, 'usage') OR contains({body}, '\\')))""")


def _usage(cells: Cells, told: Told) -> None:
    prompt, completion, read, written, thought = (
        cells.count(cells.text(name))
        for name in (
            "prompt_tokens",
            "completion_tokens",
            "prompt_cache_read_tokens",
            "prompt_cache_write_tokens",
            "reasoning_tokens",
        )
    )
    for name in helicone.AUDIO:
        if name in cells.sources:
            cells.need(is_one_of(cells.text(name), "0"))
    out = cells.let(f"coalesce({completion}, 0)")
    reasoning = cells.let(f"coalesce({thought}, 0)")
    fresh = cells.let(f"coalesce({prompt}, 0)")
    within = "0" if thought == NOTHING else _within(cells, f"{fresh} + {out}", reasoning)
    told.units = {
        "input": fresh,
        "cache_read": f"coalesce({read}, 0)",
        "cache_write": f"coalesce({written}, 0)",
        "output": f"greatest({out} - {within}, 0)",
        "reasoning": reasoning,
    }
    told.silent = cells.let(f"{' + '.join(told.units.values())} = 0")


def _within(cells: Cells, whole: str, reasoning: str) -> str:
    """Give how many thought tokens lie within the completion."""
    total = cells.text("total_tokens")
    if total == NOTHING:
        return "0"
    return f"CASE WHEN {cells.count(total)} = {whole} THEN {reasoning} ELSE 0 END"


def _cost(cells: Cells, told: Told) -> None:
    names = [name for name in ("cost", "costUSD", "cost_usd") if name in cells.sources]
    for name in names[1:]:
        cells.missing(cells.text(name))
    reference = cells.text("cache_reference_id")
    if reference != NOTHING:
        cells.need(matches(reference, "[0-9A-Za-z-]*"))  # a list or an object is no answer that was kept
    cached = f"coalesce({reference} <> {quoted(helicone.NO_CACHE)}, FALSE)"
    amount, rounded = NOTHING, "FALSE"
    if names:
        text = cells.text(names[0])
        cells.need(cells.verbatim(names[0], text, money=True))
        amount, rounded, nothing = cells.money(text)
        if helicone.is_stored(cells.sources):
            cells.need(matches(text, "[0-9]{1,15}"))
            amount = trimmed(
                f"CAST(CAST({text} AS DECIMAL(15, 0)) * CAST('0.000000001' AS DECIMAL(9, 9)) AS {MONEY})"
            )
        amount = f"CASE WHEN NOT {nothing} THEN {amount} END"
    told.columns["cost"] = f"CASE WHEN {cached} THEN '0' ELSE {amount} END"
    told.columns["rounded"] = f"NOT {cached} AND {rounded}"
