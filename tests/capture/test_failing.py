"""What is kept of an error: never what it quotes, on the errors of the real SDKs and of the language."""

import json
from collections.abc import Callable
from typing import Any

import anthropic
import grpc
import httpx2
import openai
import pytest
from botocore.exceptions import ClientError
from cohere.core.api_error import ApiError
from google.genai.errors import ClientError as GoogleError
from mistralai.client.errors import SDKError
from ollama import ResponseError
from pydantic import BaseModel, ValidationError
from tests.support.wire import Kept

from outlay.capture import Recorder
from outlay.capture.call import Call
from outlay.capture.failing import facts_of, told
from outlay.capture.guard import failures
from outlay.capture.texts import Texts

SAID = "the secret plan of the moon base"
SENT = httpx2.Request("POST", "https://api.example.com/v1/chat/completions")


class City(BaseModel):
    """What a reply should have been."""

    city: str


def http(body: Any, status: int) -> httpx2.Response:
    return httpx2.Response(status, json=body, request=SENT)


def of_openai() -> Exception:
    """As a moderation answers that quotes what it flagged."""
    body = {
        "type": "invalid_request_error",
        "code": "content_filter",
        "message": f"flagged: {SAID}",
        "param": SAID,
    }
    return openai.BadRequestError(f"Error code: 400 - {body}", response=http(body, 400), body=body)


def of_a_validator() -> Exception:
    """As servers on FastAPI answer: with the whole input."""
    body = {"detail": [{"type": "string_type", "loc": ["body"], "msg": "no", "input": SAID}]}
    return openai.UnprocessableEntityError(str(body), response=http(body, 422), body=body)


def of_anthropic() -> Exception:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": SAID}}
    return anthropic.APIStatusError(str(body), response=http(body, 529), body=body)


def of_google() -> Exception:
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": f"Invalid value ... {SAID}"}}
    return GoogleError(400, body)


def of_bedrock() -> Exception:
    said = {
        "Error": {"Code": "ValidationException", "Message": SAID},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    error: Exception = ClientError(said, "Converse")
    return error


def of_mistral() -> Exception:
    body = json.dumps({"object": "error", "type": "invalid_request_prompt", "message": SAID})
    return SDKError(SAID, httpx2.Response(422, text=body, request=SENT), body)


class Refused(grpc.RpcError):  # type: ignore[misc]  # untyped
    """As a call over gRPC fails."""

    def code(self) -> Any:
        return grpc.StatusCode.RESOURCE_EXHAUSTED

    def details(self) -> str:
        return SAID


def of_a_parser() -> Exception:
    with pytest.raises(ValidationError, match=SAID) as caught:
        City.model_validate_json(f'{{"town": "{SAID}"}}')
    return caught.value


def of_a_connection() -> Exception:
    error, refused = openai.APIConnectionError(request=SENT), httpx2.ConnectError("refused")
    refused.__cause__ = ConnectionRefusedError(111, "Connection refused")
    error.__cause__ = refused
    return error


@pytest.mark.parametrize(
    ("make", "facts"),
    [
        (of_openai, "HTTP 400, invalid_request_error, content_filter"),
        (of_a_validator, "HTTP 422"),
        (of_anthropic, "HTTP 529, overloaded_error"),
        (of_google, "HTTP 400, INVALID_ARGUMENT"),
        (of_bedrock, "HTTP 400, ValidationException"),
        (of_mistral, "HTTP 422, invalid_request_prompt"),
        (lambda: ApiError(status_code=429, body={"message": SAID}), "HTTP 429"),
        (lambda: ResponseError(SAID, 404), "HTTP 404"),
        (Refused, "RESOURCE_EXHAUSTED"),
        (of_a_parser, None),
        (of_a_connection, "ConnectError, ConnectionRefusedError"),
        (lambda: ValueError(SAID), None),
        (lambda: OSError(28, SAID), None),
    ],
)
def test_facts_are_kept_and_nothing_that_is_quoted(
    recorder: Recorder, kept: Kept, make: Callable[[], Exception], facts: str | None
) -> None:
    error = make()
    Call(recorder, provider="openai", api="chat").fail(error)
    assert (kept.only.error_type, kept.only.error) == (type(error).__name__, facts)
    assert "secret" not in repr(kept.only)


@pytest.mark.parametrize(
    "code", [f"x {SAID}", "sk-proj-abcdefghij0123456789", "x" * 65, "1", "", 7, None, [SAID]]
)
def test_what_is_no_code_is_not_taken_for_one(code: object) -> None:
    error = openai.APIError("no", request=SENT, body={"code": code, "type": code})
    assert facts_of(error) is None


def test_by_choice_its_words_are_kept_through_the_hook_without_keys_and_cut(
    recorder: Recorder, kept: Kept
) -> None:
    recorder.errors = Texts(lambda text: text.replace("moon", "[place]"))
    Call(recorder, provider="openai", api="chat").fail(
        ValueError(f"{SAID}\nsk-proj-abcdefghij0123456789 " + "x " * 500)
    )
    assert kept.only.error is not None
    assert kept.only.error.startswith("the secret plan of the [place] base [key] x")
    assert len(kept.only.error) == 300


def test_an_error_that_cannot_be_looked_at_is_a_failed_call_all_the_same(
    recorder: Recorder, kept: Kept
) -> None:
    class Odd(Exception):  # noqa: N818 - a stranger's
        @property
        def status_code(self) -> int:
            raise RuntimeError("no")

        def code(self) -> Any:
            raise RuntimeError("no")

        def __str__(self) -> str:
            raise RuntimeError("no")

    Call(recorder, provider="openai", api="chat").fail(Odd())
    assert (kept.only.status, kept.only.error_type, kept.only.error) == ("error", "Odd", None)
    assert told(Odd(), Texts()) is None
    assert failures.pop("failing.told") == 2


@pytest.mark.parametrize(("code", "kept"), [(99, None), (100, "HTTP 100"), (599, "HTTP 599"), (1011, None)])
def test_a_number_that_http_does_not_know_is_no_status(code: int, kept: str | None) -> None:
    """A socket's code of its end, say."""
    error = ValueError(SAID)
    error.__dict__["code"] = code
    assert facts_of(error) == kept


def test_causes_that_go_round_in_a_circle_are_named_so_many_times() -> None:
    one, other = ValueError(SAID), OSError(SAID)
    one.__cause__, other.__cause__ = other, one
    assert facts_of(one) == "OSError, ValueError, OSError"
