"""xai-sdk's batches: results counted when they are listed, or asked for one by one."""

from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from outlay.capture.once import Once
from outlay.capture.recorder import Recorder
from outlay.instrumentation.batches import Batches
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import looked_at, looked_at_async

Bodies = Mapping[str, Callable[[Any], dict[str, Any]]]
"""What an answer is -> what gives its fields."""
_CHAT = "completion_response"
_LOOKS = frozenset({"CreateBatch", "GetBatch", "ListBatchResults", "GetBatchRequestResult"})


class _Stub(SimpleNamespace):
    """A stub's methods, whose answers are looked at; whom it stands for."""


class Watcher:
    """Gives a batch client's stub once more, its answers looked at."""

    def __init__(self, recorder: Callable[[], Recorder], patches: Patches, body_of: Bodies) -> None:
        self._batches = Batches(recorder, Once(recorder))
        self._patches = patches
        self._body_of = body_of

    def __call__(self, stub: Any) -> Any:
        """Watch a stub, which is left as it is."""
        plain = stub.outlay_plain if isinstance(stub, _Stub) else stub  # not those of hooks taken out since
        methods = dict(vars(plain))
        for name in _LOOKS & methods.keys():
            methods[name] = _looking(methods[name], partial(self._look, name))
        return _Stub(**methods, outlay_plain=plain)

    def _look(
        self, name: str, _what: Any, args: tuple[Any, ...], _asked: dict[str, Any], answer: Any
    ) -> None:
        if not self._patches.active:
            return
        if name in {"CreateBatch", "GetBatch"}:
            created = answer.create_time.ToJsonString() if answer.HasField("create_time") else None
            self._batches.learn({"id": answer.batch_id, "created_at": created}, own=name == "CreateBatch")
            return
        for result in answer.results if name == "ListBatchResults" else (answer.result,):
            self._line(args[0].batch_id, result)

    def _line(self, batch_id: str, result: Any) -> None:
        fields: dict[str, Any] = {"custom_id": result.batch_request_id}
        kind = result.response.WhichOneof("response")
        answer = None if kind is None else getattr(result.response, kind)
        error = result.error.code or getattr(getattr(answer, "error", None), "code", None)
        if error:
            fields["error"] = {"code": str(error)}
        elif answer is not None:
            fields["response"] = {"body": self._body_of[kind](answer)}
        api = "grpc_chat" if kind in {None, _CHAT} else "images"  # an API for films there is none
        self._batches.line("xai", batch_id, fields, api=api, scope=batch_id)


def _looking(method: Any, look: Callable[..., None]) -> Callable[..., Any]:
    if not type(method).__module__.startswith("grpc.aio"):

        def send(_what: Any, *args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return partial(looked_at(send, look), None)

    async def ask(_what: Any, *args: Any, **kwargs: Any) -> Any:
        return await method(*args, **kwargs)

    return partial(looked_at_async(ask, look), None)
