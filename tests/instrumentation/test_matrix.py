"""Every form of a call through every outcome: one record, right tokens and user, the caller's own error."""

import asyncio
import gc
import inspect
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.utils import _http
from tests.support.cancelled import cancel_while_reading
from tests.support.forms import SDKS, UNITS, client_of, forms_of, http_of
from tests.support.wire import Kept, Left

from outlay.capture import Call, context

pytestmark = [
    pytest.mark.usefixtures("hooks"),
    pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning"),
]

PAGE = Path(__file__).parents[2] / "docs" / "sdks.md"
OUTCOMES = ("ok", "error", "abandoned", "cancelled")


@pytest.fixture(autouse=True)
def _own_sessions() -> Iterator[None]:
    """Give huggingface_hub its own HTTP clients back."""
    yield
    huggingface_hub.close_session()
    huggingface_hub.set_client_factory(_http.default_client_factory)
    huggingface_hub.set_async_client_factory(_http.default_async_client_factory)


def is_stream(answer: Any) -> bool:
    return isinstance(answer, bytes)


def outcomes(sdk: str, form: str, *, asynchronous: bool) -> Iterator[str]:
    """Tell what can become of a form: only a stream is left, only a task is cancelled."""
    answer, _ = forms_of(sdk, asynchronous=asynchronous)[form]
    yield from ("ok", "error")
    if is_stream(answer):
        yield "abandoned"
    if asynchronous:
        yield "cancelled"


CASES = [
    (sdk, form, asynchronous, outcome)
    for asynchronous in (False, True)
    for sdk in SDKS
    for form in forms_of(sdk, asynchronous=asynchronous)
    for outcome in outcomes(sdk, form, asynchronous=asynchronous)
]


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Give the errors with which calls are ended, as the hooks saw them."""
    errors: list[BaseException] = []
    fail = Call.fail

    def failing(call: Call, error: BaseException, *known: Any) -> None:
        errors.append(error)
        fail(call, error, *known)

    monkeypatch.setattr(Call, "fail", failing)
    return errors


class Refused:
    """Where the error is kept that a transport raised, and whether it was asked at all."""

    error: Exception | None = None
    asked = False


def replying(sdk: str, answer: Any, outcome: str, refused: Refused) -> Any:
    """Make what answers a request: with the answer, with an error, or never."""
    http = http_of(sdk)

    def reply(_request: Any) -> Any:
        if outcome == "error":
            refused.error = http.ConnectError("refused")
            raise refused.error
        if not is_stream(answer):
            return http.Response(200, json=answer)
        kind = {"content-type": "text/event-stream"}
        return http.Response(200, headers=kind, content=answer)

    return reply


def transport_of(sdk: str, form: str, outcome: str, refused: Refused, *, asynchronous: bool) -> Any:
    answer, _ = forms_of(sdk, asynchronous=asynchronous)[form]
    reply = replying(sdk, answer, outcome, refused)
    if not asynchronous:
        return http_of(sdk).Client(transport=http_of(sdk).MockTransport(reply))

    async def reply_later(request: Any) -> Any:
        refused.asked = True
        if outcome == "cancelled" and not is_stream(answer):
            await asyncio.sleep(60)
        return reply(request)

    return http_of(sdk).AsyncClient(transport=http_of(sdk).MockTransport(reply_later))


def run(api: Any, call: Any, outcome: str, left: Left) -> None:
    result = call(api)
    if outcome == "abandoned":
        chunks = iter(result)
        left.held += [result, chunks]
        next(chunks)
        (result if hasattr(result, "close") else chunks).close()
        left.closed()
    elif hasattr(result, "__iter__") and not hasattr(result, "model_dump"):
        list(result)


async def run_async(api: Any, call: Any, outcome: str, left: Left) -> None:
    result = call(api)
    if inspect.isawaitable(result):
        result = await result
    if outcome == "abandoned":
        chunks = aiter(result)
        left.held += [result, chunks]
        await anext(chunks)
        closing = getattr(result, "aclose", None) or getattr(result, "close", None) or chunks.aclose
        await closing()
        await left.closed_in_loop()
    elif hasattr(result, "__aiter__"):
        async for _ in result:
            pass


async def cancelled(running: Coroutine[Any, Any, None], refused: Refused) -> None:
    """Cancel a call whose request is under way."""
    task = asyncio.create_task(running)
    while not refused.asked and not task.done():  # noqa: ASYNC110 - the transport knows no loop
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def put_through(sdk: str, form: str, outcome: str, left: Left, *, asynchronous: bool) -> BaseException | None:
    """Make the call and let that become of it; give the error that the caller saw."""
    refused = Refused()
    _, call = forms_of(sdk, asynchronous=asynchronous)[form]
    api = client_of(
        sdk, transport_of(sdk, form, outcome, refused, asynchronous=asynchronous), asynchronous=asynchronous
    )
    try:
        if not asynchronous:
            run(api, call, outcome, left)
        elif outcome != "cancelled":
            asyncio.run(run_async(api, call, outcome, left))
        elif is_stream(forms_of(sdk, asynchronous=True)[form][0]):
            cancel_while_reading(lambda: call(api))
        else:
            asyncio.run(cancelled(run_async(api, call, outcome, left), refused))
    except Exception as error:  # noqa: BLE001 - whatever the caller gets
        return error if outcome == "cancelled" or refused.error in list(chain(error)) else None
    gc.collect()
    return None


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have cohere try again at once; it cannot be asked not to."""
    monkeypatch.setattr("cohere.core.http_client.INITIAL_RETRY_DELAY_SECONDS", 0.01)


@pytest.mark.parametrize(("sdk", "form", "asynchronous", "outcome"), CASES)
def test_every_form_makes_one_record_whatever_becomes_of_it(
    sdk: str,
    form: str,
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    outcome: str,
    kept: Kept,
    failed: list[BaseException],
) -> None:
    left = Left(kept)
    with context(user="u1"):
        error = put_through(sdk, form, outcome, left, asynchronous=asynchronous)
    record = kept.only
    streamed = is_stream(forms_of(sdk, asynchronous=asynchronous)[form][0])
    assert record.user == "u1"
    assert left.records == (1 if outcome == "abandoned" else None)
    if outcome != "error":
        assert (record.streamed, record.time_to_first_token_ms is not None) == (streamed, streamed)
    if outcome == "ok":
        assert error is None
        assert (record.status, record.usage.units, record.flags) == ("success", UNITS, ())
    elif outcome == "error":
        assert [each is error for each in failed] == [True]  # what the hook saw is what the caller gets
        assert error is not None
        assert (record.status, record.error_type, record.cost) == ("error", type(error).__name__, None)
    elif streamed:
        # A task that is cancelled in its own work lets its stream go, as one that closes it does.
        assert {"partial", "abandoned"} <= set(record.flags)
        assert (record.status, record.error_type) == ("success", None)
    else:
        assert (record.status, record.error_type) == ("error", "CancelledError")


def table() -> str:
    """Write the page's table of what was put through what."""
    lines = ["| SDK | client | form | " + " | ".join(OUTCOMES) + " |", "|---" * 7 + "|"]
    for asynchronous in (False, True):
        for sdk in SDKS:
            for form in forms_of(sdk, asynchronous=asynchronous):
                had = set(outcomes(sdk, form, asynchronous=asynchronous))
                cells = " | ".join("yes" if outcome in had else "" for outcome in OUTCOMES)
                lines.append(f"| {sdk} | {'async' if asynchronous else 'sync'} | {form} | {cells} |")
    return "\n".join(lines)


def test_the_page_shows_what_is_tested() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")
