"""Objects within rows that have the same keys in all: read key by key in bulk, as if one by one."""

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.importing.test_bulk import COUNT, MONEY, RAW, TEN, both_agree, few, left

LEAF = RAW | (COUNT | MONEY).map(json.dumps)
LITELLM: dict[str, Any] = {
    "request_id": '"r{n}"', "spend": "0.25", "startTime": f'"{TEN}"', "model": '"gpt-4o"',
    "prompt_tokens": "90", "completion_tokens": "20", "status": '"success"', "request_tags": '["a"]',
    "metadata": {
        "status": '"success"', "tags": '["x"]', "user_api_key_alias": '"k"',
        "usage_object": {"cache_read_input_tokens": "null", "cached_tokens": "7",
                         "prompt_tokens_details": {"cached_tokens": "8", "cache_write_tokens": "2"},
                         "completion_tokens_details": {"reasoning_tokens": "3"}},
        "additional_usage_values": {"cache_creation_input_tokens": "4", "cached_tokens": "5"},
    },
}  # fmt: skip
LITELLM_APART: dict[str, Any] = {
    **LITELLM, "spend": "0",
    "metadata": {
        "status": '"success"',
        "usage_object": {"cache_creation_input_tokens": "30",
                         "prompt_tokens_details": {"audio_tokens": "0", "cache_creation_token_details": {
                             "ephemeral_5m_input_tokens": "30", "ephemeral_1h_input_tokens": "0"}},
                         "completion_tokens_details": {"audio_tokens": "null"}},
        "additional_usage_values": {"prompt_tokens_details": {"audio_tokens": "0", "cached_tokens": "0"},
                                    "completion_tokens_details": {"reasoning_tokens": "null"}},
    },
}  # fmt: skip
LANGFUSE: dict[str, Any] = {
    "id": '"o{n}"', "traceId": '"t"', "startTime": f'"{TEN}"', "type": '"GENERATION"', "model": '"gpt-4o"',
    "usage": {"input": "70", "output": "11", "unit": '"TOKENS"'},
    "usageDetails": {"input": "80", "output": "9", "total": "89", "input_cached_tokens": "3",
                     "cache_read_input_tokens": "null", "output_reasoning_tokens": "1"},
    "costDetails": {"input": "0.1", "total": "0.5"}, "totalCost": "0.75", "promptTokens": "5",
    "metadata": {"attempt": "1", "resource": {"service.name": '"x"'}},
}  # fmt: skip
HELICONE: dict[str, Any] = {
    "request_id": '"h{n}"', "request_created_at": f'"{TEN}"', "response_status": "200",
    "provider": '"OPENAI"', "request_model": '"gpt-4o"', "prompt_tokens": "9", "completion_tokens": "3",
    "request_properties": {"team": '"search"', "Helicone-Session-Id": '"s1"', "0": '"x"'},
    "cost": "0.5",
}  # fmt: skip
Path_ = tuple[str, ...]
Changes = list[tuple[Path_, str | None]]


def paths(row: Mapping[str, Any], before: Path_ = ()) -> list[Path_]:
    """Give where something stands in a row, objects and all that is in them."""
    found: list[Path_] = []
    for key, value in row.items():
        found.append((*before, key))
        if isinstance(value, dict):
            found += paths(value, (*before, key))
    return found


def changed(row: Mapping[str, Any], path: Path_, raw: str | None) -> dict[str, Any]:
    """Put something else in one place; None: take it away."""
    key, rest = path[0], path[1:]
    if not rest and raw is None:
        return {name: value for name, value in row.items() if name != key}
    if rest and not isinstance(row.get(key), dict):
        return dict(row)
    return {**row, key: changed(row[key], rest, raw) if rest else raw}


def text(value: Any, tight: bool = False) -> str:  # noqa: FBT001, FBT002  # one plain fact
    if not isinstance(value, dict):
        return str(value)
    comma, colon = (",", ":") if tight else (", ", ": ")
    return "{" + comma.join(f'"{key}"{colon}{text(each, tight)}' for key, each in value.items()) + "}"


def lines(row: Mapping[str, Any], changes: Changes, *, tight: bool = False) -> bytes:
    made = [dict(row)] * 30 + [changed(row, *change) for change in changes] + [dict(row)] * 10
    return "\n".join(text(each, tight).replace("{n}", str(n)) for n, each in enumerate(made)).encode()


