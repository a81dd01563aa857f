"""ASGI middleware: calls made while a request is served are for the user, session and tags that it names."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from outlay.capture import context
from outlay.contrib.headers import Middleware, said

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class OutlayMiddleware(Middleware):
    """Wraps any ASGI application; ``app.add_middleware(OutlayMiddleware, …)`` in FastAPI and Starlette.

    ``headers`` names the header of each attribute: ``{"user": "x-user-id"}``. ``attributes`` is called with
    the scope and gives more of them. Nothing is taken from a request that is not named here: believe
    headers only where a proxy of yours sets them.
    """

    app: App

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve one request or websocket; the body of a streamed answer and background tasks belong to it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        with context(**said(scope, self.headers, lambda name: _header(scope, name), self.attributes)):
            await self.app(scope, receive, send)


def _header(scope: Scope, name: str) -> str | None:
    wanted = name.lower().encode("latin-1")
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted), None)
