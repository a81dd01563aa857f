"""ASGI: FastAPI and Starlette applications under the middleware."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import fastapi
import httpx
import pytest
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, StreamingResponse
from tests.support.wire import Kept

import outlay
from outlay.capture.guard import failures
from outlay.contrib.asgi import OutlayMiddleware

Ask = Callable[[], None]


def application(ask: Ask, **options: Any) -> fastapi.FastAPI:
    app = fastapi.FastAPI()
    app.add_middleware(OutlayMiddleware, **options)

    @app.get("/sync")
    def in_a_thread() -> str:
        ask()
        return "done"

    @app.get("/async")
    async def in_the_loop() -> str:
        ask()
        await asyncio.sleep(0.01)
        ask()
        return "done"

    @app.get("/stream")
    async def streamed() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            ask()
            yield "a"
            ask()
            yield "b"

        return StreamingResponse(pieces(), background=BackgroundTask(ask))

    return app


def get(app: Any, *requests: tuple[str, dict[str, str]]) -> list[httpx.Response]:
    """Send requests all at once."""

    async def main() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(*(client.get(path, headers=headers) for path, headers in requests))

    return asyncio.run(main())


@pytest.mark.parametrize(("path", "calls"), [("/sync", 1), ("/async", 2), ("/stream", 3)])
def test_a_requests_calls_are_for_its_user(kept: Kept, ask: Ask, path: str, calls: int) -> None:
    app = application(ask, headers={"user": "X-User-Id", "team": "x-team"})
    users = [str(n) for n in range(3)]
    answers = get(app, *((path, {"x-user-id": user, "X-TEAM": "search"}) for user in users))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert sorted(str(record.user) for record in kept.records) == sorted(users * calls)
    assert {record.tags["team"] for record in kept.records} == {"search"}


def test_nothing_is_taken_that_is_not_named(kept: Kept, ask: Ask) -> None:
    get(application(ask), ("/async", {"x-user-id": "u1", "baggage": "user.id=u2"}))
    assert {record.user for record in kept.records} == {None}


def test_a_callable_reads_the_scope_and_wins_over_headers(kept: Kept, ask: Ask) -> None:
    app = application(
        ask,
        headers={"user": "x-user-id"},
        attributes=lambda scope: {"user": "u9", "route": scope["path"], "session": None},
    )
    get(app, ("/sync", {"x-user-id": "u1"}))
    assert (kept.only.user, kept.only.tags["route"]) == ("u9", "/sync")


def test_a_callable_that_fails_does_not_fail_the_request(kept: Kept, ask: Ask) -> None:
    failures.clear()
    app = application(ask, headers={"user": "x-user-id"}, attributes=lambda scope: scope["no such key"])
    (answer,) = get(app, ("/sync", {"x-user-id": "u1"}))
    assert (answer.status_code, kept.only.user) == (200, "u1")
    assert failures.pop("attributes of a request") == 1


def test_a_header_is_bounded(kept: Kept, ask: Ask) -> None:
    get(application(ask, headers={"user": "x-user-id"}), ("/sync", {"x-user-id": "x" * 5000}))
    assert kept.only.user == "x" * 200


def test_a_dependency_that_knows_the_user_opens_a_context(kept: Kept, ask: Ask) -> None:
    """The way for a user that only the application itself can tell."""
    app = fastapi.FastAPI()

    async def of_user(token: str) -> AsyncIterator[None]:
        with outlay.context(user=f"user of {token}"):
            yield

    @app.get("/", dependencies=[fastapi.Depends(of_user)])
    def in_a_thread() -> str:
        ask()
        return "done"

    get(app, ("/?token=t1", {}), ("/?token=t2", {}))
    assert sorted(str(record.user) for record in kept.records) == ["user of t1", "user of t2"]


def test_lifespan_and_other_scopes_pass(kept: Kept) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(OutlayMiddleware(app)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def test_a_websocket_is_served_in_its_context(kept: Kept, ask: Ask) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        ask()

    wrapped = OutlayMiddleware(app, headers={"session": "x-session"})
    asyncio.run(wrapped({"type": "websocket", "headers": [(b"x-session", b"s1")]}, None, None))
    assert kept.only.session == "s1"


def test_a_starlette_response_is_unchanged(kept: Kept) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({"a": 1}, headers={"x-own": "1"})(scope, receive, send)

    (answer,) = get(OutlayMiddleware(app), ("/", {}))
    assert (answer.json(), answer.headers["x-own"]) == ({"a": 1}, "1")
