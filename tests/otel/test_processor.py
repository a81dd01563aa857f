"""Spans become records: what they say, each call once, leaves only, reported costs first."""

import json
import threading
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode
from tests.support.wire import Kept

import outlay
from outlay.capture import Call, Recorder
from outlay.capture.contexts import inside
from outlay.capture.guard import failures
from outlay.capture.texts import Texts
from outlay.core.errors import SettingsError
from outlay.core.usage import Usage
from outlay.otel import OutlaySpanProcessor, tree
from outlay.process import current

U = "gen_ai.usage."
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    U + "input_tokens": 1000,
    U + "output_tokens": 100,
}
START = 1_793_534_400_000_000_000  # 2026-11-01 12:00 UTC


def emit(
    provider: Any,
    attributes: dict[str, Any],
    scope: str = "some.instrumentation",
    name: str = "chat gpt-4o",
) -> Any:
    """Make one span that lasts 800 ms."""
    span = provider.get_tracer(scope, "1.2").start_span(name, attributes=attributes, start_time=START)
    span.end(end_time=START + 800_000_000)
    return span


def test_what_llama_index_gets_ready_is_no_call(provider: Any, kept: Kept) -> None:
    """OpenInference marks it as a model's; an agent's two requests were four calls, two without a price."""
    scope = "openinference.instrumentation.llama_index"
    said = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.provider": "openai"}
    emit(provider, said, scope, "OpenAI._prepare_chat_with_tools")
    emit(
        provider,
        said | {"llm.token_count.prompt": 10, "llm.token_count.completion": 2},
        scope,
        "OpenAI.achat",
    )
    assert kept.only.usage.units == {"input": 10, "output": 2}


def test_a_span_becomes_a_priced_record(provider: Any, kept: Kept) -> None:
    said = {
        "gen_ai.response.id": "chatcmpl-CkQ2x9",
        "gen_ai.conversation.id": "s1",
        "user.id": "u1",
        "openai.response.service_tier": "default",
        U + "cache_read.input_tokens": 400,
    }
    span = emit(provider, CHAT | said).get_span_context()
    record = kept.only
    # 600 x 2.50, 400 x 1.25 and 100 x 10.00, each a million
    assert (record.cost, record.cost_status) == (Decimal("0.003"), "priced")
    assert (record.provider, record.model, record.model_requested) == (
        "openai",
        "gpt-4o-2024-08-06",
        "gpt-4o",
    )
    assert (record.at, record.latency_ms) == (datetime(2026, 11, 1, 12, tzinfo=UTC), 800.0)
    assert (record.user, record.session, record.response_id) == ("u1", "s1", "chatcmpl-CkQ2x9")
    assert (record.trace_id, record.span_id) == (f"{span.trace_id:032x}", f"{span.span_id:016x}")
    assert record.extra["otel"] == {
        "span": "chat gpt-4o",
        "scope": "some.instrumentation",
        "version": "1.2",
        "reading": "inclusive",
    }


@pytest.mark.parametrize(
    ("written", "cost", "currency"),
    [
        ("EUR", Decimal("0.5"), "EUR"),
        ("eur", Decimal("0.5"), "EUR"),
        ("", Decimal("0.5"), "USD"),
        ("credits", Decimal("0.0035"), "USD"),  # the book's: 1000 x 2.50 and 100 x 10.00, a million
    ],
)
def test_a_reported_cost_is_of_the_currency_that_is_written(
    provider: Any, kept: Kept, written: str, cost: Decimal, currency: str
) -> None:
    emit(provider, CHAT | {U + "cost.amount": 0.5, U + "cost.currency": written})
    assert (kept.only.cost, kept.only.currency) == (cost, currency)
    assert ("costs" in kept.only.extra["otel"]) is (written == "credits")


