"""The forms and outcomes of SDKs on other wires: AWS's over a local server, xAI's over a gRPC peer."""

import asyncio
import gc
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import grpc
import pytest
import xai_sdk
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import BaseModel
from tests.support import bedrock_bodies as bodies
from tests.support.aws import Reply, bedrock
from tests.support.wire import Kept, Left
from tests.support.xai_peer import Peer, serving
from xai_sdk.chat import user

from outlay.capture import context

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    # A stream that is left or cancelled leaves its connection to the garbage collector.
    pytest.mark.filterwarnings("ignore:.*[Uu]nclosed:ResourceWarning"),
]

PAGE = Path(__file__).parents[2] / "docs" / "sdks.md"
OUTCOMES = ("ok", "error", "abandoned", "cancelled")
ASK: dict[str, Any] = {"modelId": bodies.MODEL, "messages": [{"role": "user", "content": [{"text": "hi"}]}]}
INVOKE: dict[str, Any] = {"modelId": bodies.MODEL, "body": b"{}"}
GROK = {"input": 800, "cache_read": 200, "output": 90, "reasoning": 10, "web_search": 1}


AT_ONCE = timedelta(milliseconds=1)


class City(BaseModel):
    """What the parse form parses."""

    city: str


class Form(NamedTuple):
    """A form: what answers it, where that is asked for, and how it is called in both clients."""

    call: Callable[[Any], Any]
    streamed: bool = False
    reply: Reply | None = None
    part: str = ""  # of the answer, where its stream stands
    flags: tuple[str, ...] = ()  # what is odd about an answer that is well


AWS = {
    "converse": Form(lambda api: api.converse(**ASK), reply=Reply(bodies.CONVERSED)),
    "converse stream": Form(
        lambda api: api.converse_stream(**ASK),
        streamed=True,
        reply=Reply(bodies.CONVERSE_EVENTS),
        part="stream",
    ),
    "invoke": Form(lambda api: api.invoke_model(**INVOKE), reply=bodies.INVOKED, part="body"),
    "invoke stream": Form(
        lambda api: api.invoke_model_with_response_stream(**INVOKE),
        streamed=True,
        reply=Reply(bodies.INVOKE_EVENTS),
        part="body",
    ),
}
XAI = {
    "sample": Form(lambda chat: chat.sample(), flags=("assumed_tier",)),
    "parse": Form(lambda chat: chat.parse(City), flags=("assumed_tier",)),
    "stream": Form(lambda chat: chat.stream(), streamed=True),
    "deferred": Form(lambda chat: chat.defer(interval=AT_ONCE), flags=("assumed_tier",)),
}
ONCE: Any = {"total_max_attempts": 1, "mode": "standard"}
FORMS = {("boto3", False): AWS, ("aiobotocore", True): AWS, ("xai", False): XAI, ("xai", True): XAI}


def outcomes(form: Form, *, asynchronous: bool) -> Iterator[str]:
    """Tell what can become of a form: only a stream is left, only a task is cancelled."""
    yield from ("ok", "error")
    if form.streamed:
        yield "abandoned"
    if asynchronous:
        yield "cancelled"


CASES = [
    (sdk, asynchronous, name, outcome)
    for (sdk, asynchronous), forms in FORMS.items()
    for name, form in forms.items()
    for outcome in outcomes(form, asynchronous=asynchronous)
]


