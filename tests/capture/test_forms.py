"""The line of a call that is filled into a form is the one that the whole way would have made."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.unmade import Unmade

from outlay.capture import Call, Recorder, context
from outlay.capture.streams import Watch, watch
from outlay.core.codec import record_from_json, record_json
from outlay.core.ids import time_of
from outlay.core.record import Record
from outlay.extract import collector
from outlay.pricing import Book, cost_of, tariff_of

NOON = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
COUNTS = st.one_of(st.integers(0, 3000), st.sampled_from([200_000, 200_001, 272_001, 10**9]))
OPENAI = ("gpt-4o-2024-08-06", "o3", "gpt-5.4", "gpt-4o-mini-search-preview", "no-such-model")
ANTHROPIC = ("claude-sonnet-4-5-20250929", "claude-3-haiku-20240307")
GOOGLE = ("gemini-2.5-pro", "gemini-2.5-flash")


class Clock:
    """Noon, and a stopwatch that both ways of a call read alike."""

    def __init__(self) -> None:
        self.at = NOON
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        self.seconds += 0.2504
        return self.seconds


@st.composite
def chats(draw: st.DrawFn) -> tuple[str, Mapping[str, Any]]:
    prompt, output = draw(COUNTS), draw(COUNTS)
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output + draw(st.sampled_from([0, 0, 0, 7])),
    }
    if draw(st.booleans()):
        usage["prompt_tokens_details"] = {"cached_tokens": draw(st.integers(0, prompt)), "audio_tokens": 0}
        usage["completion_tokens_details"] = {"reasoning_tokens": draw(st.integers(0, output))}
    body = {
        "id": draw(st.sampled_from(["chatcmpl-1", "", 'é"\\\ud800'])),
        "model": draw(st.sampled_from(OPENAI)),
    }
    tier = draw(st.sampled_from([{}, {"service_tier": "flex"}, {"service_tier": "default"}]))
    return "chat", {**body, **tier, "usage": draw(st.sampled_from([usage, usage, usage, None]))}


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, Mapping[str, Any]]:
    usage = {
        "input_tokens": draw(COUNTS),
        "cache_read_input_tokens": draw(COUNTS),
        "cache_creation_input_tokens": draw(st.sampled_from([0, 500])),
        "output_tokens": draw(COUNTS),
        "server_tool_use": draw(st.sampled_from([None, {"web_search_requests": 2}])),
    }
    return "messages", {"id": "msg_1", "model": draw(st.sampled_from(ANTHROPIC)), "usage": usage}


@st.composite
def contents(draw: st.DrawFn) -> tuple[str, Mapping[str, Any]]:
    usage = {
        "promptTokenCount": draw(COUNTS),
        "candidatesTokenCount": draw(COUNTS),
        "thoughtsTokenCount": draw(COUNTS),
    }
    named = {"responseId": "r", "modelVersion": draw(st.sampled_from(GOOGLE))}
    return "generate_content", {**named, "usageMetadata": usage}


def made(recorder: Recorder, api: str, body: Mapping[str, Any], how: Mapping[str, Any]) -> None:
    """Make a call; ``how`` says what else is known of it."""
    providers = {"chat": "openai", "messages": "anthropic", "generate_content": "google"}
    with context(**how["whom"]):
        call = Call(recorder, provider=providers[api], api=api, model=how["asked"], streamed=how["streamed"])
    call.retries, call.terms, call.extra = how["retries"], how["terms"], how["extra"]
    if how["streamed"]:
        call.first_token()
    call.answer(json.dumps(body) if how["text"] else body)


HOWS = st.fixed_dictionaries(
    {
        "whom": st.sampled_from([{}, {}, {"user": "u1", "team": "search"}, {"session": ""}]),
        "asked": st.sampled_from(["gpt-4o", None]),
        "streamed": st.booleans(),
        "text": st.booleans(),
        "retries": st.sampled_from([0, 2]),
        "terms": st.sampled_from([{}, {}, {"batch": "true"}, {"month_input_tokens": "5"}]),
        "extra": st.sampled_from([{}, {}, {"raw_response": True}]),
    }
)


@given(
    calls=st.lists(st.tuples(st.one_of(chats(), messages(), contents()), HOWS), min_size=1, max_size=6),
    tags=st.sampled_from([{}, {"service": "web"}]),
    later=st.timedeltas(timedelta(0), timedelta(days=2000)),
)
def test_a_filled_form_says_what_the_whole_way_says(
    calls: list[tuple[tuple[str, Mapping[str, Any]], dict[str, Any]]], tags: dict[str, str], later: timedelta
) -> None:
    told: list[list[dict[str, Any]]] = []
    for tariff in (None, partial(tariff_of, book=Book.default())):
        sink, clock = Unmade(), Clock()
        recorder = Recorder(sink, clock=clock, price=cost_of, tags=tags, tariff=tariff)
        for (api, body), how in calls + calls:  # so that each is filled in at least once
            made(recorder, api, body, how)
            clock.at = NOON - later if clock.at is NOON else NOON
        told.append([pending.json() for pending in sink.taken])
    whole, filled = told
    assert len(whole) == len(filled) == 2 * len(calls)
    for ours, theirs in zip(filled, whole, strict=True):
        assert time_of(ours.pop("id")) == time_of(theirs.pop("id"))
    assert filled == whole


def test_forms_are_used_and_read_back_as_the_record() -> None:
    """Two calls of one kind: the second is priced without the price book, and adds up to the digit."""
    asked: list[str] = []

    def price(*given: Any, **named: Any) -> Any:
        asked.append(named["model"])
        return cost_of(*given, **named)

    sink = Unmade()
    recorder = Recorder(sink, clock=Clock(), price=price, tariff=partial(tariff_of, book=Book.default()))
    for prompt, output in ((1000, 100), (1234567, 89)):
        usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
        Call(recorder, provider="openai", api="chat", model="gpt-4o").answer(
            {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "usage": usage}
        )
    first, second = (pending.json() for pending in sink.taken)
    assert asked == ["gpt-4o-2024-08-06"]
    # 1,234,567 at $2.50 and 89 at $10.00 a million tokens
    assert (first["cost"], second["cost"], second["cost_status"]) == ("0.0035", "3.0873075", "priced")
    assert [line["amount"] for line in second["lines"]] == ["3.0864175", "0.00089"]
    read = record_from_json(second)
    assert isinstance(read, Record)
    assert record_json(read) == second


def chunk(**fields: Any) -> dict[str, Any]:
    """Give a chunk of a chat stream."""
    return {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "choices": [], "usage": None, **fields}


WORD = chunk(choices=[{"index": 0, "delta": {"content": "word"}, "finish_reason": None}])
STOP = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USED = chunk(usage={"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100})


@given(
    words=st.integers(0, 9),
    end=st.sampled_from([[STOP, USED], [STOP], [], [STOP, USED, WORD], [{**STOP, "usage": USED["usage"]}]]),
    provider=st.sampled_from(["openai", "groq"]),
)
def test_a_stream_fills_a_form_as_the_whole_way_would_tell_it(
    words: int, end: list[dict[str, Any]], provider: str
) -> None:
    chunks = [WORD] * words + end
    told = []
    for tariff in (None, partial(tariff_of, book=Book.default())):
        sink = Unmade()
        recorder = Recorder(sink, clock=Clock(), price=cost_of, tariff=tariff)
        for _ in range(2):
            call = Call(recorder, provider=provider, api="chat", model="gpt-4o", streamed=True)
            passed = list(watch(iter(chunks), Watch(call, collector(provider, "chat"))))
            assert all(ours is theirs for ours, theirs in zip(passed, chunks, strict=True))
        told.append([pending.json() for pending in sink.taken])
    for made_of in told:
        assert [time_of(each.pop("id")) for each in made_of] == [NOON.replace(microsecond=123000)] * 2
    assert told[0] == told[1]
    assert told[1][1].get("usage") == (
        {"input": 1000, "output": 100} if end and end[-1] is not STOP else None
    )
