"""Calls that daemon threads make when the program ends, in real processes over loopback."""

import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.stub import stub

from outlay.capture.ends import leave_at_once
from outlay.journal import segments

# groq is hooked as openai is, and its streams refer to themselves too; it loads in half the time.
BEGIN = """
import asyncio, json, os, sys, threading, time
import groq, outlay
outlay.instrument("groq")
to = dict(base_url=sys.argv[1], api_key="k", max_retries=0)
asked = dict(model="gpt-4o", messages=[{"role": "user", "content": "outlay:hold:1000:100:x"}])
def whole():
    groq.Groq(**to).chat.completions.create(**asked)
def stream():
    for chunk in groq.Groq(**to).chat.completions.create(**asked, stream=True):
        pass
async def whole_async():
    await groq.AsyncGroq(**to).chat.completions.create(**asked)
async def stream_async():
    async for chunk in await groq.AsyncGroq(**to).chat.completions.create(**asked, stream=True):
        pass
def begin(work):
    threading.Thread(target=work, daemon=True).start()
"""
WAIT = "sys.stdin.read()\n"
FORKS = """
if not os.fork():
    begin(lambda: time.sleep(60))
    sys.exit()
os.wait()
"""


def ended(code: str, home: Path) -> list[dict[str, Any]]:
    """Run a program that ends when its request is under way; give its records."""
    with (
        stub() as server,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", BEGIN + code, server.url("x")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OUTLAY_LEDGER": str(home)},
        ) as program,
    ):
        until = time.monotonic() + 60
        while not server.bill.of("x").get("held") and time.monotonic() < until and program.poll() is None:
            time.sleep(0.02)
        assert program.communicate("", timeout=60)[0] == ""
        assert program.returncode == 0
    lines = b"".join(each.path.read_bytes() for each in segments(home / "journal")).splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "work", ["whole", "stream", "lambda: asyncio.run(whole_async())", "lambda: asyncio.run(stream_async())"]
)
def test_a_call_that_a_daemon_thread_still_makes_is_a_failed_one(work: str, tmp_path: Path) -> None:
    (record,) = ended(f"begin({work})\n{WAIT}", tmp_path)
    assert (record["model"], record["status"], record["error_type"]) == ("gpt-4o", "error", "SystemExit")
    assert record["cost_status"] == "unpriced"


BETWEEN = """
asked["messages"][0]["content"] = "outlay:ok:1000:100:x"
read = threading.Event()
def between():
    stream = groq.Groq(**to).chat.completions.create(**asked, stream=True)
    next(stream)
    read.set()
    time.sleep(60)
    stream.close()
async def between_async():
    stream = await groq.AsyncGroq(**to).chat.completions.create(**asked, stream=True)
    await anext(stream)
    read.set()
    await asyncio.sleep(60)
    await stream.close()
"""


@pytest.mark.parametrize("work", ["between", "lambda: asyncio.run(between_async())"])
def test_a_stream_that_a_daemon_thread_has_read_in_part_was_left(work: str, tmp_path: Path) -> None:
    (record,) = ended(f"{BETWEEN}begin({work})\nread.wait(60)\n", tmp_path)
    assert (record["model"], record["status"], record["streamed"]) == ("gpt-4o", "success", True)
    assert {"abandoned", "partial"} <= set(record["flags"])


AMID = """
import gc, httpx
asked["messages"][0]["content"] = "x"
looked, given = threading.Event(), threading.Event()
look = gc.get_objects
def get_objects(*args, **kwargs):
    found = look(*args, **kwargs)
    if not looked.is_set():
        looked.set()
        given.wait(60)
    return found
gc.get_objects = get_objects
async def events():
    yield b'data: {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": []}\\n\\n'
    await asyncio.sleep(60)
async def answer(request):
    asking.set()
    while not looked.is_set():
        await asyncio.sleep(0.001)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=events())
async def comes_amid():
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = groq.AsyncGroq(api_key="k", max_retries=0, http_client=http)
    stream = await client.chat.completions.create(**asked, stream=True)
    def idle():  # the stream is on no stack now, nor young any more where garbage is collected
        for _ in range(3):
            more = [[] for _ in range(10_000)]
        given.set()
    async for chunk in stream:
        asyncio.get_running_loop().call_later(0.05, idle)
asking = threading.Event()
begin(lambda: asyncio.run(comes_amid()))
asking.wait(60)
"""