@pytest.mark.parametrize(
    "row",
    [LITELLM, LITELLM_APART, LANGFUSE, HELICONE],
    ids=["litellm", "litellm's sound and lifetimes", "langfuse", "helicone"],
)
def test_a_value_within_that_is_another_in_some_rows(row: dict[str, Any]) -> None:
    places = st.sampled_from([path for path in paths(row) if len(path) > 1 or isinstance(row[path[0]], dict)])
    change = st.tuples(places, st.none() | LEAF)

    @few
    @given(st.lists(change, max_size=30), st.lists(change, max_size=2), st.booleans())
    def agree(some: Changes, of_all: Changes, tight: bool) -> None:  # noqa: FBT001  # drawn
        usual = row
        for path, raw in of_all:  # objects of other keys, and other values under them, in every row
            usual = changed(usual, path, raw)
        both_agree(lines(usual, some, tight=tight))

    agree()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        # cached: those of additional_usage_values, which are named first; the row's spend stands.
        (LITELLM, {"input_tokens": 90, "cached_tokens": 5, "cache_write_tokens": 4, "reasoning_tokens": 3}),
        # 80 and 9 are the total: cached and reasoning tokens lie within. usage is named second.
        (LANGFUSE, {"input_tokens": 80, "cached_tokens": 3, "output_tokens": 9, "reasoning_tokens": 1}),
        (HELICONE, {"input_tokens": 9, "output_tokens": 3, "session": "s1",
                    "tags": {"from": "test", "team": "search", "Helicone-Session-Id": "s1", "0": "x"}}),
    ],
    ids=["litellm", "langfuse", "helicone"],
)  # fmt: skip
def test_objects_of_the_same_keys_are_read_in_bulk(
    row: dict[str, Any], told: dict[str, Any], tmp_path: Path
) -> None:
    data = lines(row, [])
    assert left(data + b"\n", tmp_path) == 0
    done = both_agree(data)
    assert done.new == 40
    for record in done.records:
        assert {name: getattr(record, name) for name in told} == told


def spent_nothing(metadata: list[dict[str, Any]], *, same_keys: bool, as_text: bool) -> bytes:
    """Write LiteLLM's rows with a spend of 0, whose metadata has the same keys or not, as object or text."""
    made = []
    for n, each in enumerate(metadata):
        said = each if same_keys else {**each, f"key{n % 5}": n}
        row = {"request_id": f"r{n}", "spend": 0.0, "startTime": TEN, "model": "gpt-4o", "prompt_tokens": 90,
               "completion_tokens": 20, "metadata": json.dumps(said) if as_text else said}  # fmt: skip
        made.append(json.dumps(row).encode())
    return b"\n".join(made)


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("same_keys", [False, True])
@pytest.mark.parametrize("place", ["usage_object", "additional_usage_values"])
def test_litellms_sound_and_lifetimes_in_every_way(place: str, same_keys: bool, as_text: bool) -> None:  # noqa: FBT001  # parameters
    """What has a price of its own has it in bulk too, be metadata read by its keys, as an object or text."""
    made = []
    for n in range(60):
        writes = {"cache_creation_token_details": {"ephemeral_1h_input_tokens": 3 if n % 7 == 0 else 0}}
        prompt = {"audio_tokens": 5 if n % 11 == 0 else 0, **writes}
        made.append({place: {"cache_creation_input_tokens": 4, "prompt_tokens_details": prompt}})
    records = both_agree(spent_nothing(made, same_keys=same_keys, as_text=as_text)).records
    assert sum(dict(each.usage.items).get("cache_write_1h", 0) for each in records) == 27
    assert sum(dict(each.usage.items).get("input_audio", 0) for each in records) == 30


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("same_keys", [False, True])
@pytest.mark.parametrize(
    "told",
    [
        {"usage_object": {"server_tool_use": {"web_search_requests": 1}}},
        {"usage_object": {"prompt_tokens_details": {"web_search_requests": 1}}},
        {"usage_object": {"completion_tokens_details": {"image_tokens": 5}}},
        {"usage_object": {"service_tier": "batch"}},
        {"cost_breakdown": {"service_tier": "priority"}, "usage_object": {"service_tier": "standard"}},
    ],
)
def test_litellms_searches_pictures_and_tiers_in_every_way(
    told: dict[str, Any],
    same_keys: bool,  # noqa: FBT001  # a parameter
    as_text: bool,  # noqa: FBT001  # a parameter
) -> None:
    def usual(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: usual(value) for key, value in found.items()}
        return 0 if isinstance(found, int) else "standard"

    none = {"usage_object": {"server_tool_use": None}}
    made = [told if n % 7 == 0 else usual(told) if n % 2 else none for n in range(60)]
    records = both_agree(spent_nothing(made, same_keys=same_keys, as_text=as_text)).records
    with_usual = [(record.usage.items, record.cost) for record in records]
    assert sum(each != max(with_usual, key=with_usual.count) for each in with_usual) == 9


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("same_keys", [False, True])
def test_litellms_details_without_a_usage_object_in_every_way(same_keys: bool, as_text: bool) -> None:  # noqa: FBT001  # parameters
    made = []
    for n in range(60):
        details = {"prompt_tokens_details": {"cached_tokens": 7 if n % 7 == 0 else 0},
                   "completion_tokens_details": {"reasoning_tokens": 5 if n % 11 == 0 else 0}}  # fmt: skip
        made.append({"additional_usage_values": details})
    records = both_agree(spent_nothing(made, same_keys=same_keys, as_text=as_text)).records
    assert sum(record.cached_tokens or 0 for record in records) == 63
    assert sum(record.reasoning_tokens or 0 for record in records) == 30


