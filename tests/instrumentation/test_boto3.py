"""boto3: Bedrock's converse and invoke_model, whole and streamed, against a local server."""

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.eventstream import EventStream
from botocore.exceptions import ClientError, EventStreamError
from botocore.response import StreamingBody
from tests.support import bedrock_bodies as bodies
from tests.support.aws import Reply, bedrock
from tests.support.bedrock_bodies import COST, MODEL, UNITS
from tests.support.wire import Kept
from urllib3.exceptions import ProtocolError

from outlay.capture import Recorder, SystemClock, context
from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.instrumentation import Hooks
from outlay.pricing import cost_of

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    # A stream that is dropped or breaks leaves its connection to the garbage collector: that is tested.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

HOOKED = (
    (BaseClient, "_make_api_call"),
    (EventStream, "_parse_event"),
    (EventStream, "close"),
    *((StreamingBody, name) for name in ("read", "readinto", "readlines", "__enter__", "__exit__", "close")),
)
ORIGINALS = [owner.__dict__[name] for owner, name in HOOKED]  # before any test hooks them
ASK: dict[str, Any] = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "hi"}]}]}
INVOKE: dict[str, Any] = {"modelId": MODEL, "body": b"{}"}


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Have what a test left to the garbage collector collected in that test, and not in another's time."""
    yield
    gc.collect()


@contextmanager
def client(*replies: Reply, service: str = "bedrock-runtime", retries: int = 1) -> Iterator[Any]:
    with bedrock(*replies) as (url, _paths):
        api = boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - a made-up one
            config=Config(retries={"total_max_attempts": retries, "mode": "standard"}),
        )
        yield api
        api.close()


def in_pieces(api: Any) -> None:
    body = api.invoke_model(**INVOKE)["body"]
    assert json.loads(b"".join(body.iter_chunks(16))) == bodies.CLAUDE


