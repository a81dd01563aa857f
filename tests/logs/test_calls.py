"""Logging calls: what a line holds, how it is printed, and that no log ever breaks a call."""

import asyncio
import json
import logging
import logging.config
import multiprocessing
import os
import subprocess
import sys
import threading
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from outlay.llm.money import PlainFloat
from outlay.logs import (
    CostLogFormatter,
    CostLogHandler,
    JsonlLog,
    log_llm_call,
    log_with_alert,
    track_llm_cost,
    tracked_llm_call,
)

SUCCESS = [
    "timestamp", "user_id", "query_type", "prompt_length", "status", "model", "input_tokens", "output_tokens",
    "cost", "latency", "cached",
]  # fmt: skip
FAILURE = ["timestamp", "user_id", "query_type", "prompt_length", "status", "error", "latency"]
ESSENTIAL = ("cost", "latency", "status", "model", "input_tokens", "output_tokens")


def answer(tokens_in: int = 1500, tokens_out: int = 300, **usage: Any) -> SimpleNamespace:
    counts = {"input_tokens": tokens_in, "output_tokens": tokens_out, **usage}
    return SimpleNamespace(model="gpt-4o", usage=SimpleNamespace(**counts), content="an answer")


def give(result: Any, _prompt: Any) -> Any:
    return result


def boom(_prompt: Any) -> Any:
    raise ValueError("boom")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "llm_calls.jsonl"


def messages(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.levelno == logging.INFO]


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="outlay")


def test_row_055_the_result_comes_back_and_one_line_is_written(log_file: Path) -> None:
    result = answer()
    assert tracked_llm_call("hi", "u1", "faq", call_llm=lambda _: result, log_file=log_file) is result
    (entry,) = lines(log_file)
    assert (entry["user_id"], entry["query_type"], entry["prompt_length"]) == ("u1", "faq", 2)


def call_llm(prompt: str) -> Any:
    return answer(len(prompt), 1)


def test_row_055_the_calling_modules_own_call_llm_is_found(log_file: Path) -> None:
    tracked_llm_call("four", log_file=log_file)
    assert lines(log_file)[0]["input_tokens"] == 4


def test_row_055_without_any_call_llm_it_says_what_to_give(log_file: Path) -> None:
    with pytest.raises(TypeError, match="call_llm="):
        eval("f('x')", {"f": tracked_llm_call})  # noqa: S307 - a module without a call_llm of its own


def test_row_070_what_is_printed(
    log_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 2.3, 10.0, 10.1])
    monkeypatch.setattr("outlay.logs.calls.time.perf_counter", lambda: next(clock))
    tracked_llm_call("hi", call_llm=lambda _: answer(), log_file=None, echo=True)
    with pytest.raises(ValueError, match="boom"):
        tracked_llm_call("hi", call_llm=boom, log_file=log_file, echo=True)
    assert capsys.readouterr().out.splitlines() == [
        "✅ Success | Cost: $0.0067 | Latency: 2.30s",
        "❌ Error | boom | Latency: 0.10s",
    ]


def test_row_071_the_fields_of_a_line_in_order(log_file: Path) -> None:
    tracked_llm_call("hé", call_llm=lambda _: answer(), log_file=log_file)
    with pytest.raises(ValueError, match="boom"):
        tracked_llm_call("hi", query_type="größe", call_llm=boom, log_file=log_file)
    good, bad = lines(log_file)
    assert list(good) == SUCCESS
    assert list(bad) == FAILURE
    # gpt-4o today: 1500 x 2.50 + 300 x 10 = 6,750 a million
    assert (good["status"], good["model"], good["cost"], good["cached"]) == (
        "success",
        "gpt-4o",
        0.00675,
        False,
    )
    assert (bad["status"], bad["error"], bad["query_type"]) == ("error", "boom", "größe")
    assert "größe".encode() in log_file.read_bytes()


def test_row_071_a_cached_answer_says_so(log_file: Path) -> None:
    tracked_llm_call("x", call_llm=lambda _: answer(cache_hit=True), log_file=log_file)
    assert lines(log_file)[0]["cached"] is True