def test_a_stream_that_is_given_while_the_calls_are_looked_for_is_found(tmp_path: Path) -> None:
    (record,) = ended(AMID, tmp_path)
    assert (record["model"], record["status"]) == ("gpt-4o", "error")
    assert record["error_type"] == "SystemExit"


TOLD = """
import httpx
asked["messages"][0]["content"] = "x"
read = threading.Event()
class Body(httpx.SyncByteStream):
    def __iter__(self):
        chunk = {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [],
                 "usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}}
        yield f"data: {json.dumps(chunk)}\\n\\n".encode()
        read.set()
        time.sleep(60)
def answer(request):
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
to.pop("base_url")
to["http_client"] = httpx.Client(transport=httpx.MockTransport(answer))
begin(stream)
read.wait(60)
"""


def test_a_stream_that_breaks_off_at_the_end_keeps_what_it_has_told(tmp_path: Path) -> None:
    (record,) = ended(TOLD, tmp_path)
    assert (record["error_type"], record["input_tokens"]) == ("SystemExit", 7)
    assert "partial" in record["flags"]


ASKED_FIRST = """
from outlay import process
recorder, looking = process.current().recorder(), threading.Semaphore(0)
def looks(*_):
    if threading.current_thread().name == "refused":
        looking.release()
        time.sleep(60)
recorder.gated, recorder._gate = True, looks
def asks_a_budget():
    threading.Thread(target=whole, name="refused", daemon=True).start()
    looking.acquire()
asks_a_budget()
begin(whole)
"""


def test_a_call_that_a_budget_may_still_refuse_is_none_and_hides_no_other(tmp_path: Path) -> None:
    """One such thread began before the one whose request is sent, and one after it."""
    (record,) = ended(f"{ASKED_FIRST}asks_a_budget()\n{WAIT}", tmp_path)
    assert (record["status"], record["error_type"]) == ("error", "SystemExit")


def test_who_lives_on_after_the_look_has_the_collector_as_it_was() -> None:
    assert gc.isenabled()
    leave_at_once()
    assert gc.isenabled()
    gc.disable()
    try:
        leave_at_once()
        assert not gc.isenabled()
    finally:
        gc.enable()


CHILDREN = """
import multiprocessing
asked["messages"][0]["content"] = "outlay:ok:1000:100:x"
def part(*_):
    for chunk in groq.Groq(**to).chat.completions.create(**asked, stream=True):
        return
def forks():
    if not os.fork():
        part()
        os._exit(0)
    os.wait()
def pool():
    with multiprocessing.get_context("fork").Pool(1) as workers:
        workers.map(part, range(1))
def process():
    child = multiprocessing.get_context("fork").Process(target=part)
    child.start()
    child.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.parametrize("end", ["forks", "pool", "process"])
def test_a_stream_that_a_child_left_is_a_call_though_nothing_is_collected_there(
    end: str, tmp_path: Path
) -> None:
    """The SDK's streams refer to themselves, so that one is only dropped when the collector comes by."""
    (record,) = ended(f"{CHILDREN}{end}()\n", tmp_path)
    assert (record["status"], record["streamed"]) == ("success", True)
    assert {"abandoned", "partial"} <= set(record["flags"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.parametrize("work", ["whole", "lambda: asyncio.run(whole_async())"])
def test_a_forked_child_does_not_record_what_its_parent_is_doing(work: str, tmp_path: Path) -> None:
    (record,) = ended(f"begin({work})\n{WAIT}{FORKS}", tmp_path)
    assert record["error_type"] == "SystemExit"


def test_a_call_that_has_ended_is_not_told_again(tmp_path: Path) -> None:
    code = """
done = threading.Event()
def works():
    try:
        groq.Groq(**to, timeout=0.2).chat.completions.create(**asked)
    except groq.APITimeoutError:
        done.set()
    time.sleep(60)
begin(works)
done.wait()
"""
    (record,) = ended(f"{code}{WAIT}", tmp_path)
    assert record["error_type"] == "APITimeoutError"
