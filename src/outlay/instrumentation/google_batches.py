"""google-genai's batches: answers inside of a job, or in a file of results, counted when they are read."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from outlay.capture.once import Once
from outlay.capture.recorder import Recorder
from outlay.extract.plain import fields_of
from outlay.instrumentation.batches import Batches
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import looked_at, looked_at_async

_PROVIDER = "google"  # Vertex writes its results into the customer's own storage

_INSIDE = {"inlinedResponses": "generate_content", "inlinedEmbedContentResponses": "embeddings"}
"""Where a job has its answers -> their API."""


def hook(recorder: Callable[[], Recorder], patches: Patches, client: Any) -> None:
    """Hook the API client, at what gives jobs and files."""
    batches = Batches(recorder, Once(recorder))

    def job(_client: Any, args: tuple[Any, ...], _asked: dict[str, Any], response: Any) -> None:
        method, path = args[0].lower(), args[1].partition("?")[0]
        made = path.endswith((":batchGenerateContent", ":asyncBatchEmbedContent"))
        if patches.active and (made or path.rpartition("/")[0].endswith("batches")) and method != "delete":
            _learn(batches, json.loads(response.body or "{}"), own=made)

    def file(_client: Any, args: tuple[Any, ...], asked: dict[str, Any], content: Any) -> None:
        path = asked["path"] if "path" in asked else args[0]
        name = path.partition("?")[0].removesuffix(":download")
        if patches.active and isinstance(content, bytes):
            batches.lines(_PROVIDER, batches.batch_of(name), scope=name).whole(content)

    patches.replace(client, "request", lambda original: looked_at(original, job))
    patches.replace(client, "async_request", lambda original: looked_at_async(original, job))
    patches.replace(client, "download_file", lambda original: looked_at(original, file))
    patches.replace(client, "async_download_file", lambda original: looked_at_async(original, file))


def _learn(batches: Batches, body: Mapping[str, Any], *, own: bool) -> None:
    """Remember a job, and take the answers that are inside of it."""
    name, about = body.get("name"), fields_of(body.get("metadata")) or {}
    said = {**(fields_of(about.get("output")) or {}), **(fields_of(body.get("response")) or {})}
    model = str(about.get("model") or "").removeprefix("models/")
    known = {"id": name, "created_at": about.get("createTime"), "output_file": said.get("responsesFile")}
    batches.learn({**known, "model": model}, own=own)
    for kind, api in _INSIDE.items():
        for line in _inside(said, kind):
            batches.line(_PROVIDER, name, line, api=api)


def _inside(said: Mapping[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    answers = (fields_of(said.get(kind)) or {}).get("inlinedResponses") or ()
    for place, each in enumerate(answers):
        key = (fields_of(each.get("metadata")) or {}).get("key")
        yield {**each, "key": str(place) if key is None else key}