def test_row_072_the_logger_takes_calls_as_json_and_the_root_stays_as_it_is(tmp_path: Path) -> None:
    root_before = (list(logging.getLogger().handlers), logging.getLogger().level)
    target = tmp_path / "llm_costs.log"
    logger = logging.getLogger("outlay")
    before = (logger.level, list(logger.handlers))
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"costs": {"class": "outlay.logs.CostLogHandler", "filename": str(target)}},
            "loggers": {"outlay": {"handlers": ["costs"], "level": "INFO"}},
        }
    )
    try:
        entry = log_llm_call("prompt", result=answer(), latency=1.5)
        logger.warning("not a call")
    finally:
        logger.handlers[:] = before[1]
        logger.setLevel(before[0])
    assert lines(target) == [entry]
    assert (logging.getLogger().handlers, logging.getLogger().level) == root_before


def test_row_072_the_formatter_makes_json_of_any_record(caplog: pytest.LogCaptureFixture) -> None:
    entry = log_llm_call("p", result=answer())
    formatter = CostLogFormatter()
    assert json.loads(formatter.format(caplog.records[-1])) == entry
    logging.getLogger("outlay").warning("careful: %s", "é")
    other = json.loads(formatter.format(caplog.records[-1]))
    assert (other["level"], other["message"]) == ("WARNING", "careful: é")


def test_row_071_whatever_a_field_holds_the_line_is_written_and_numbers_are_numbers(tmp_path: Path) -> None:
    entry: dict[Any, Any] = {
        "error": "no file caf\udce9",  # as of a name that is not UTF-8
        "user_id": 2**70,
        "cost": PlainFloat(0.0000075),
        "quality_score": np.float64(0.9),
        "rating": np.int64(4),
        "correct": np.bool_(False),  # noqa: FBT003 - numpy's own
        "latency": float("nan"),
        7: {"inner": [float("inf"), Decimal("0.10")]},
    }
    log = tmp_path / "log.jsonl"
    JsonlLog(log).write(entry)
    JsonlLog(log).write({name: value for name, value in entry.items() if name not in {"error", "user_id"}})
    whole, usual = lines(log)
    assert (whole["error"], whole["user_id"]) == ("no file caf?", 2**70)
    for line in (whole, usual):
        assert (line["cost"], line["quality_score"], line["rating"]) == (0.0000075, 0.9, 4)
        assert (line["correct"], line["latency"], line["7"]) == (False, None, {"inner": [None, "0.10"]})


def test_row_072_a_number_that_is_none_leaves_a_message_that_json_knows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_llm_call("p", result=answer(), latency=float("nan"), quality_score=np.float32(0.5))
    message = json.loads(caplog.records[-1].getMessage(), parse_constant=pytest.fail)
    assert (message["latency"], message["quality_score"]) == (None, 0.5)
    assert json.loads(CostLogFormatter().format(caplog.records[-1]), parse_constant=pytest.fail) == message


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "/etc/passwd", "..", ".", "con", "x" * 300, "a\\b", "nul.txt"]
)
def test_row_073_a_query_type_names_a_file_inside_the_folder(tmp_path: Path, name: str) -> None:
    log = JsonlLog(tmp_path / "logs" / "{query_type}.jsonl")
    path = log.write({"query_type": name, "cost": 1})
    assert path.resolve().parent == tmp_path / "logs"
    assert lines(path) == [{"query_type": name, "cost": 1}]


def test_row_073_none_is_unknown(tmp_path: Path) -> None:
    assert JsonlLog(tmp_path / "{query_type}.jsonl").write({"query_type": None}).name == "unknown.jsonl"


