"""LiteLLM's metadata in bulk: what it says of usage, be it read by its keys or as an object of any keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from outlay.importing import litellm
from outlay.importing.bulk.cells import Cells, Tree
from outlay.importing.bulk.expressions import NOTHING, coalesced, is_one_of, quoted

_AS_TEXT = (
    "usage_object",
    "prompt_tokens_details",
    "completion_tokens_details",
    "additional_usage_values",
    litellm.WRITES,
    "server_tool_use",
    "cost_breakdown",
)
_APART = (*litellm.APART, *litellm.LIVED, *litellm.SEARCHES)  # which go one by one
_USAGE = "$.usage_object"
_OBJECTS = ("$", _USAGE, f"{_USAGE}.prompt_tokens_details", f"{_USAGE}.completion_tokens_details",
            "$.additional_usage_values", "$.additional_usage_values.prompt_tokens_details",
            "$.additional_usage_values.completion_tokens_details")  # fmt: skip
_ERROR = ("error_message", "error_class", "error_code")
_READ = (*_AS_TEXT, *litellm.CACHED, *litellm.WRITTEN, "reasoning_tokens", "status")
_PLACES = ("$.additional_usage_values", _USAGE, f"{_USAGE}.prompt_tokens_details")  # the first that names it
_BEHIND = {  # counts that are left to the other way, where they are not 0
    "prompt_tokens_details": (*litellm.CACHED, *litellm.WRITTEN),
    "completion_tokens_details": litellm.THOUGHT,
}
_REASONING = f"{_USAGE}.completion_tokens_details.reasoning_tokens"


@dataclass(frozen=True, slots=True)
class Details:
    """The texts of counts that metadata tells; ``NULL`` where it tells none."""

    cached: str = NOTHING
    written: str = NOTHING
    reasoning: str = NOTHING
    status: str | None = None  # None: whether the call failed is not read
    error: str = NOTHING
    error_type: str = NOTHING


def read_by_keys(cells: Cells) -> Details | None:
    """Read metadata that has the same keys in all rows; None where it has not."""
    source = cells.sources.get("metadata")
    if cells.form is None or source is None or not cells.form.has_keys(source, _AS_TEXT):
        return None
    metadata = next(iter(cells.trees("metadata") or ()), {})
    status = _text(metadata, "status")
    cells.need(is_one_of(status, "success", "failure"))
    _nothing_apart(cells, metadata)
    error = _inner(cells, metadata, "error_information")
    if not all(isinstance(error.get(key, NOTHING), str) for key in _ERROR):
        cells.need("FALSE")  # an object is no message
    usage = _inner(cells, metadata, "usage_object")
    places = (
        _inner(cells, metadata, "additional_usage_values"),
        usage,
        _inner(cells, usage, "prompt_tokens_details"),
    )
    _nothing_behind(cells, places[0])
    thought = _inner(cells, usage, "completion_tokens_details")
    return Details(
        _first_said(cells, litellm.CACHED, places),
        _first_said(cells, litellm.WRITTEN, places),
        _first_said(cells, ("reasoning_tokens",), (thought,)),
        status,
        cells.textual(coalesced(_text(error, key) for key in _ERROR)),
        cells.textual(_text(error, "error_class")),
    )


def _nothing_apart(cells: Cells, tree: Tree) -> None:
    """Leave to the other way what has, or gives, a price of its own."""
    for key, found in tree.items():
        if not isinstance(found, str):
            if key in _APART:
                cells.need("FALSE")  # an object is no count
            _nothing_apart(cells, found)
        elif key in _APART:
            cells.need(is_one_of(found, "0"))
        elif key in litellm.TERMS:
            words = ", ".join(map(quoted, litellm.TERMS[key]))
            cells.need(f"coalesce(lower({found}) NOT IN ({words}), TRUE)")
        elif key in _AS_TEXT:
            _inner(cells, tree, key)


def _nothing_behind(cells: Cells, beside: Tree) -> None:
    """Leave to the other way counts of versions that write no usage object."""
    for name, keys in _BEHIND.items():
        tree = _inner(cells, beside, name)
        for found in (tree[key] for key in keys if key in tree):
            cells.need(is_one_of(found, "0") if isinstance(found, str) else "FALSE")


def _text(tree: Tree, key: str) -> str:
    found = tree.get(key, NOTHING)
    return found if isinstance(found, str) else NOTHING


def _inner(cells: Cells, tree: Tree, key: str) -> Tree:
    """Give an object within; one that stands there as a text is left to the other way."""
    found = tree.get(key, NOTHING)
    if not isinstance(found, str):
        return found
    if found != NOTHING:
        cells.need(f"({found} IS NULL OR NOT contains({found}, '{{'))")
    return {}


def _first_said(cells: Cells, keys: Sequence[str], places: Sequence[Tree]) -> str:
    """Give the first of these counts that is told, each where it is named first."""
    found = [next((place[key] for place in places if key in place), NOTHING) for key in keys]
    if not all(isinstance(each, str) for each in found):
        cells.need("FALSE")  # an object is no count
    return coalesced(each for each in found if isinstance(each, str))


def read_as_object(cells: Cells) -> Details:
    """Read metadata of any keys, be it the text of an object."""
    metadata = cells.text("metadata")
    if metadata == NOTHING:
        return Details()
    valid = cells.let(f"json_valid({metadata})")
    _only_usual(cells, metadata, valid)
    paths = [
        f"{place}.{key}" for keys in (litellm.CACHED, litellm.WRITTEN) for key in keys for place in _PLACES
    ]
    behind = [f"{_PLACES[0]}.{name}.{key}" for name, keys in _BEHIND.items() for key in keys]
    listed = ", ".join(quoted(path) for path in [*paths, _REASONING, *behind])
    found = cells.let(f"json_extract(CASE WHEN {valid} THEN {metadata} END, [{listed}])")
    for at in range(len(behind)):
        told = f"CAST({found}[{len(paths) + 2 + at}] AS VARCHAR)"
        cells.need(f"coalesce({told} IN ('0', 'null'), TRUE)")
    each = len(_PLACES)
    read, written = (
        [_first_named(found, start * 2 * each + n * each) for n in range(2)] for start in range(2)
    )
    return Details(
        f"coalesce({', '.join(read)})",
        f"coalesce({', '.join(written)})",
        f"NULLIF(CAST({found}[{len(paths) + 1}] AS VARCHAR), 'null')",
    )


def _only_usual(cells: Cells, metadata: str, valid: str) -> None:
    """Leave to the other way usage as the text of an object, failures, and objects that name a key twice."""
    texts = "|".join(_AS_TEXT)
    strange = quoted(rf'(?i)failure|"({texts})"\s*:\s*"')
    once = " AND ".join(
        f"coalesce(list_unique({keys}) = len({keys}), TRUE)"
        for keys in (f"json_keys({metadata}, {quoted(path)})" for path in _OBJECTS)
    )
    usual = f"CASE WHEN {valid} THEN NOT regexp_matches({metadata}, {strange}) AND {once} ELSE FALSE END"
    cells.need(f"({metadata} IS NULL OR {valid})")
    words = "|".join(word for each in litellm.TERMS.values() for word in each)
    apart = (  # more than none, or a word that decides the price
        rf'({"|".join(_APART)})\\?"\s*:\s*([^0n\s]|0[^,}}\s])|({"|".join(litellm.TERMS)})\\?"\s*:\s*\\?"(?i:{words})'
    )
    cells.need_of_odd(f"({metadata} IS NULL OR NOT regexp_matches({metadata}, {quoted(apart)}))", apart)
    twice = "|".join(rf'"{key}\\?"\s*:.*"{key}\\?"\s*:' for key in _READ)
    sign = rf'(?i:failure)|({texts})\\?"\s*:\s*\\?"|{twice}'
    cells.need_of_odd(f"({metadata} IS NULL OR {usual})", sign)


def _first_named(found: str, start: int) -> str:
    """Give what the first place says that names a key, be it that it is null."""
    named = ", ".join(f"CAST({found}[{start + at + 1}] AS VARCHAR)" for at in range(len(_PLACES)))
    return f"NULLIF(coalesce({named}), 'null')"