@pytest.mark.parametrize(
    ("written", "cost", "status"),
    # 600 x 1.25, 400 x 0.20 and 100 x 2.50 dollars a million
    [
        ({}, Decimal("0.00108"), "priced"),
        ({U + "cost_in_usd_ticks": 37_000_000}, Decimal("0.0037"), "reported"),
    ],
)
def test_the_words_of_xais_own_sdk_are_read(
    provider: Any, kept: Kept, written: dict[str, Any], cost: Decimal, status: str
) -> None:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "xai",
        "gen_ai.response.model": "grok-4.3",
        U + "input_tokens": 1000,
        U + "output_tokens": 70,
        U + "reasoning_tokens": 30,
        U + "total_tokens": 1100,
        U + "cached_prompt_text_tokens": 400,
        U + "prompt_text_tokens": 1000,
        U + "prompt_image_tokens": 0,
    }
    emit(provider, said | written, "xai_sdk.sync.chat")
    assert kept.only.usage.units == {"input": 600, "cache_read": 400, "output": 70, "reasoning": 30}
    assert (kept.only.cost, kept.only.cost_status) == (cost, status)


def test_a_user_or_session_that_is_a_number_is_one(provider: Any, kept: Kept) -> None:
    emit(provider, CHAT | {"user.id": 42, "gen_ai.conversation.id": 0})
    assert (kept.only.user, kept.only.session) == ("42", "0")


def test_an_answer_of_brackets_without_end_loses_no_call(provider: Any, kept: Kept) -> None:
    """As a model writes that has lost its way."""
    emit(provider, CHAT | {"output.value": "[" * 90_000, "langfuse.observation.cost_details": "[" * 90_000})
    assert kept.only.cost is not None


def test_the_context_that_a_span_starts_in_says_whom_it_is_for(provider: Any, kept: Kept) -> None:
    with outlay.context(user="u1", team="search"):
        span = provider.get_tracer("t").start_span("chat", attributes=CHAT)
    span.end()
    assert (kept.only.user, kept.only.tags) == ("u1", {"team": "search"})


@pytest.mark.parametrize(
    ("given", "cost", "status", "flags"),
    [
        ({U + "cost": "0.0123"}, "0.0123", "reported", ()),  # OpenLIT writes a text
        ({"operation.cost": 0.0123}, "0.0123", "reported", ()),
        ({"llm.cost.total": 0.0123}, "0.0123", "reported", ()),
        ({"mlflow.llm.cost": '{"input_cost": 0.01, "total_cost": 0.0123}'}, "0.0123", "reported", ()),
        (
            {"langfuse.observation.cost_details": '{"input": 0.01, "output": 0.0023}'},
            "0.0123",
            "reported",
            (),
        ),
        # both sides without their sum; one side alone is not what the call cost
        ({"llm.cost.prompt": 0.01, "llm.cost.completion": 0.0023}, "0.0123", "reported", ()),
        ({"llm.cost.prompt": 0.01}, "0.0035", "priced", ()),
        # two costs on one span: the emitter's own first, and the difference is told
        ({"_signoz.gen_ai.total_cost": 0.5, U + "cost": "0.0123"}, "0.0123", "reported", ("costs_differ",)),
        # 0 is not free: nobody knew the price
        ({U + "cost": "0"}, "0.0035", "priced", ("zero_cost",)),
        ({U + "cost": "much"}, "0.0035", "priced", ()),
    ],
)
def test_a_reported_cost_wins_and_ours_stands_beside_it(
    provider: Any, kept: Kept, given: dict[str, Any], cost: str, status: str, flags: tuple[str, ...]
) -> None:
    emit(provider, CHAT | given)
    assert (kept.only.cost, kept.only.cost_status) == (Decimal(cost), status)
    assert kept.only.flags == flags
    if status == "reported":
        assert kept.only.charge.computed == Decimal("0.0035")


def test_a_cost_in_another_currency(provider: Any, kept: Kept) -> None:
    emit(provider, CHAT | {U + "cost.amount": 0.01, U + "cost.currency": "EUR"})
    assert (kept.only.cost, kept.only.currency) == (Decimal("0.01"), "EUR")