def test_row_074_every_success_has_the_essentials(log_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    unknown = {"model": "no-such-model", "usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    for result in (answer(), "just a text", unknown):
        tracked_llm_call("x", call_llm=partial(give, result), log_file=log_file)
        log_llm_call("x", result=result)
    for entry in (*lines(log_file), *messages(caplog)):
        assert set(ESSENTIAL) <= set(entry)
        assert entry["status"] == "success"
    assert lines(log_file)[2]["cost"] is None  # nobody knows its price: not zero


def test_row_075_an_errors_class_is_named() -> None:
    assert log_llm_call("x", error=TimeoutError("slow"))["error_type"] == "TimeoutError"


def test_row_076_business_fields_are_kept_and_essentials_are_at_most_ten(tmp_path: Path) -> None:
    entry = log_llm_call("x", result=answer(), rag_chunks_used=4)
    assert entry["rag_chunks_used"] == 4
    many = {**entry, **{f"field_{n}": n for n in range(50)}, "user_id": "u", "error": None}
    path = JsonlLog(tmp_path / "e.jsonl", essentials=True).write(many)
    (kept,) = lines(path)
    assert set(ESSENTIAL) <= set(kept)
    assert len(kept) <= 10


def test_row_077_the_prompts_text_is_never_logged(log_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    prompt = "what nobody should read"
    tracked_llm_call(prompt, call_llm=lambda _: answer(), log_file=log_file)
    log_llm_call(prompt, result=answer())
    assert prompt not in log_file.read_text() + caplog.text
    assert lines(log_file)[0]["prompt_length"] == len(prompt)


def test_row_078_judgements_are_kept() -> None:
    entry = log_llm_call("x", result=answer(), quality_score=0.9, user_rating=5, correct=True)
    assert (entry["quality_score"], entry["user_rating"], entry["correct"]) == (0.9, 5, True)


def write_many(path: str, name: str) -> None:
    log = JsonlLog(path)
    for number in range(100):
        log.write({"who": name, "number": number, "filler": "x" * 3000})


def test_row_079_processes_share_a_file_without_torn_lines(tmp_path: Path) -> None:
    path = tmp_path / "shared.jsonl"
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=write_many, args=(str(path), f"w{n}")) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted((entry["who"], entry["number"]) for entry in lines(path)) == [
        (f"w{n}", number) for n in range(3) for number in range(100)
    ]


def test_threads_lose_no_line(tmp_path: Path) -> None:
    log = JsonlLog(tmp_path / "t.jsonl")

    def work() -> None:
        for number in range(500):
            log.write({"n": number})

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path / "t.jsonl")) == 4000


def test_a_line_after_one_that_was_cut_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text('{"a": 1}\n{"b": ')
    JsonlLog(path).write({"c": 3})
    assert path.read_text().splitlines() == ['{"a": 1}', '{"b": ', '{"c":3}']


def test_a_full_file_is_moved_on_and_the_oldest_falls_off(tmp_path: Path) -> None:
    log = JsonlLog(tmp_path / "r.jsonl", max_bytes=20, keep=2)
    for number in range(8):
        log.write({"number": number})  # 12 bytes a line: full after two
    found = {path.name: [row["number"] for row in lines(path)] for path in tmp_path.glob("r.jsonl.?")}
    assert found == {"r.jsonl.1": [6, 7], "r.jsonl.2": [4, 5]}


@pytest.mark.parametrize("result", ["", None, {}, SimpleNamespace(model="gpt-4o", usage=None)])
def test_row_056_an_empty_result_is_a_success(result: Any) -> None:
    assert log_llm_call("x", result=result, latency=1)["status"] == "success"


def test_row_056_every_documented_way_to_call_it() -> None:
    first = log_llm_call("p", result=answer(), latency=0.5)
    assert (first["status"], first["latency"], first["cost"]) == ("success", 0.5, 0.00675)
    second = log_llm_call("p", error=RuntimeError("no"), latency=0.5)
    assert (second["status"], second["latency"], second["error"]) == ("error", 0.5, "no")
    third = log_llm_call("p", answer(), 2.25)  # the latency in the place of the error
    assert (third["status"], third["latency"]) == ("success", 2.25)
    assert log_llm_call(prompt="p", result=answer(), query_type="rag")["query_type"] == "rag"


def test_row_054_the_prompt_is_found_by_position_and_by_keyword(caplog: pytest.LogCaptureFixture) -> None:
    @track_llm_cost(query_type="rag_query")
    def rag_query(prompt: str, context: str) -> Any:
        return answer()

    @track_llm_cost(query_type="summary")
    def summarize(text: str) -> Any:
        return answer()

    @track_llm_cost(query_type="behind")
    def answer_from(context: str, prompt: str) -> Any:
        return answer()

    rag_query("12345", "context")
    rag_query(context="context", prompt="123")
    summarize("1234567")
    answer_from("context", "12")
    assert [(entry["prompt_length"], entry["query_type"]) for entry in messages(caplog)] == [
        (5, "rag_query"),
        (3, "rag_query"),
        (7, "summary"),
        (2, "behind"),
    ]