FORMS: dict[str, tuple[Reply, Callable[[Any], Any]]] = {
    "converse": (Reply(bodies.CONVERSED), lambda api: api.converse(**ASK)),
    "converse stream": (
        Reply(bodies.CONVERSE_EVENTS),
        lambda api: list(api.converse_stream(**ASK)["stream"]),
    ),
    "invoke": (bodies.INVOKED, lambda api: json.loads(api.invoke_model(**INVOKE)["body"].read())),
    "invoke in pieces": (bodies.INVOKED, in_pieces),
    "invoke without usage": (bodies.SILENT, lambda api: api.invoke_model(**INVOKE)["body"].read()),
    "invoke stream": (
        Reply(bodies.INVOKE_EVENTS),
        lambda api: list(api.invoke_model_with_response_stream(**INVOKE)["body"]),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_makes_one_record_with_the_right_units_and_cost(form: str, kept: Kept) -> None:
    reply, call = FORMS[form]
    with context(user="u1"), client(reply) as api:
        call(api)
    record = kept.only
    assert record.usage.units == UNITS
    assert (record.cost, record.cost_status) == (COST, "priced")
    assert (record.provider, record.model_requested, record.user) == ("bedrock", MODEL, "u1")
    assert (record.streamed, record.status) == ("stream" in form, "success")


def entered(api: Any) -> bytes:
    with api.invoke_model(**INVOKE)["body"] as raw:
        whole: bytes = raw.read()
    return whole


def entered_in_pieces(api: Any) -> bytes:
    with api.invoke_model(**INVOKE)["body"] as raw:
        return b"".join(raw.stream(16))


def entered_and_read_itself(api: Any) -> bytes:
    body = api.invoke_model(**INVOKE)["body"]
    with body:
        whole: bytes = body.read()
    return whole


def into_a_buffer(api: Any) -> bytes:
    return BufferedReader(api.invoke_model(**INVOKE)["body"]).read()


def into_an_array(api: Any) -> bytes:
    body, buffer, whole = api.invoke_model(**INVOKE)["body"], bytearray(33), b""
    while amount := body.readinto(buffer):
        whole += buffer[:amount]
    return whole


def to_its_length(api: Any) -> bytes:
    response = api.invoke_model(**INVOKE)
    length = int(response["ResponseMetadata"]["HTTPHeaders"]["content-length"])
    whole: bytes = response["body"].read(length)
    return whole


READ: dict[str, Callable[[Any], bytes]] = {
    "entered": entered,
    "entered, in pieces": entered_in_pieces,
    "entered, and read itself": entered_and_read_itself,
    "into a buffer": into_a_buffer,
    "into an array": into_an_array,
    "by lines": lambda api: b"".join(api.invoke_model(**INVOKE)["body"].readlines()),
    "to its length": to_its_length,
}


@pytest.mark.parametrize("form", READ)
def test_a_body_is_read_along_however_its_caller_reads_it(form: str, kept: Kept) -> None:
    """Its headers may be silent, and never tell all that its own usage does."""
    with client(Reply(bodies.CLAUDE)) as api:
        assert json.loads(READ[form](api)) == bodies.CLAUDE
    assert (kept.only.usage.units, kept.only.cost, kept.only.flags) == (UNITS, COST, ())


def test_a_body_that_was_entered_and_not_read_is_left(kept: Kept) -> None:
    with client(Reply(bodies.CLAUDE)) as api, api.invoke_model(**INVOKE)["body"] as raw:
        raw.read(5)
    assert {"abandoned", "partial"} <= set(kept.only.flags)


def test_a_body_that_was_entered_and_breaks_is_one_failed_call(kept: Kept) -> None:
    broken = Reply([json.dumps(bodies.CLAUDE).encode()[:20]], broken=True)
    with client(broken) as api, pytest.raises(ProtocolError), api.invoke_model(**INVOKE)["body"] as raw:
        raw.read()
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "ProtocolError", None)


def test_converse_names_no_model_so_the_one_that_was_asked_for_counts(kept: Kept) -> None:
    with client(Reply(bodies.CONVERSED)) as api:
        api.converse(**ASK)
    assert kept.only.model == MODEL


def test_the_caller_gets_the_events_as_they_came(kept: Kept) -> None:
    with client(Reply(bodies.CONVERSE_EVENTS)) as api:
        events = list(api.converse_stream(**ASK)["stream"])
    assert [next(iter(event)) for event in events] == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert kept.only.time_to_first_token_ms is not None


def test_a_stream_closed_early_or_dropped_is_one_partial_call(kept: Kept) -> None:
    with client(Reply(bodies.CONVERSE_EVENTS)) as api:
        stream = api.converse_stream(**ASK)["stream"]
        next(iter(stream))
        stream.close()
        other = api.converse_stream(**ASK)["stream"]
        next(iter(other))
        del other
        gc.collect()
    assert [{"abandoned", "partial"} <= set(record.flags) for record in kept.records] == [True, True]


def test_a_stream_read_in_two_goes_is_whole(kept: Kept) -> None:
    with client(Reply(bodies.CONVERSE_EVENTS)) as api:
        stream = api.converse_stream(**ASK)["stream"]
        next(iter(stream))
        assert len(list(stream)) == 4
    assert (kept.only.usage.units, kept.only.flags) == (UNITS, ())


def test_a_stream_with_an_exception_in_it_is_one_failed_call(kept: Kept) -> None:
    with client(Reply(bodies.BROKEN_EVENTS)) as api, pytest.raises(EventStreamError):
        list(api.converse_stream(**ASK)["stream"])
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "EventStreamError", None)


def test_a_connection_that_breaks_is_one_failed_call(kept: Kept) -> None:
    with (
        client(Reply(bodies.CONVERSE_EVENTS[:1], broken=True)) as api,
        pytest.raises(ProtocolError) as caught,
    ):
        list(api.converse_stream(**ASK)["stream"])
    assert (kept.only.status, kept.only.error_type) == ("error", type(caught.value).__name__)


def test_a_body_that_nobody_reads_is_counted_by_its_headers(kept: Kept) -> None:
    with client(bodies.INVOKED) as api:
        response = api.invoke_model(**INVOKE)
        assert not kept.records
        response["body"].close()
    assert (kept.only.usage.units, kept.only.cost, kept.only.flags) == (UNITS, COST, ())


