"""mistralai's batches: lines of a file of results, or inside of a job, counted when they are read."""

from collections.abc import Callable
from typing import Any

from outlay.capture.bodies import tee
from outlay.capture.once import Once
from outlay.capture.recorder import Recorder
from outlay.extract.plain import fields_of
from outlay.instrumentation.batches import Batches
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.paths import content_of
from outlay.instrumentation.wrapping import Look, looked_at, looked_at_async

_JOBS = ("create", "get", "list", "cancel")


class _Looks:
    """What is done with answers about jobs and files."""

    def __init__(
        self,
        recorder: Callable[[], Recorder],
        patches: Patches,
        provider_of: Callable[[Any, object], str],
    ) -> None:
        self._batches = Batches(recorder, Once(recorder))
        self._patches = patches
        self._provider_of = provider_of

    def made(self, sdk: Any, args: tuple[Any, ...], asked: dict[str, Any], result: Any) -> None:
        """Look at a job that is made here."""
        self.told(sdk, args, asked, result, own=True)

    def told(
        self, sdk: Any, _args: tuple[Any, ...], asked: dict[str, Any], result: Any, *, own: bool = False
    ) -> None:
        """Look at a job, or a page of them, and at the answers inside."""
        if not self._patches.active:
            return
        self._batches.learn(result, own=own)
        fields = fields_of(result) or {}
        for line in fields.get("outputs") or ():
            self._batches.line(self._provider_of(sdk, asked.get("server_url")), fields.get("id"), line)

    def file(self, sdk: Any, _args: tuple[Any, ...], asked: dict[str, Any], response: Any) -> None:
        """Look at a file's bytes, that are there or come as they are read."""
        if not self._patches.active:
            return
        batch = self._batches.batch_of(str(asked.get("file_id")))
        lines = self._batches.lines(self._provider_of(sdk, asked.get("server_url")), batch)
        content = content_of(response)
        if content is None:
            tee(response, lines)
        else:
            lines.whole(content)


def hook(
    recorder: Callable[[], Recorder],
    patches: Patches,
    classes: tuple[Any, Any],
    provider_of: Callable[[Any, object], str],
) -> None:
    """Hook an SDK's classes of jobs and of files; one that is not there is left out."""
    looks = _Looks(recorder, patches, provider_of)
    jobs, files = classes
    for name in _JOBS:
        _look(patches, jobs, name, looks.made if name == "create" else looks.told)
    _look(patches, files, "download", looks.file)


def _look(patches: Patches, owner: Any, name: str, look: Look) -> None:
    if owner is not None:
        patches.replace(owner, name, lambda original: looked_at(original, look))
        patches.replace(owner, f"{name}_async", lambda original: looked_at_async(original, look))
