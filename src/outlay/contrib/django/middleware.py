"""Django middleware: calls made while a view runs are for the user, session and tags that its request names.

``MIDDLEWARE = […, "outlay.contrib.django.middleware.attribution"]``, after Django's own authentication. In
the settings ``OUTLAY_HEADERS = {"user": "x-user-id"}`` names the header of each attribute, and
``OUTLAY_ATTRIBUTES`` a callable, or its dotted path, that is given the request:
``lambda request: {"user": request.user.pk}``.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.utils.decorators import sync_and_async_middleware
from django.utils.module_loading import import_string

from outlay.capture import context
from outlay.contrib.headers import said
from outlay.contrib.wsgi import Pieces


@sync_and_async_middleware  # type: ignore[untyped-decorator] # Django has no types
def attribution(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make the middleware, synchronous or asynchronous as the project's handler is."""
    headers: Mapping[str, str] = getattr(settings, "OUTLAY_HEADERS", {})
    named = getattr(settings, "OUTLAY_ATTRIBUTES", None)
    attributes = import_string(named) if isinstance(named, str) else named

    def attributes_of(request: Any) -> dict[str, Any]:
        return said(request, headers, request.headers.get, attributes)

    if iscoroutinefunction(get_response):
        in_thread = sync_to_async(attributes_of)

        async def serve_async(request: Any) -> Any:
            # The callable may ask the database, as for the user of a session: Django forbids it in the loop.
            told = attributes_of(request) if attributes is None else await in_thread(request)
            with context(**told):
                return _streaming_within(await get_response(request), told)

        return serve_async

    def serve(request: Any) -> Any:
        told = attributes_of(request)
        with context(**told):
            return _streaming_within(get_response(request), told)

    return serve


def _streaming_within(response: Any, told: Mapping[str, Any]) -> Any:
    """Let a streamed body, which is made after the view, be made in the view's context."""
    if getattr(response, "streaming", False) and not hasattr(response, "file_to_stream"):
        within = _pieces if response.is_async else Pieces
        response.streaming_content = within(response.streaming_content, told)
    return response


async def _pieces(body: AsyncIterable[bytes], told: Mapping[str, Any]) -> AsyncIterator[bytes]:
    pieces = aiter(body)
    while True:
        with context(**told):
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
        yield piece