class Holding(Peer):
    """A peer that answers, refuses, or lets whoever asks wait."""

    def __init__(self, *, fails: bool, holds: threading.Event | None) -> None:
        super().__init__(fails=fails)
        self.holds = holds
        self.came = threading.Event()

    def GetCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's name
        self.came.set()
        if self.holds is not None:
            self.holds.wait(30)
        return super().GetCompletion(request, context)

    def StartDeferredCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        if self.fails:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
        return super().StartDeferredCompletion(request, context)

    def GetDeferredCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 - likewise
        self.came.set()
        if self.holds is not None:
            self.holds.wait(30)
        return super().GetDeferredCompletion(request, context)

    def GetCompletionChunk(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802 - likewise
        if self.fails:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
        for place, chunk in enumerate(super().GetCompletionChunk(request, context)):
            yield chunk
            if place == 0 and self.holds is not None:
                self.holds.wait(30)


def read(form: Form, result: Any, outcome: str, left: Left) -> None:
    """Read what came, or leave it."""
    body = result[form.part] if form.part else result
    if not form.streamed:
        if form.part:
            body.read()
        return
    chunks = iter(body)
    left.held += [result, chunks]
    next(chunks)
    if outcome == "abandoned":
        (body if hasattr(body, "close") else chunks).close()
        left.closed()
    else:
        list(chunks)


async def read_later(form: Form, result: Any, outcome: str, came: asyncio.Event, left: Left) -> None:
    """Do the same with an asynchronous answer; ``came`` tells of a stream's first part."""
    body = result[form.part] if form.part else result
    if not form.streamed:
        if form.part:
            await body.read()
        return
    chunks = aiter(body)
    left.held += [result, chunks] if outcome == "abandoned" else []
    await anext(chunks)
    came.set()
    if outcome == "cancelled":
        await asyncio.sleep(60)
    if outcome == "abandoned":
        if hasattr(body, "close"):
            body.close()
        else:
            await chunks.aclose()
        await left.closed_in_loop()
        return
    async for _ in chunks:
        pass


async def cancelled(running: Awaitable[None], ready: Callable[[], bool]) -> None:
    """Cancel a call whose request is under way, or whose first part has come."""
    task = asyncio.ensure_future(running)
    while not ready():  # noqa: ASYNC110 - a thread tells
        await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@contextmanager
def letting_go(held: threading.Event) -> Iterator[None]:
    """Let a server that waits go on when all is over."""
    try:
        yield
    finally:
        held.set()


def boto(form: Form, outcome: str, asynchronous: bool, left: Left) -> None:  # noqa: FBT001 - which of two clients
    """Put a form of AWS's through an outcome."""
    waiting = threading.Event()
    reply = bodies.THROTTLED if outcome == "error" else form.reply
    assert reply is not None
    if outcome == "cancelled" and not form.streamed:
        reply = replace(reply, hold=waiting)
    with bedrock(reply) as (url, paths), letting_go(waiting):
        said: dict[str, Any] = {
            "endpoint_url": url,
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        if not asynchronous:
            once = Config(retries=ONCE)
            api = boto3.client("bedrock-runtime", config=once, **said)
            try:
                read(form, form.call(api), outcome, left)
            finally:
                api.close()
            return

        async def main() -> None:
            came = asyncio.Event()
            once = AioConfig(retries=ONCE)
            async with get_session().create_client("bedrock-runtime", config=once, **said) as api:

                async def ask() -> None:
                    await read_later(form, await form.call(api), outcome, came, left)

                ready = came.is_set if form.streamed else lambda: bool(paths)  # the server has it
                await (cancelled(ask(), ready) if outcome == "cancelled" else ask())

        asyncio.run(main())


def grok(form: Form, outcome: str, asynchronous: bool, left: Left) -> None:  # noqa: FBT001 - likewise
    """Put a form of xAI's through an outcome."""
    waiting = threading.Event()
    waits = waiting if outcome == "cancelled" and not form.streamed else None
    peer = Holding(fails=outcome == "error", holds=waits)
    said: dict[str, Any] = {"api_key": "k", "use_insecure_channel": True}
    with serving(peer) as address, letting_go(waiting):
        if not asynchronous:
            with xai_sdk.Client(api_host=address, **said) as client:
                read(
                    form, form.call(client.chat.create(model="grok-4", messages=[user("hi")])), outcome, left
                )
            return

        async def main() -> None:
            came = asyncio.Event()
            async with xai_sdk.AsyncClient(api_host=address, **said) as client:
                chat = client.chat.create(model="grok-4", messages=[user("hi")])

                async def ask() -> None:
                    result = form.call(chat)
                    await read_later(form, result if form.streamed else await result, outcome, came, left)

                ready = came.is_set if form.streamed else peer.came.is_set
                await (cancelled(ask(), ready) if outcome == "cancelled" else ask())

        asyncio.run(main())


@pytest.mark.parametrize(("sdk", "asynchronous", "name", "outcome"), CASES)
def test_every_form_makes_one_record_whatever_becomes_of_it(
    sdk: str,
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    name: str,
    outcome: str,
    kept: Kept,
) -> None:
    form = FORMS[sdk, asynchronous][name]
    put = grok if sdk == "xai" else boto
    refused: type[Exception] = grpc.RpcError if sdk == "xai" else ClientError
    left = Left(kept)
    with context(user="u1"):
        if outcome == "error":
            with pytest.raises(refused):
                put(form, outcome, asynchronous, left)
        else:
            put(form, outcome, asynchronous, left)
    gc.collect()
    record = kept.only
    assert record.user == "u1"
    assert left.records == (1 if outcome == "abandoned" else None)
    assert record.streamed is form.streamed
    if outcome == "ok":
        units = GROK if sdk == "xai" else bodies.UNITS
        assert (record.status, record.usage.units, record.flags) == ("success", units, form.flags)
    elif outcome == "error":
        assert (record.status, record.cost) == ("error", None)
        assert sdk == "xai" or record.error_type == "ThrottlingException"
    elif form.streamed:
        # A task that is cancelled in its own work lets its stream go, as one that closes it does.
        assert {"partial", "abandoned"} <= set(record.flags)
        assert (record.status, record.error_type) == ("success", None)
    else:
        assert (record.status, record.error_type) == ("error", "CancelledError")


def table() -> str:
    """Write the page's table of what was put through what."""
    lines = ["| SDK | client | form | " + " | ".join(OUTCOMES) + " |", "|---" * 7 + "|"]
    for (sdk, asynchronous), forms in FORMS.items():
        for name, form in forms.items():
            had = set(outcomes(form, asynchronous=asynchronous))
            cells = " | ".join("yes" if outcome in had else "" for outcome in OUTCOMES)
            lines.append(f"| {sdk} | {'async' if asynchronous else 'sync'} | {name} | {cells} |")
    return "\n".join(lines)


def test_the_page_shows_what_is_tested() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


HERE = Path(__file__).parent


def test_what_the_page_says_of_batches_and_loops_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w, -]+) \| ([\w ,-]+) \| `(test_\w+\.py)::(\w+)` \|$", page, re.MULTILINE)
    assert len(rows) == 15
    for _sdk, _form, file, test in rows:
        assert f"def {test}(" in (HERE / file).read_text(encoding="utf-8"), (file, test)