def test_row_054_an_error_is_logged_and_raised(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="boom"):
        track_llm_cost("x")(boom)("prompt")
    (entry,) = messages(caplog)
    assert (entry["status"], entry["error"], entry["query_type"]) == ("error", "boom", "x")


def test_row_057_a_coroutine_is_awaited_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    @track_llm_cost()
    async def ask(prompt: str) -> Any:
        await asyncio.sleep(0)
        return answer()

    assert asyncio.run(ask("hi")).content == "an answer"
    assert len(messages(caplog)) == 1


def test_row_052_a_log_that_fails_never_breaks_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("outlay.logs.decorate.log_llm_call", fail)
    assert track_llm_cost()(lambda prompt: "fine")("x") == "fine"
    assert tracked_llm_call("x", call_llm=lambda _: "fine", log_file=tmp_path) == "fine"  # a folder


def test_what_cannot_say_what_it_is_breaks_no_call_and_hides_no_error(log_file: Path) -> None:
    class Mute(Exception):  # noqa: N818 - a prompt in one call, an error in the other
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def fails(_prompt: Any) -> None:
        raise Mute

    assert tracked_llm_call(Mute(), call_llm=lambda _: answer(), log_file=log_file) is not None
    with pytest.raises(Mute):
        tracked_llm_call("hi", call_llm=fails, log_file=log_file)
    worked, failed = lines(log_file)
    assert (worked["status"], worked["prompt_length"]) == ("success", None)
    assert (failed["status"], failed["error"], failed["prompt_length"]) == ("error", "Mute", 2)


def test_an_output_that_cannot_show_a_sign_breaks_no_call_and_no_log(tmp_path: Path) -> None:
    """As under Windows, where an output into a file is no UTF-8."""
    said = """
from types import SimpleNamespace as Of
from outlay.logs import log_with_alert, tracked_llm_call
from outlay.trackers import CostTracker
answer = Of(model="gpt-4o", usage=Of(input_tokens=100_000, output_tokens=0))
tracked_llm_call("p", call_llm=lambda _: answer, echo=True, log_file="log.jsonl")
log_with_alert("p", answer, 1.0)
tracker = CostTracker(None)
tracker.record(input_tokens=1, output_tokens=1, model="gpt-4o")
tracker.print_summary()
tracker.print_call_log()
"""
    environ = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [sys.executable, "-c", said], check=True, capture_output=True, text=True, env=environ, cwd=tmp_path
    )
    assert done.stdout.startswith("\\u2705 Success | Cost: $0.2500")
    assert "EXPENSIVE QUERY: $0.2500" in done.stdout
    assert "COST & USAGE SUMMARY" in done.stdout
    assert len(lines(tmp_path / "log.jsonl")) == 1


def test_row_101_a_dear_query_is_said_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    # gpt-4o today, out alone: 5010 x 10 = 50,100 a million; 5000 are 0.05 itself
    log_with_alert("p", answer(0, 5000), 1.0)
    assert capsys.readouterr().out == ""
    entry = log_with_alert("p", answer(0, 5010), 1.5)
    assert capsys.readouterr().out == "⚠️ EXPENSIVE QUERY: $0.0501\n"
    assert (entry["latency"], entry["status"]) == (1.5, "success")
    log_with_alert("p", answer(0, 5010), 1.5, threshold=0.06)
    assert capsys.readouterr().out == ""


def test_a_handler_with_a_file_that_cannot_be_leaves_the_fault_to_logging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[logging.LogRecord] = []
    handler = CostLogHandler(tmp_path)
    monkeypatch.setattr(handler, "handleError", seen.append)
    logger = logging.getLogger("outlay")
    logger.addHandler(handler)
    try:
        log_llm_call("x", result=answer())
    finally:
        logger.removeHandler(handler)
    assert len(seen) == 1