@pytest.mark.parametrize(
    ("attributes", "provider_id"),
    [
        ({"gen_ai.system": "OpenAI"}, "openai"),
        ({"gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.system": "vertex_ai"}, "vertex"),
        ({"llm.provider": "aws", "llm.system": "anthropic"}, "bedrock"),
        # Vercel's have the API behind a dot
        ({"ai.model.provider": "openai.chat"}, "openai"),
        ({"ai.model.provider": "google.generative-ai"}, "google"),
        ({"ai.model.provider": "google.vertex.chat"}, "vertex"),
        ({"ai.model.provider": "azure-openai.responses"}, "azure"),
        ({"ai.model.provider": "acme.chat"}, "acme.chat"),
        # a framework is no provider: the next name tells, or nobody knows and the model is looked up alone
        ({"gen_ai.system": "Langchain", "llm.provider": "openai"}, "openai"),
        ({"gen_ai.system": "LlamaIndex"}, "unknown"),
        ({"gen_ai.system": "gcp.vertex.agent"}, "unknown"),
        ({"gen_ai.provider.name": "strands-agents", "gen_ai.system": "strands-agents"}, "unknown"),
        ({"gen_ai.provider.name": "microsoft.agent_framework"}, "unknown"),
    ],
)
def test_every_way_to_name_a_provider_is_one(
    provider: Any, kept: Kept, attributes: dict[str, Any], provider_id: str
) -> None:
    said = {name: value for name, value in CHAT.items() if name != "gen_ai.provider.name"}
    emit(provider, said | attributes)
    assert kept.only.provider == provider_id
    if provider_id in {"openai", "azure", "unknown"}:
        assert kept.only.cost == Decimal("0.0035")


def test_only_leaves_count(provider: Any, kept: Kept) -> None:
    """An agent and a chain repeat what the two calls below them used."""
    tracer = provider.get_tracer("t")
    twice = {U + "input_tokens": 2000, U + "output_tokens": 200}
    with (
        tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent", **twice}),
        tracer.start_as_current_span("chain", attributes={"openinference.span.kind": "CHAIN", **twice}),
    ):
        for _ in range(2):
            with tracer.start_as_current_span("chat", attributes=CHAT):
                pass
    assert [record.cost for record in kept.records] == [Decimal("0.0035")] * 2


def test_a_framework_s_span_over_a_clients_span_of_the_same_model_is_one_call(
    provider: Any, kept: Kept
) -> None:
    tracer = provider.get_tracer("t")
    outer = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 1000}
    with tracer.start_as_current_span("ChatOpenAI", attributes=outer), tracer.start_as_current_span("step"):
        emit(provider, CHAT)
    assert kept.only.model == "gpt-4o-2024-08-06"


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("openai/gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4o", "openai/gpt-4o"),
        ("GPT-4o", "gpt-4o"),
        ("openrouter/openai/gpt-4o", "openai/gpt-4o"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gemini-2.5-pro", "publishers/google/models/gemini-2.5-pro"),
        ("anthropic/claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        (
            "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
    ],
)
def test_a_model_has_one_name_whatever_a_gateway_puts_before_it(
    provider: Any, kept: Kept, above: str, below: str
) -> None:
    """A gateway's client over an SDK's: each call had been two."""
    told = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 9, "llm.token_count.completion": 1}
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("completion", attributes=told | {"llm.model_name": above}):
        emit(provider, told | {"llm.model_name": below})
    assert kept.only.model == below


@pytest.mark.parametrize("above", ["gpt-4o-mini", "gpt-4.1", "acme/", "openai/o3"])
def test_models_of_other_names_are_two(provider: Any, kept: Kept, above: str) -> None:
    told = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 9, "llm.token_count.completion": 1}
    with provider.get_tracer("t").start_as_current_span("a", attributes=told | {"llm.model_name": above}):
        emit(provider, told | {"llm.model_name": "openai/gpt-4o"})
    assert len(kept.records) == 2


def test_a_call_of_another_model_above_counts_too(provider: Any, kept: Kept) -> None:
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("advised", attributes=CHAT | {"gen_ai.response.model": "gpt-4o-mini"}):
        emit(provider, CHAT | {"gen_ai.request.model": "o3", "gen_ai.response.model": "o3"})
    # the request's model of the outer one is gpt-4o, which is not o3 either
    assert sorted(str(record.model) for record in kept.records) == ["gpt-4o-mini", "o3"]


