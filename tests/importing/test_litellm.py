"""LiteLLM's rows that call no model, as its own code writes them, and answers of its cache."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.importing.test_bulk import both_agree, left

ROW: dict[str, Any] = {
    "request_id": "r1", "call_type": "acompletion", "spend": 0.0, "startTime": "2026-11-20T10:00:00Z",
    "endTime": "2026-11-20T10:00:02Z", "model": "gpt-4o", "custom_llm_provider": "openai",
    "cache_hit": "False",
    "prompt_tokens": 1000, "completion_tokens": 100, "status": "success", "metadata": {},
}  # fmt: skip
NONE = {"prompt_tokens": 0, "completion_tokens": 0}


def lines(*rows: dict[str, Any]) -> bytes:
    made = [{**row, "request_id": f"{row['request_id']}-{n}"} for n, row in enumerate(rows * 40)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in made)


@pytest.mark.parametrize(
    "kind",
    ["call_mcp_tool", "alist_mcp_tools", "afile_content", "acreate_batch", "video_content", "aget_responses"],
)
def test_what_calls_no_model_is_no_call(kind: str, tmp_path: Path) -> None:
    """Each was a call more, of unknown cost; one that its spend tells of is kept."""
    other = {**ROW, **NONE, "call_type": kind, "model": "MCP: search"}
    done = both_agree(lines(ROW, other))
    assert (done.calls, done.read) == (40, (80, 40, "litellm"))
    assert left(lines(ROW), tmp_path) == 0
    assert {each.cost for each in both_agree(lines({**other, "spend": 0.25})).records} == {Decimal("0.25")}


def test_tokens_of_what_is_read_are_those_of_the_call_that_made_it() -> None:
    """LiteLLM prices such at nothing for that; they were priced a second time."""
    assert both_agree(lines({**ROW, "call_type": "aget_responses"})).calls == 0
    job = both_agree(lines({**ROW, "call_type": "aretrieve_batch"}))
    assert {each.cost for each in job.records} == {
        Decimal("0.0035")
    }  # a batch that ended tells its usage here


def test_an_answer_of_its_cache_is_told_by_its_id_too(tmp_path: Path) -> None:
    """``cache_hit`` says False where an answer was found on the way; it was priced anew."""
    whom = {"end_user": "alice", "user": "svc"}  # whom a program serves before who that is
    row = {**ROW, **whom, "request_id": "chatcmpl-1_cache_hit1795168800.5"}
    data = lines({**row, "team_id": "red"}, {**row, "team_id": None})
    assert left(data, tmp_path) == 0
    records = both_agree(data).records
    assert {(each.cost, each.tags.get("cache_hit")) for each in records} == {(Decimal(0), "true")}
    assert {each.user for each in records} == {"alice"}
    assert {each.tags["team"] for each in records} == {"red", "none"}  # the latter is one of all rows
