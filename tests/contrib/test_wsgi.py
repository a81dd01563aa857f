"""WSGI: a plain application and Django's under the middleware, and Django's own middleware."""

import asyncio
import wsgiref.util
import wsgiref.validate
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

import pytest
from tests.support import django_site
from tests.support.wire import Kept

from outlay.contrib.wsgi import OutlayMiddleware

Ask = Callable[[], None]


def get(app: Any, **headers: str) -> bytes:
    """Send one request as a server would, every rule of WSGI checked."""
    environ: dict[str, Any] = {}
    wsgiref.util.setup_testing_defaults(environ)
    environ.update(headers, QUERY_STRING="")

    def start_response(status: str, sent: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., None]:
        assert status == "200 OK"
        return lambda data: None

    body = wsgiref.validate.validator(app)(environ, start_response)
    try:
        return b"".join(body)
    finally:
        body.close()  # type: ignore[attr-defined] # the validator's iterator has it


def answering(make_body: Callable[[], Iterable[bytes]]) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return make_body()

    return app


def test_a_plain_application(kept: Kept, ask: Ask) -> None:
    def body() -> Iterable[bytes]:
        ask()
        return [b"done"]

    app = OutlayMiddleware(answering(body), headers={"user": "X-User-Id", "session": "X-Session"})
    assert get(app, HTTP_X_USER_ID="u1", HTTP_X_SESSION=" ") == b"done"
    assert (kept.only.user, kept.only.session) == ("u1", None)


def test_a_body_that_is_made_piece_by_piece_and_closed(kept: Kept, ask: Ask) -> None:
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            ask()
            yield b"a"
            ask()
            yield b"b"
        finally:
            closed.append(True)
            ask()

    app = OutlayMiddleware(answering(pieces), attributes=lambda environ: {"user": environ["REQUEST_METHOD"]})
    assert get(app) == b"ab"
    assert [record.user for record in kept.records] == ["GET", "GET", "GET"]
    assert closed == [True]


def test_a_file_is_left_to_the_server(kept: Kept) -> None:
    file = wsgiref.util.FileWrapper(BytesIO(b"content"))
    app = OutlayMiddleware(lambda environ, start_response: file)
    assert app({"wsgi.file_wrapper": wsgiref.util.FileWrapper}, None) is file


@pytest.fixture(scope="module")
def django_handlers() -> Callable[..., Any]:
    """Give Django's own WSGI or ASGI application, with one view of each kind."""
    django_site.configure()

    def make(kind: str, **changed: Any) -> Any:
        from django.core.asgi import get_asgi_application  # noqa: PLC0415
        from django.core.wsgi import get_wsgi_application  # noqa: PLC0415
        from django.test import override_settings  # noqa: PLC0415

        changed.setdefault("MIDDLEWARE", [])
        with override_settings(**changed):
            return get_asgi_application() if kind == "asgi" else get_wsgi_application()

    return make


OWN = {
    "MIDDLEWARE": ["outlay.contrib.django.middleware.attribution"],
    "OUTLAY_HEADERS": {"user": "x-user-id"},
    "OUTLAY_ATTRIBUTES": "tests.support.django_urls.attributes",
}


@pytest.mark.parametrize(("path", "calls"), [("/plain", 1), ("/stream", 2)])
def test_django_under_the_wsgi_middleware(
    kept: Kept, django_handlers: Callable[..., Any], path: str, calls: int
) -> None:
    app = OutlayMiddleware(django_handlers("wsgi"), headers={"user": "x-user-id"})
    assert get(app, PATH_INFO=path, HTTP_X_USER_ID="u1") == b"done"
    assert [record.user for record in kept.records] == ["u1"] * calls


@pytest.mark.parametrize(("path", "calls"), [("/plain", 1), ("/stream", 2)])
def test_djangos_own_middleware(
    kept: Kept, django_handlers: Callable[..., Any], path: str, calls: int
) -> None:
    assert get(django_handlers("wsgi", **OWN), PATH_INFO=path, HTTP_X_USER_ID="u1") == b"done"
    assert [(record.user, record.tags["route"]) for record in kept.records] == [("u1", path)] * calls


@pytest.mark.parametrize(("path", "calls"), [("/plain", 1), ("/async", 1), ("/async_stream", 2)])
def test_djangos_own_middleware_asynchronous(
    kept: Kept, django_handlers: Callable[..., Any], path: str, calls: int
) -> None:
    import httpx  # noqa: PLC0415 - its ASGI transport

    app = django_handlers("asgi", **OWN)

    async def main() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get(path, headers={"x-user-id": "u1"})

    assert asyncio.run(main()).content == b"done"
    assert [(record.user, record.tags["route"]) for record in kept.records] == [("u1", path)] * calls


def test_the_asynchronous_iterator_of_a_body_is_whole() -> None:
    from outlay.contrib.django.middleware import _pieces  # noqa: PLC0415 - needs Django's settings

    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def main() -> list[bytes]:
        return [piece async for piece in _pieces(body(), {})]

    assert asyncio.run(main()) == [b"a", b"b"]


class Lazy:
    """A user who is looked up when its text is wanted, as Django's; the database is away."""

    def __str__(self) -> str:
        raise ConnectionError("the database is away")


@pytest.mark.parametrize("given", [{"user": Lazy()}, {1: Lazy()}])
def test_attributes_that_fail_when_they_are_read_never_stop_the_request(
    kept: Kept, ask: Ask, given: dict[Any, Any]
) -> None:
    def body() -> Iterable[bytes]:
        ask()
        return [b"done"]

    app = OutlayMiddleware(answering(body), attributes=lambda _environ: given)
    assert get(app) == b"done"
    assert kept.only.user is None


def test_an_attribute_that_is_named_by_a_number_is_a_tag(kept: Kept, ask: Ask) -> None:
    def body() -> Iterable[bytes]:
        ask()
        return [b"done"]

    named: Any = {1: 2, "user": None}
    app = OutlayMiddleware(answering(body), attributes=lambda _environ: named)
    assert get(app) == b"done"
    assert (kept.only.user, kept.only.tags["1"]) == (None, "2")