def test_an_error_is_one_failed_call(kept: Kept) -> None:
    with client(bodies.THROTTLED) as api, pytest.raises(ClientError):
        api.converse(**ASK)
    assert (kept.only.status, kept.only.error_type, kept.only.cost) == ("error", "ThrottlingException", None)


def test_retries_are_counted_in_one_record(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with client(bodies.THROTTLED, Reply(bodies.CONVERSED), retries=2) as api:
        api.converse(**ASK)
    assert (kept.only.retries, kept.only.usage.units) == (1, UNITS)


def test_retries_of_a_call_that_fails_in_the_end_are_counted(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with client(bodies.THROTTLED, retries=3) as api, pytest.raises(ClientError):
        api.converse(**ASK)
    assert (kept.only.retries, kept.only.status) == (2, "error")


def test_a_region_decides_the_price_of_a_model_without_a_profile(kept: Kept) -> None:
    with client(Reply(bodies.CONVERSED)) as api:
        api.converse(**{**ASK, "modelId": MODEL.removeprefix("us.")})
        api.converse(**ASK)
    assert [record.usage.term("region") for record in kept.records] == ["us-east-1", None]


def test_the_tier_that_the_headers_name_decides_the_price(kept: Kept) -> None:
    """Converse says it in its body, InvokeModel in its headers alone."""
    headers = {"x-amzn-bedrock-service-tier": "flex"}
    flex = (
        Reply({**bodies.CONVERSED, "serviceTier": {"type": "flex"}}),
        Reply(bodies.CLAUDE, headers=headers),
        Reply(bodies.INVOKE_EVENTS, headers=headers),
    )
    with client(*flex) as api:
        api.converse(**ASK)
        api.invoke_model(**INVOKE)["body"].read()
        list(api.invoke_model_with_response_stream(**INVOKE)["body"])
    assert [record.usage.term("service_tier") for record in kept.records] == ["flex"] * 3
    assert [record.usage.units for record in kept.records] == [UNITS] * 3


def test_other_services_of_aws_pass_by(kept: Kept) -> None:
    with client(Reply({}), service="dynamodb") as api:
        api.list_tables()
    with client(Reply({"guardrails": []}), service="bedrock-runtime") as api, pytest.raises(ClientError):
        api.get_async_invoke(invocationArn="arn:aws:bedrock:us-east-1:123456789012:async-invoke/abcdefghijkl")
    assert not kept.records


def test_an_id_that_hides_the_model_learns_it_from_the_answer(kept: Kept) -> None:
    hiding = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl"
    with client(bodies.INVOKED) as api:
        api.invoke_model(**{**INVOKE, "modelId": hiding})["body"].read()
    assert (kept.only.model, kept.only.model_requested) == ("claude-sonnet-4-5-20250929", hiding)


def test_unhooking_restores(kept: Kept, hooks: Hooks) -> None:
    hooks.uninstrument("boto3")
    assert [owner.__dict__[name] for owner, name in HOOKED] == ORIGINALS
    with client(Reply(bodies.CONVERSED)) as api:
        api.converse(**ASK)
    assert not kept.records


def test_what_a_hook_further_out_counts_is_not_counted_again(kept: Kept) -> None:
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
    token = inside.set(Call(recorder, provider="bedrock", api="converse", model=MODEL))
    try:
        with client(Reply(bodies.CONVERSED)) as api:
            api.converse(**ASK)
    finally:
        inside.reset(token)
    assert not kept.records


def test_a_hook_that_somebody_wrapped_since_stays_and_counts_no_more(kept: Kept, hooks: Hooks) -> None:
    owner: Any = BaseClient
    ours = owner._make_api_call

    def theirs(*args: Any) -> Any:
        return ours(*args)

    owner._make_api_call = theirs
    try:
        hooks.uninstrument("boto3")
        with client(Reply(bodies.CONVERSED)) as api:
            api.converse(**ASK)
    finally:
        owner._make_api_call = ORIGINALS[0]
    assert not kept.records
