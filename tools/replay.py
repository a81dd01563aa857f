"""Replay recorded responses through the official SDKs, instrumented, and compare with ``outlay price``.

    python -m tools.replay responses.jsonl

Each line is one of ``outlay price``'s input. The SDK asks a mock transport, which answers with the recorded
body; what the hooks record must be the usage and cost that reading the body itself gives.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
from google import genai
from google.genai import types
from rich.console import Console
from rich.table import Table

from outlay.capture import Recorder
from outlay.core.errors import OutlayError
from outlay.core.instants import instant
from outlay.core.record import Entry, Record
from outlay.extract import read
from outlay.instrumentation import Hooks
from outlay.pricing import cost_of

ASKED: Any = [{"role": "user", "content": "hi"}]
OK = 200
_UNNAMED = re.compile(r'^(data: ?\{"type": ?"(\w+)")', re.MULTILINE)


class LineClock:
    """Stands at the time of the line that is replayed."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        """Give the line's time."""
        return self.at

    def monotonic(self) -> float:
        """Give no duration."""
        return 0.0


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Keep one entry."""
        self.entries.append(entry)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the port's signature
        """Nothing is pending."""
        return True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line: ``equal``, or how it differs."""

    id: object
    provider: str
    api: str
    verdict: str
    detail: str = ""


def body_of(line: Mapping[str, Any]) -> tuple[bytes, bool]:
    """Give a line's body as the wire would, and whether it is a stream."""
    if "sse" in line:
        return _with_names(line).encode(), True
    if "events" in line:
        named = line["api"] in {"messages", "responses"}
        return b"".join(_event(event, named=named) for event in line["events"]), True
    return json.dumps(line["response"]).encode(), False


def _with_names(line: Mapping[str, Any]) -> str:
    """Give the stream as its SDK needs it: a fixture may lack the event names that the wire has."""
    text: str = line["sse"]
    if line["api"] != "messages" or "event:" in text:
        return text
    return _UNNAMED.sub(r"event: \2\n\1", text)


def _event(event: Mapping[str, Any], *, named: bool) -> bytes:
    name = f"event: {event['type']}\n" if named and "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


def answering(line: Mapping[str, Any]) -> httpx2.MockTransport:
    """Make a transport that answers every request with the line's body."""
    body, streamed = body_of(line)
    kind = "text/event-stream" if streamed else "application/json"
    status = line.get("meta", {}).get("status") or OK

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"content-type": kind}, content=body)

    return httpx2.MockTransport(answer)


def _openai(line: Mapping[str, Any], model: str) -> Any:
    http = httpx2.Client(transport=answering(line))
    client = openai.OpenAI(api_key="none", http_client=http, max_retries=0)
    streamed = body_of(line)[1]
    if line["api"] == "chat":
        return client.chat.completions.create(model=model, messages=ASKED, stream=streamed)
    if line["api"] == "responses":
        return client.responses.create(model=model, input="hi", stream=streamed)
    return client.embeddings.create(model=model, input="hi", encoding_format="float")


def _anthropic(line: Mapping[str, Any], model: str) -> Any:
    http = httpx2.Client(transport=answering(line))
    client = anthropic.Anthropic(api_key="none", http_client=http, max_retries=0)
    return client.beta.messages.create(
        model=model, messages=ASKED, max_tokens=16, stream=body_of(line)[1], timeout=60
    )


def _google(line: Mapping[str, Any], model: str) -> Any:
    http = types.HttpOptions(httpx_client=httpx2.Client(transport=answering(line)))
    models = genai.Client(api_key="none", http_options=http).models
    if body_of(line)[1]:
        return models.generate_content_stream(model=model, contents="hi")
    return models.generate_content(model=model, contents="hi")


SDKS: Mapping[tuple[str, str], Callable[[Mapping[str, Any], str], Any]] = {
    ("openai", "chat"): _openai,
    ("openai", "responses"): _openai,
    ("openai", "embeddings"): _openai,
    ("anthropic", "messages"): _anthropic,
    ("google", "generate_content"): _google,
}


def replay(line: Mapping[str, Any], clock: LineClock, kept: Kept) -> Outcome:
    """Send one line through its SDK and compare what was recorded with what reading the body gives."""
    provider, api = line["provider"], line["api"]
    clock.at = instant(line["at"]) if line.get("at") else datetime.now(UTC)
    asked = line.get("model") or line.get("meta", {}).get("model_requested") or "unknown"
    kept.entries.clear()
    failure = send(line, asked)
    records = [entry for entry in kept.entries if isinstance(entry, Record)]
    if len(records) != 1:
        return Outcome(line.get("id"), provider, api, f"{len(records)} records", failure)
    return Outcome(line.get("id"), provider, api, *_compare(line, records[0], clock.at, asked))


def send(line: Mapping[str, Any], asked: str) -> str:
    """Have the SDK ask, and read a stream to its end; give the name of what it raised, if anything."""
    try:
        result = SDKS[line["provider"], line["api"]](line, asked)
        if isinstance(result, Iterator) or hasattr(result, "_iterator"):
            for _ in result:
                pass
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises goes to its caller
        return type(error).__name__
    return ""


def _compare(line: Mapping[str, Any], record: Record, at: datetime, asked: str) -> tuple[str, str]:
    provider, api = line["provider"], line["api"]
    try:
        usage = read(
            next(line[key] for key in ("response", "events", "sse") if key in line),
            provider=provider,
            api=api,
        )
    except OutlayError as error:
        return ("equal", "unreadable both ways") if not record.usage.items else ("differs", str(error))
    cost = cost_of(usage, provider=provider, model=usage.model or asked, at=at).amount
    if record.usage.units == usage.units and record.cost == cost:
        return "equal", ""
    return "differs", f"recorded {record.usage.units} {record.cost}, read {usage.units} {cost}"


def replay_all(lines: Iterable[Mapping[str, Any]]) -> list[Outcome]:
    """Replay every line of the APIs that have an SDK here."""
    clock, kept = LineClock(), Kept()
    recorder = Recorder(kept, clock=clock, price=cost_of)
    hooks = Hooks(lambda: recorder)
    hooks.instrument("openai", "anthropic", "google")
    try:
        return [replay(line, clock, kept) for line in lines if (line["provider"], line["api"]) in SDKS]
    finally:
        hooks.uninstrument()


def main(path: str) -> int:
    """Print a table; the exit code is 1 when a line differs."""
    with Path(path).open(encoding="utf-8") as file:
        outcomes = replay_all(map(json.loads, file))
    counts: dict[tuple[str, str], Counter[str]] = {}
    for outcome in outcomes:
        counts.setdefault((outcome.provider, outcome.api), Counter())[outcome.verdict] += 1
    table = Table("provider", "api", "replayed", "equal")
    for (provider, api), verdicts in sorted(counts.items()):
        table.add_row(provider, api, str(verdicts.total()), str(verdicts["equal"]))
    console = Console(width=100)
    console.print(table)
    wrong = [outcome for outcome in outcomes if outcome.verdict != "equal"]
    for outcome in wrong:
        console.print(f"{outcome.id} {outcome.provider} {outcome.api}: {outcome.verdict} {outcome.detail}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