def test_the_first_object_that_names_a_key_counts() -> None:
    """``usageDetails`` before ``usage``, be it that it names null."""
    row = changed(LANGFUSE, ("usageDetails", "output"), None)
    assert {record.output_tokens for record in both_agree(lines(row, [])).records} == {
        12
    }  # 80 + 11 is not 89: beside them
    row = changed(LANGFUSE, ("usageDetails", "output"), "null")
    assert {record.output_tokens for record in both_agree(lines(row, [])).records} == {1}


ZEROS = ["0", '"0"', "0.0", '"0.0"', '"$0"', '"-0"', "0e0", '""', "null"]


@pytest.mark.parametrize("zero", ZEROS)
def test_a_total_of_nothing_is_none_however_it_is_written(zero: str) -> None:
    """Of each kind of rows there are many, which are read in bulk by a form of their own."""
    details: Any = {"input": "0.1", "total": zero}
    kinds = product(("calculatedTotalCost", "totalCost"), (details, json.dumps(text(details))))
    rows = [
        {
            **changed(LANGFUSE, ("totalCost",), None),
            "id": f'"{at}.{{n}}"',
            name: '"0.75"',
            "costDetails": said,
        }
        for at, (name, said) in enumerate(kinds)
    ]
    done = both_agree(b"\n".join(lines(each, []) for each in rows))
    assert (done.new, {str(record.cost) for record in done.records}) == (160, {"0.75"})


DETAILS = st.fixed_dictionaries({}, optional={"input": LEAF, "total": LEAF | st.sampled_from(ZEROS)})


@few
@given(st.lists(st.tuples(DETAILS, st.booleans(), LEAF | st.none(), LEAF | st.none()), max_size=30))
def test_any_total_beside_any_cost(some: list[tuple[dict[str, str], bool, str | None, str | None]]) -> None:
    made = []
    for details, as_text, calculated, total in some:
        row = changed(changed(LANGFUSE, ("totalCost",), total), ("calculatedTotalCost",), calculated)
        row["costDetails"] = json.dumps(text(details)) if as_text else details
        made.append(row)
    rows = [LANGFUSE] * 10 + made
    both_agree("\n".join(text(each).replace("{n}", str(n)) for n, each in enumerate(rows)).encode())


UNTOLD: list[dict[str, Any]] = [
    {"request_id": '"r{n}"', "startTime": f'"{TEN}"', "spend": "0.0", "prompt_tokens": "0",
     "completion_tokens": "0", "metadata": {"usage_object": {"cached_tokens": "0"}}},
    {**HELICONE, "prompt_tokens": "0", "completion_tokens": "0", "cost": "0"},
    {**LANGFUSE, "usageDetails": {"input": "0", "output": "0", "input_audio": "0"}, "usage": "null",
     "costDetails": {"total": "0"}, "totalCost": "0"},
    {**LANGFUSE, "usageDetails": "{}", "usage": {"unit": '"TOKENS"', "input": "0", "output": "0"},
     "costDetails": "{}", "totalCost": "0"},
]  # fmt: skip


@pytest.mark.parametrize("row", UNTOLD, ids=["litellm", "helicone", "langfuse", "langfuse by its api"])
def test_where_no_token_is_told_nothing_is_priced_in_bulk(row: dict[str, Any], tmp_path: Path) -> None:
    data = lines({**row, "model": '"gpt-4o"'}, [])
    assert left(data + b"\n", tmp_path) == 0
    assert {(each.cost, each.usage.reason) for each in both_agree(data).records} == {
        (None, "no usage was given")
    }


@pytest.mark.parametrize(
    "usage", [{"unit": '"TOKENS"'}, '{"unit": "TOKENS"}'], ids=["by keys", "as an object"]
)
@pytest.mark.parametrize("name", ["input_modality_1", "output_audio"])
def test_counts_of_other_names_are_read_in_bulk_where_they_are_0(
    usage: Any, name: str, tmp_path: Path
) -> None:
    row = changed({**LANGFUSE, "usage": usage}, ("usageDetails", name), "0")
    row = changed(row, ("usageDetails", "total"), None)  # so that nothing lies within anything
    some: Changes = [(("usageDetails", name), "4"), (("usageDetails", "input_0"), "1")]
    data = lines(row, some)
    assert left(data + b"\n", tmp_path) == len(some)
    assert {each.total_tokens for each in both_agree(data).records} == {93, 93 + 4, 93 + 1}
