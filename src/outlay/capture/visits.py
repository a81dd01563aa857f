"""One run of a tracked function: its attributes, its scope, and the call it stands for if it saw none."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from outlay.capture import contexts
from outlay.capture.call import Call
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.results import answers_in
from outlay.core.errors import OutlayError
from outlay.extract import read


class Visit:
    """Entered for each stretch in which the function runs; then told what came of it."""

    __slots__ = ("_api", "_attribution", "_call", "_scope", "_tokens")

    def __init__(
        self,
        recorder: Recorder,
        provider: str,
        api: str | None,
        model: str | None,
        attributes: dict[str, Any],
    ) -> None:
        self._api = api
        self._attribution = contexts.attribution.get().with_(attributes)
        self._scope = contexts.Scope(contexts.scope.get())
        self._tokens: tuple[Any, Any] | None = None
        with self:
            self._call = Call(recorder, provider=provider, api=api or "chat", model=model, counted=False)

    def __enter__(self) -> None:
        self._tokens = (contexts.attribution.set(self._attribution), contexts.scope.set(self._scope))

    def __exit__(self, *_: object) -> None:
        attribution, scope = cast("tuple[Any, Any]", self._tokens)
        contexts.restore(contexts.scope, scope)
        contexts.restore(contexts.attribution, attribution)

    @guarded
    def returned(self, result: Any) -> None:
        """The function gave a result: read it if no call was seen inside; each answer in it is a call."""
        if self._scope.seen or result is None or isinstance(result, str | bytes | int | float | bool):
            return
        for answer in answers_in(result):
            try:
                usage = read(answer, provider=self._call.provider, api=self._api)
            except OutlayError:
                continue
            if usage.items or usage.reported_cost is not None:
                call = self._call.beside() if self._call.done else self._call
                self._stand(partial(call.finish, usage))

    def raised(self, error: BaseException) -> None:
        """The function failed: that is a failed call, unless the call was seen inside."""
        if not self._scope.seen and not isinstance(error, GeneratorExit):
            self._stand(partial(self._call.fail, error))

    def _stand(self, keep: Callable[[], object]) -> None:
        """Have the function's own call kept; those around it learn that a call was seen."""
        token = contexts.standing.set(self._scope)
        try:
            keep()
        finally:
            contexts.restore(contexts.standing, token)
        if self._scope.outer is not None:
            self._scope.outer.saw_call()


class Stepping:
    """A generator whose every step runs inside the visit, so that its context never leaks to the caller."""

    def __init__(self, inner: Any, visiting: Visit) -> None:
        self._inner = inner
        self._visiting = visiting

    def __iter__(self) -> "Stepping":
        return self

    def __next__(self) -> Any:
        with self._visiting:
            return next(self._inner)

    def send(self, value: Any) -> Any:
        """Send a value in, as to any generator."""
        with self._visiting:
            return self._inner.send(value)

    def throw(self, *error: Any) -> Any:
        """Throw an exception in."""
        with self._visiting:
            return self._inner.throw(*error)

    def close(self) -> None:
        """Close the generator."""
        with self._visiting:
            self._inner.close()
