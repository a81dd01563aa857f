"""Trace, span and baggage of the program's own OpenTelemetry stand on its records; we never load it."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider
from tests.support.wire import Kept

from outlay.capture import Call, Recorder, context
from outlay.capture.guard import failures
from outlay.core.usage import Usage


@pytest.fixture
def tracer() -> Any:
    return TracerProvider(shutdown_on_exit=False).get_tracer("test")


@pytest.fixture
def carried() -> Iterator[None]:
    token = otel_context.attach(baggage.set_baggage("user.id", "u7", baggage.set_baggage("team", "search")))
    yield
    otel_context.detach(token)


def test_the_span_that_a_call_starts_in_is_kept(recorder: Recorder, kept: Kept, tracer: Any) -> None:
    with tracer.start_as_current_span("request") as span:
        call = Call(recorder, provider="openai", api="chat", model="gpt-4o")
        recorder.record(model="m", input_tokens=1)
    with tracer.start_as_current_span("later"):
        call.finish(Usage.of({"input": 1}))
    ids = span.get_span_context()
    assert len({(each.trace_id, each.span_id) for each in kept.records}) == 1
    assert kept.records[0].trace_id == f"{ids.trace_id:032x}"
    assert kept.records[0].span_id == f"{ids.span_id:016x}"


def test_without_a_span_there_are_no_ids(recorder: Recorder, kept: Kept) -> None:
    recorder.record(model="m", input_tokens=1)
    assert (kept.only.trace_id, kept.only.span_id) == (None, None)


def test_ids_given_by_hand_win(recorder: Recorder, kept: Kept, tracer: Any) -> None:
    with tracer.start_as_current_span("request"):
        recorder.record(model="m", input_tokens=1, trace_id="t", span_id="s")
    assert (kept.only.trace_id, kept.only.span_id) == ("t", "s")


@pytest.mark.usefixtures("carried")
def test_baggage_says_who_under_what_the_program_says(recorder: Recorder, kept: Kept) -> None:
    recorder.record(model="m", input_tokens=1)
    with context(user="u1", team="own"):
        recorder.record(model="m", input_tokens=1)
    first, second = kept.records
    assert (first.user, first.tags) == ("u7", {"service": "web", "team": "search"})
    assert (second.user, second.tags) == ("u1", {"service": "web", "team": "own"})


def test_baggage_is_bounded(recorder: Recorder, kept: Kept) -> None:
    carrying = otel_context.get_current()
    for n in range(100):
        carrying = baggage.set_baggage(f"n{n}", "x" * 1000, carrying)
    token = otel_context.attach(carrying)
    try:
        recorder.record(model="m", input_tokens=1)
    finally:
        otel_context.detach(token)
    assert len(kept.only.tags) == 1 + 16
    assert {len(value) for value in kept.only.tags.values()} == {3, 200}


def test_a_foreign_module_of_that_name_stops_no_call(
    recorder: Recorder, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures.clear()
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", sys)
    recorder.record(model="m", input_tokens=1)
    assert kept.only.trace_id is None
    assert failures.pop("surroundings") == 1


def test_opentelemetry_is_not_loaded_by_recording() -> None:
    code = (
        "import sys, outlay; outlay.record(model='m', input_tokens=1);"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"OUTLAY_LEDGER": "memory:", "PATH": ""},
    )
    assert done.stdout.strip() == "[]"