def test_an_agent_of_another_model_than_the_calls_below_repeats_them(provider: Any, kept: Kept) -> None:
    """It names the model that it was made with, and adds up what others used."""
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("agent", attributes=CHAT | {"gen_ai.operation.name": "invoke_agent"}):
        emit(provider, CHAT | {"gen_ai.request.model": "o3", "gen_ai.response.model": "o3"})
    assert kept.only.model == "o3"


def test_one_answer_of_which_two_spans_tell_at_their_own_times_is_one_call(provider: Any, kept: Kept) -> None:
    """Neither lies within the other's time, and both are decided on together."""
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("request"):
        for begin, end in ((0, 800), (10, 900)):
            span = tracer.start_span(
                "chat", attributes=CHAT | {"gen_ai.response.id": "chatcmpl-Ck1"}, start_time=START + begin
            )
            span.end(end_time=START + end)
    assert len(kept.records) == 1


def test_an_agent_without_any_call_below_counts(provider: Any, kept: Kept) -> None:
    emit(provider, CHAT | {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"})
    assert (kept.only.operation, kept.only.agent) == ("invoke_agent", "helper")


def test_what_is_no_call_is_no_record(provider: Any, kept: Kept) -> None:
    emit(provider, {"http.request.method": "GET"})
    emit(provider, {"gen_ai.operation.name": "execute_tool", "gen_ai.provider.name": "openai"})
    emit(provider, {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4o"})
    assert not kept.records


def test_a_call_without_usage_is_unpriced_and_never_free(provider: Any, kept: Kept) -> None:
    emit(provider, CHAT | {U + "input_tokens": 0, U + "output_tokens": 0})
    assert (kept.only.cost, kept.only.cost_status) == (None, "unpriced")
    assert "0 tokens" in str(kept.only.charge.reason)


def test_a_failed_call_is_recorded_without_its_key(provider: Any, kept: Kept) -> None:
    asked = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    span = provider.get_tracer("t").start_span("chat", attributes=asked)
    span.record_exception(ValueError("no"))
    span.set_status(Status(StatusCode.ERROR, "bad key sk-proj-abcdefghij0123456789"))
    span.end()
    assert (kept.only.status, kept.only.error_type) == ("error", "ValueError")
    assert (kept.only.error, kept.only.cost_status) == (None, "unpriced")
    assert "bad key" not in str(kept.only)


def test_the_words_of_a_spans_error_are_kept_by_choice(provider: Any, kept: Kept) -> None:
    current().recorder().errors = Texts()
    asked = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    span = provider.get_tracer("t").start_span("chat", attributes=asked)
    span.set_status(Status(StatusCode.ERROR, "bad key sk-proj-abcdefghij0123456789"))
    span.end()
    assert kept.only.error == "bad key [key]"


def test_an_answer_that_a_hook_saw_is_not_recorded_again(provider: Any, kept: Kept) -> None:
    """Identity by the response id, whatever the provider is called there."""
    provider.get_tracer("t").start_span("first").end()  # the processor watches from the first span on
    call = Call(current().recorder(), provider="azure", api="chat", model="gpt-4o")
    call.finish(Usage.of({"input": 1000, "output": 100}, response_id="chatcmpl-CkQ2x9"))
    emit(provider, CHAT | {"gen_ai.provider.name": "az.ai.openai", "gen_ai.response.id": "chatcmpl-CkQ2x9"})
    emit(provider, CHAT | {"gen_ai.provider.name": "groq", "gen_ai.response.id": "chatcmpl-CkQ2x9"})
    assert [record.provider for record in kept.records] == ["azure", "groq"]


@pytest.mark.parametrize("response_id", ["chatcmpl-417", "cmpl-417", "resp_80417", "1732665600123"])
def test_a_number_that_comes_again_is_no_identity(provider: Any, kept: Kept, response_id: str) -> None:
    """Ollama's ids are numbers below 999: after a thousand calls each id was there before."""
    Call(current().recorder(), provider="openai", api="chat").finish(
        Usage.of({"input": 1, "output": 1}, response_id=response_id)
    )
    for _ in range(2):
        emit(provider, CHAT | {"gen_ai.response.id": response_id})
    assert len(kept.records) == 3


def test_a_span_around_a_call_that_a_hook_saw_is_that_call(provider: Any, kept: Kept) -> None:
    """Identity by trace and span, where the answer has no id; an agent above repeats it."""
    tracer = provider.get_tracer("t")
    agent = {"gen_ai.operation.name": "invoke_agent", U + "input_tokens": 1000}
    with (
        tracer.start_as_current_span("agent", attributes=agent),
        tracer.start_as_current_span("chat", attributes=CHAT),
    ):
        call = Call(current().recorder(), provider="openai", api="chat", model="gpt-4o")
        call.finish(Usage.of({"input": 1000, "output": 100}))
    assert kept.only.api == "chat"


@pytest.mark.parametrize("fails", [False, True])
def test_a_tracked_function_and_the_span_of_its_call_are_one_record(
    provider: Any,
    kept: Kept,
    fails: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    """The trace goes on, and the answer has no id by which it would be known."""

    @outlay.track(provider="openai")
    def ask() -> dict[str, Any]:
        span = emit(provider, CHAT)
        if fails:
            raise ConnectionError(span.name)
        return {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}

    with provider.get_tracer("t").start_as_current_span("request"):
        emit(provider, CHAT)  # a call of its own
        with suppress(ConnectionError):
            ask()
    assert [record.status for record in kept.records] == ["error" if fails else "success", "success"]


def test_a_call_that_is_decided_on_within_a_tracked_function_is_not_the_functions(
    provider: Any, kept: Kept
) -> None:
    @outlay.track(provider="openai")
    def ask() -> dict[str, Any]:
        provider.force_flush()
        return {"model": "gpt-4o", "usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}}

    with provider.get_tracer("t").start_as_current_span("request"):
        emit(provider, CHAT)
        ask()
    assert [record.input_tokens for record in kept.records] == [1000, 7]


def test_a_function_whose_calls_span_is_decided_on_within_it_has_no_call_beside(
    provider: Any, kept: Kept
) -> None:
    @outlay.track(provider="openai")
    def ask() -> dict[str, Any]:
        emit(provider, CHAT)
        provider.force_flush()
        return {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}

    ask()
    assert kept.only.input_tokens == 1000


def test_baggage_says_whom_a_span_is_for(provider: Any, kept: Kept) -> None:
    token = attach(set_baggage("user.id", "u7"))
    emit(provider, CHAT)
    detach(token)
    assert kept.only.user == "u7"


def test_a_span_inside_of_a_hook_is_left_to_the_hook(provider: Any, kept: Kept) -> None:
    """An SDK's own spans end before the hook around them has recorded the call."""
    token = inside.set("a call")
    emit(provider, CHAT)
    inside.reset(token)
    with outlay.suppress():
        emit(provider, CHAT)
    assert not kept.records


def test_a_call_that_is_recorded_while_its_trace_goes_on_is_found(provider: Any, kept: Kept) -> None:
    """A stream's span may end a moment before the hook's record is made."""
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("request"):
        emit(provider, CHAT | {"gen_ai.response.id": "c1"})
        call = Call(current().recorder(), provider="openai", api="chat", model="gpt-4o")
        call.finish(Usage.of({"input": 1000, "output": 100}, response_id="c1"))
    assert kept.only.api == "chat"


def test_a_trace_that_goes_on_is_settled_by_and_by(
    provider: Any, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("worker"):
        emit(provider, CHAT)
        assert not kept.records
        monkeypatch.setattr(tree, "GRACE_SECONDS", 0.0)
        monkeypatch.setattr("time.monotonic", lambda: 1e12)
        emit(provider, CHAT | {"gen_ai.response.id": "later"})
        assert len(kept.records) == 2
    assert len(kept.records) == 2


def test_a_flush_decides_at_once(provider: Any, kept: Kept) -> None:
    with provider.get_tracer("t").start_as_current_span("worker"):
        emit(provider, CHAT)
        assert provider.force_flush()
        assert len(kept.records) == 1


def test_a_span_waits_for_one_below_it_that_ends_later(provider: Any, kept: Kept) -> None:
    """A stream goes on behind the call that gave it, and tells of the same."""
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("request"):
        with tracer.start_as_current_span("call", attributes=CHAT):
            stream = tracer.start_span("stream", attributes=CHAT)
        provider.force_flush()
        assert not kept.records
        stream.end()
    assert len(kept.records) == 1


def test_the_end_decides_on_what_still_waits(kept: Kept) -> None:
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(OutlaySpanProcessor())
    with made.get_tracer("t").start_as_current_span("request"):
        emit(made, CHAT)
        assert not kept.records
        made.shutdown()
        assert kept.only.model == "gpt-4o-2024-08-06"


@pytest.mark.parametrize(
    ("own", "known"), [("lc_run--01a2-0", None), ("run-01a2", None), ("msg_01", "msg_01")]
)
def test_a_run_of_langchains_is_no_answers_name(
    provider: Any, kept: Kept, own: str, known: str | None
) -> None:
    body = {"generations": [[{"message": {"kwargs": {"id": own, "response_metadata": {}}}}]]}
    emit(provider, CHAT | {"output.value": json.dumps(body)})
    assert kept.only.usage.response_id == known


@pytest.mark.parametrize(("asked", "tier"), [("auto", None), ("flex", "flex")])
def test_a_tier_that_was_asked_for_is_taken_unless_it_says_none(
    provider: Any, kept: Kept, asked: str, tier: str | None
) -> None:
    emit(provider, CHAT | {"openai.request.service_tier": asked})
    assert dict(kept.only.usage.terms).get("service_tier") == tier


def test_a_cost_without_counts_is_known_and_has_no_reason(provider: Any, kept: Kept) -> None:
    said = {name: value for name, value in CHAT.items() if not name.startswith(U)}
    emit(provider, said | {U + "cost": "0.0123"})
    assert (kept.only.cost, kept.only.charge.reason) == (Decimal("0.0123"), None)
    assert kept.only.usage.reason is None


def test_a_parent_in_another_process_is_no_parent_here(provider: Any, kept: Kept) -> None:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    far = TraceContextTextMapPropagator().extract({"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    provider.get_tracer("t").start_span("chat", context=far, attributes=CHAT).end()
    assert (kept.only.trace_id, kept.only.cost) == ("ab" * 16, Decimal("0.0035"))


def test_open_traces_are_bounded(kept: Kept) -> None:
    decided: list[tree.Span] = []

    def decide(span: tree.Span, node: tree.Node) -> tree.Models:
        decided.append(span)
        return ("m",)

    held = tree.Tree(decide, most=10)
    for n in range(100):
        held.start((str(n), "root"), tree.Node(None, None, ours=False))
        held.start((str(n), "leaf"), tree.Node("root", None, ours=False))
        held.end((str(n), "leaf"), "something", 0.0)
    assert len(held._traces) == 10
    assert len(decided) == 90


def test_a_long_trace_keeps_no_spans_that_say_nothing(kept: Kept) -> None:
    held = tree.Tree(lambda span, node: ("m",))
    held.start(("t", "root"), tree.Node(None, None, ours=False))
    for n in range(1000):
        held.start(("t", str(n)), tree.Node("root", None, ours=False))
        held.end(("t", str(n)), None if n % 2 else "something", float(n))
    assert len(held._traces["t"].nodes) < 20


def test_many_threads_record_each_call_once(provider: Any, kept: Kept) -> None:
    def work() -> None:
        for _ in range(50):
            with provider.get_tracer("t").start_as_current_span("request"):
                emit(provider, CHAT)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept.records) == 400


def test_a_flush_that_fails_is_no_fault_of_the_program() -> None:
    def fails() -> Recorder:
        raise SettingsError("outlay.toml cannot be")

    processor = OutlaySpanProcessor(recorder=fails)
    try:
        assert processor.force_flush() is False
    finally:
        failures.clear()
