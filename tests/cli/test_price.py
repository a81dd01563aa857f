"""``outlay price``: one line out for each line in, whatever stands on it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.cli.price_lines import price_line

Command = Callable[..., "subprocess.CompletedProcess[str]"]

BODY = {
    "model": "gpt-4o-2024-08-06",
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens_details": {"reasoning_tokens": 10},
    },
}


def line(**given_fields: Any) -> dict[str, Any]:
    basis = {"id": 1, "provider": "openai", "api": "chat", "at": "2026-11-01T00:00:00Z", "response": BODY}
    return {name: value for name, value in {**basis, **given_fields}.items() if value is not ...}


def answer(text: str | dict[str, Any]) -> dict[str, Any]:
    raw = text if isinstance(text, str) else json.dumps(text)
    found, fine = price_line(raw.encode())
    data: dict[str, Any] = json.loads(found)
    assert fine is ("error" not in data)
    return data


def test_a_line_is_priced_unit_by_unit() -> None:
    found = answer(line())
    # 600 x 2.50 + 400 x 1.25 + 100 x 10.00, each a million
    assert found["cost"] == "0.003"
    assert found["usage"] == {"input": 600, "cache_read": 400, "output": 90, "reasoning": 10}
    assert found["totals"] == {"input": 1000, "output": 100}
    assert (found["id"], found["provider"], found["model"]) == (1, "openai", "gpt-4o-2024-08-06")
    assert (found["currency"], found["cost_status"], found["reason"]) == ("USD", "priced", None)
    first = found["lines"][0]
    assert first == {"unit": "input", "quantity": 600, "rate": "2.50", "per": 1000000, "amount": "0.0015"}
    assert set(found["price"]) == {"source", "effective_from", "version", "extrapolated"}
    assert found["flags"] == []
    assert "parts" not in found


def test_stream_text_events_and_bodies_are_priced_alike() -> None:
    chunk = {"model": "gpt-4o-2024-08-06", "choices": [], "usage": BODY["usage"]}
    sse = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
    whole = answer(line())
    for other in (line(response=..., events=[chunk]), line(response=..., sse=sse)):
        found = answer(other)
        assert {name: found[name] for name in ("cost", "usage", "totals")} == {
            name: whole[name] for name in ("cost", "usage", "totals")
        }


def test_the_lines_model_wins_over_the_bodys() -> None:
    found = answer(line(model="gpt-4o-mini"))
    # 600 x 0.15 + 400 x 0.075 + 100 x 0.60, each a million
    assert (found["model"], found["cost"]) == ("gpt-4o-mini", "0.00018")


def test_an_unknown_price_is_null_with_a_reason() -> None:
    found = answer(line(model="gpt-99-imaginary"))
    assert (found["cost"], found["cost_status"]) == (None, "unpriced")
    assert found["reason"]
    assert found["usage"]["input"] == 600


def test_a_body_without_usage_is_never_priced() -> None:
    found = answer(line(response={"model": "gpt-4o"}))
    assert (found["cost"], found["cost_status"], found["usage"]) == (None, "unpriced", {})


def test_the_time_decides_the_price() -> None:
    # 600 x 5 + 400 x 5 (no cache price then, so as input) + 100 x 15, each a million
    assert answer(line(at="2024-06-01T00:00:00Z", model="gpt-4o"))["cost"] == "0.0065"


@pytest.mark.parametrize(
    "written",
    [
        '"a"',
        "7",
        "null",
        "true",
        "1.0",
        "1e3",
        "-0.0",
        "123456789012345678901234567890",
        '[1.50, {"k": 2.0}]',
    ],
)
def test_the_id_comes_back_as_it_was_written(written: str) -> None:
    text = json.dumps(line(id="ID")).replace('"ID"', written)
    found, fine = price_line(text.encode())
    assert fine
    assert found.startswith(f'{{"id":{written.replace(", ", ",").replace(": ", ":")},'.encode())


def test_half_a_surrogate_pair_in_a_text_does_no_harm() -> None:
    body = {**BODY, "choices": [{"message": {"content": "cut \ud83d"}}]}
    assert answer(line(response=body))["cost"] == "0.003"
    assert answer(line(id="\ud83d"))["id"] == "\ud83d"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the line is empty"),
        ("{", "the line is no JSON"),
        ("[1]", "must be a JSON object"),
        ('{"id": NaN}', "the line is no JSON"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps(line(provider=...)), "no provider"),
        (json.dumps(line(provider=7)), "provider must be a text"),
        (json.dumps(line(response=...)), "none of response, events, sse"),
        (json.dumps(line(response=7)), "response cannot be of type int"),
        (json.dumps(line(response=..., events={})), "events cannot be of type dict"),
        (json.dumps(line(api="nope")), "no API is named 'nope'"),
        (json.dumps(line(at="yesterday")), "is no time"),
        (json.dumps(line(at=True)), "at must be a time"),
        (json.dumps(line(model=[1])), "model must be a text"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(text: str, says: str) -> None:
    found = answer(text)
    assert set(found) == {"id", "error"}
    assert says in found["error"]


def test_an_error_keeps_the_lines_id() -> None:
    assert answer(line(id="x", response=...))["id"] == "x"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
USAGE_KEYS = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "prompt_tokens_details",
    ]
)
HOSTILE = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "provider": st.sampled_from(["openai", "anthropic", "nope", "", 7, None]),
        "api": st.sampled_from(["chat", "messages", "responses", "generate_content", "nope", None, 7]),
        "model": JSON,
        "at": JSON,
        "response": JSON | st.fixed_dictionaries({"usage": st.dictionaries(USAGE_KEYS, JSON)}),
        "events": JSON,
        "sse": JSON,
    },
)


@given(HOSTILE)
def test_any_object_gives_one_line_with_its_id(data: dict[str, Any]) -> None:
    found, _ = price_line(json.dumps(data).encode())
    assert b"\n" not in found
    read = json.loads(found)
    assert read["id"] == data.get("id")
    assert "a fault of outlay's own" not in read.get("error", "")


@given(st.binary(max_size=200))
def test_any_bytes_give_one_line(raw: bytes) -> None:
    found, fine = price_line(raw)
    assert b"\n" not in found
    assert not fine
    assert set(json.loads(found)) == {"id", "error"}


def test_good_and_bad_lines_keep_their_order_and_end_with_one(command: Command, tmp_path: Path) -> None:
    lines = [json.dumps(line(id="a")), "{", json.dumps(line(id="b"))]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for done in (
        command("price", stdin="\n".join(lines)),
        command("price", "-", stdin="\n".join(lines) + "\n"),
        command("--json", "price", "in.jsonl"),
    ):
        found = [json.loads(each) for each in done.stdout.splitlines()]
        assert [each["id"] for each in found] == ["a", None, "b"]
        assert ["error" in each for each in found] == [False, True, False]
        assert done.returncode == 1
        assert done.stderr == ""


def test_good_lines_end_with_zero(command: Command) -> None:
    done = command("price", stdin=json.dumps(line()) + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["cost"] == "0.003"


def test_no_lines_are_no_error(command: Command) -> None:
    done = command("price")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_live_pipe_is_answered_line_by_line(environ: dict[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "outlay", "price"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(2):
            process.stdin.write(json.dumps(line(id=number)).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait() == 0


def test_prices_of_ones_own_count(command: Command, tmp_path: Path) -> None:
    own = """
[[model]]
provider = "openai"
model = "gpt-99-imaginary"
[[model.price]]
rates = {input = "1.00", output = "2.00"}
source = "a contract"
"""
    (tmp_path / "mine.toml").write_text(own, encoding="utf-8")
    text = json.dumps(line(model="gpt-99-imaginary")) + "\n"
    found = json.loads(command("price", stdin=text, OUTLAY_PRICES="mine.toml").stdout)
    # 1000 in x 1.00 and 100 out x 2.00, each a million; a cached token without a price costs as any other
    assert (found["cost"], found["price"]["source"]) == ("0.0012", "a contract")
    missing = command("price", stdin=text, OUTLAY_PRICES="missing.toml")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert len(missing.stderr.splitlines()) == 1
