"""WSGI middleware: calls made while a request is served are for the user, session and tags that it names."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from outlay.capture import context
from outlay.contrib.headers import Middleware, said

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]


class OutlayMiddleware(Middleware):
    """Wraps any WSGI application: Flask's ``app.wsgi_app``, Django's, a plain function.

    ``headers`` names the header of each attribute: ``{"user": "x-user-id"}``. ``attributes`` is called with
    the environ and gives more of them. Nothing is taken from a request that is not named here: believe
    headers only where a proxy of yours sets them.
    """

    app: App

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Serve one request; what makes the body of a streamed answer belongs to it."""
        attributes = said(environ, self.headers, lambda name: environ.get(_key(name)), self.attributes)
        with context(**attributes):
            body = self.app(environ, start_response)
        # A body that is there already makes no calls; a server may ask its length, or send it as a file.
        file = environ.get("wsgi.file_wrapper")
        ready = isinstance(body, list | tuple | bytes) or (isinstance(file, type) and isinstance(body, file))
        return body if ready else Pieces(body, attributes)


def _key(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


class Pieces:
    """A body that is made piece by piece, each in the request's context; closed as the server asks."""

    def __init__(self, body: Iterable[bytes], attributes: Mapping[str, Any]) -> None:
        self._body = body
        self._attributes = attributes
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with context(**self._attributes):
            if self._pieces is None:
                self._pieces = iter(self._body)
            return next(self._pieces)

    def close(self) -> None:
        """Close the application's body, if it can be closed."""
        close = getattr(self._body, "close", None)
        if close is not None:
            with context(**self._attributes):
                close()
