"""Spans of a trace that goes on: no end of a process, and no fork within it, takes their calls along."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

import outlay

PROGRAM = """
import multiprocessing, os, sys
from opentelemetry.sdk.trace import TracerProvider
from outlay.otel import OutlaySpanProcessor

provider = TracerProvider()
provider.add_span_processor(OutlaySpanProcessor())
tracer = provider.get_tracer("some.instrumentation")
U = "gen_ai.usage."
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o",
        U + "input_tokens": 1000, U + "output_tokens": 100}

def call(_=None):
    with tracer.start_as_current_span("chat", attributes=CHAT):
        pass

fork = multiprocessing.get_context("fork")
root = tracer.start_as_current_span("job")
root.__enter__()
"""
POOL = """
with fork.Pool(2) as pool:
    pool.map(call, range(4))
"""
PROCESSES = """
started = [fork.Process(target=call) for _ in range(4)]
for each in started:
    each.start()
for each in started:
    each.join()
"""
FOUR = """
for _ in range(4):
    call()
"""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(POOL, id="workers of a pool"),
        pytest.param(PROCESSES, id="forked processes"),
        pytest.param(FOUR, id="a span that never ends"),
        pytest.param(FOUR + "os._exit(0)", id="an end without exit handlers"),
        pytest.param(FOUR + "root.__exit__(None, None, None); call(); os.fork() or os._exit(0)", id="a fork"),
    ],
)
def test_each_call_is_recorded_once(tmp_path: Path, code: str) -> None:
    environ = {**os.environ, "OUTLAY_HOME": str(tmp_path), "OUTLAY_LEDGER": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PROGRAM + code], env=environ, timeout=60, check=True)
    with outlay.open(str(tmp_path)) as ledger:
        total = ledger.report().total
    calls = 5 if "fork()" in code else 4
    assert (total["calls"], total["cost"]) == (calls, calls * Decimal("0.0035"))


LATE = """
from opentelemetry.sdk.trace import TracerProvider
from outlay.otel import OutlaySpanProcessor, processor
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(OutlaySpanProcessor())
tracer = provider.get_tracer("opentelemetry.instrumentation.openai")
asked = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
}
tracer.start_span("chat gpt-4o", attributes=asked).end()
class Held:
    span = tracer.start_span("chat gpt-4o", attributes=asked)
    room = processor
    def __del__(self):
        self.room.guarded = None  # as for Python 3.13, in which no guard can be made by now
        self.span.end()
held = Held()
"""


def test_a_span_that_ends_while_python_ends_is_recorded_and_nothing_is_said(tmp_path: Path) -> None:
    environ = {**os.environ, "OUTLAY_HOME": str(tmp_path), "OUTLAY_LEDGER": str(tmp_path)}
    command = [sys.executable, "-c", LATE]
    ran = subprocess.run(command, env=environ, timeout=60, check=True, capture_output=True, text=True)
    assert ran.stderr == ""
    with outlay.open(str(tmp_path)) as ledger:
        assert ledger.report().total["calls"] == 2
