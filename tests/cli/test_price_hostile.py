"""Hostile lines to ``outlay price``: wrong in every way at every place; each still gets its one answer."""

import gc
import json
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from functools import _lru_cache_wrapper
from typing import Any

import pytest

from outlay.cli.price_batches import price_batch
from outlay.cli.price_lines import price_line
from outlay.pricing import Book

Path = tuple[str | int, ...]

CHAT = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "service_tier": "default",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "hi"}}],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 10},
        "cost": 0.1,
    },
}
MESSAGE = {
    "type": "message",
    "model": "claude-sonnet-4-5",
    "usage": {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_creation": {"ephemeral_1h_input_tokens": 3, "ephemeral_5m_input_tokens": 4},
        "cache_creation_input_tokens": 7,
        "server_tool_use": {"web_search_requests": 1},
        "iterations": [{"type": "advisor_message", "model": "claude-opus-4-5", "input_tokens": 1}],
    },
}
GEMINI = {
    "modelVersion": "gemini-2.5-flash",
    "candidates": [{"groundingMetadata": {"webSearchQueries": ["q"]}}],
    "usageMetadata": {
        "promptTokenCount": 9,
        "thoughtsTokenCount": 2,
        "totalTokenCount": 11,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 4}],
    },
}


def line(provider: str, api: str, body: Any) -> dict[str, Any]:
    return {"id": 1, "provider": provider, "api": api, "at": "2026-11-01T00:00:00Z", "response": body}


GOOD = (
    line("openai", "chat", CHAT),
    line("anthropic", "messages", MESSAGE),
    line("google", "generate_content", GEMINI),
    line("bedrock", "converse", {"usage": {"inputTokens": 5, "outputTokens": 6, "totalTokens": 11}}),
    line("cohere", "cohere_chat", {"usage": {"billed_units": {"input_tokens": 5, "output_tokens": 6}}}),
    line("mistral", "ocr", {"model": "mistral-ocr-latest", "usage_info": {"pages_processed": 3}}),
)
DEEP: Any = []
for _ in range(60):
    DEEP = {"usage": DEEP, "a": [DEEP]}[("usage", "a")[_ % 2]]  # lists in objects in lists
WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "negative": -5,
    "float": 1.5,
    "tiny": 5e-324,
    "absurd": 10**15,
    "64 bits": 2**64,
    "text": "12",
    "words": "twelve",
    "empty": "",
    "long": "9" * 5000,
    "surrogate": "\ud83d",
    "control": "\x00\x1b[2J\u2028",
    "list": [1, [2]],
    "object": {"usage": {"prompt_tokens": 1}},
    "nothing": {},
    "deep": DEEP,
    "not a number": float("nan"),
    "infinite": float("inf"),
}


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, key))


def changed(good: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    made: Any = deepcopy(good)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return made  # type: ignore[no-any-return]  # the same shape as it had


KINDS = [
    (
        f"{name} as {'.'.join(map(str, path))} of {good['api']}",
        json.dumps(changed(good, path, value)).encode(),
    )
    for good in GOOD
    for path in places(good)
    for name, value in WRONG.items()
]
SSE = line("openai", "chat", None)
WHOLE = json.dumps(GOOD[0]).encode()
RAW: dict[str, bytes] = {
    "empty": b"",
    "blanks": b" \t ",
    "a byte": b"\x00",
    "no UTF-8": b"\xff\xfe{}",
    "bad UTF-8 in a text": WHOLE.replace(b'"hi"', b'"\xc3\x28"'),
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "half of a line": WHOLE[: len(WHOLE) // 2],
    "two objects": WHOLE + WHOLE,
    "a comma too many": WHOLE[:-1] + b",}",
    "single quotes": WHOLE.replace(b'"', b"'"),
    "a list": b"[" + WHOLE + b"]",
    "a number": b"1",
    "a text": b'"x"',
    "null": b"null",
    "a thousand lists": b"[" * 1000,
    "a hundred thousand lists": b"[" * 100_000 + b"]" * 100_000,
    "a hundred thousand objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of 10,000 digits": WHOLE.replace(b": 1000", b": " + b"1" * 10_000),
    "an id of 10,000 digits": WHOLE.replace(b'"id": 1', b'"id": ' + b"1" * 10_000),
    "an exponent": WHOLE.replace(b": 1000", b": 1e308"),
    "an exponent too large": WHOLE.replace(b": 1000", b": 1e999"),
    "minus nothing": WHOLE.replace(b": 1000", b": -0.0"),
    "leading zeros": WHOLE.replace(b": 1000", b": 0001000"),
    "10 MB of text": WHOLE.replace(b'"hi"', b'"' + b"x" * 10_000_000 + b'"'),
    "10 MB of a model's name": WHOLE.replace(b'"gpt-4o"', b'"' + b"g" * 10_000_000 + b'"'),
    "100,000 keys": WHOLE.replace(
        b'"cost": 0.1', b'"cost": 0.1, ' + b", ".join(b'"k%d": %d' % (n, n) for n in range(100_000))
    ),
    "an unending stream": json.dumps({**SSE, "response": None, "sse": "data: {}\n" * 100_000}).encode(),
}
STREAMS = {
    "no event": "hello",
    "nothing": "",
    "only done": "data: [DONE]\n\n",
    "half an event": 'data: {"usage": {"prompt_tok',
    "garbage between": 'data: {"model": "gpt-4o"}\n\ndata: }{\n\ndata: {"usage": {"prompt_tokens": 1}}\n\n',
    "zero bytes": "data: \x00\n\n" * 9,
    "line ends of three kinds": "data: {}\r\n\ndata: {}\r\rdata: {}\n\n",
    "a mark of byte order": "\ufeffdata: {}\n\n",
    "no objects": "data: 1\n\ndata: [2]\n\ndata: null\n\n",
    "usage that is no object": 'data: {"usage": 7}\n\ndata: {"usage": [1]}\n\ndata: {"usage": "x"}\n\n',
    "a thousand usages": 'data: {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}\n\n' * 1000,
    "deep": "data: " + "[" * 5000 + "\n\n",
}
ODD = {
    **RAW,
    "a mark of byte order": b"\xef\xbb\xbf" + WHOLE,
    "a carriage return": WHOLE + b"\r",
    "a key twice": WHOLE.replace(b'"provider"', b'"provider": 7, "provider"'),
    "an unknown provider": json.dumps(line("nobody", "chat", CHAT)).encode(),
    "an unknown api": json.dumps(line("openai", "telepathy", CHAT)).encode(),
    "no api": json.dumps({**GOOD[0], "api": None}).encode(),
    "no provider": json.dumps({**GOOD[0], "provider": None}).encode(),
    "no body": json.dumps({**GOOD[0], "response": None}).encode(),
    "a body that is text": json.dumps({**GOOD[0], "response": json.dumps(CHAT)}).encode(),
    "no events": json.dumps({**SSE, "events": []}).encode(),
    "events that are none": json.dumps({**SSE, "events": [1, None, "x", [[]]]}).encode(),
    **{
        f"stream of {api}: {name}": json.dumps({**SSE, "api": api, "sse": text}).encode()
        for name, text in STREAMS.items()
        for api in ("chat", "messages", "responses", "generate_content", "cohere_chat", "converse", "live")
    },
}
ALL = [*KINDS, *ODD.items()]


def strange(name: str, raw: bytes) -> str | None:
    """Say what is wrong with the answer to a line; None when all is as it must be."""
    answer, fine = price_line(raw)
    data = json.loads(answer)
    if b"\n" in answer or fine is ("error" in data) or "fault of outlay" in data.get("error", ""):
        return f"{name}: {answer[:200]!r}"
    if not fine:
        return None if set(data) == {"id", "error"} else f"{name}: {data}"
    if any(count <= 0 for count in data["usage"].values()):
        return f"{name}: a count below 1"
    if data["cost"] is not None and Decimal(data["cost"]) < 0:
        return f"{name}: a cost below 0"
    if data["cost"] is None and data["cost_status"] != "unpriced":
        return f"{name}: {data['cost_status']} without a cost"
    return None


def test_there_are_many_kinds() -> None:
    assert len({name for name, _ in ALL}) == len(ALL) >= 200


def test_every_kind_has_one_answer_that_holds_together() -> None:
    assert [found for name, raw in ALL if (found := strange(name, raw)) is not None] == []


@pytest.mark.parametrize("name", RAW)
def test_what_is_no_line_is_refused_or_read_as_what_it_is(name: str) -> None:
    _, fine = price_line(RAW[name])
    # What is odd in these is a count, a text or the amount of it, which is no reason to refuse the line.
    readable = {
        "an exponent",
        "an exponent too large",
        "minus nothing",
        "10 MB of text",
        "10 MB of a model's name",
        "100,000 keys",
    }
    assert fine is (name in readable | {"an unending stream"})


def test_the_next_line_does_not_suffer() -> None:
    raws = [raw for _, raw in ALL if b"\n" not in raw and len(raw) < 100_000]
    batch = b"".join(raw + b"\n" + WHOLE + b"\n" for raw in raws)
    done = price_batch(batch)
    answers = done.answers.splitlines()
    assert len(answers) == 2 * len(raws)
    assert {json.loads(answer)["cost"] for answer in answers[1::2]} == {"0.1"}
    assert done.failed


def test_the_command_answers_every_line_and_ends_with_one(
    command: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    texts = [raw.decode() for _, raw in ALL if raw.isascii() and len(raw) < 100_000]
    done = command("price", stdin="".join(f"{text}\n" for text in texts))
    assert (done.returncode, done.stderr) == (1, "")
    assert len(done.stdout.split("\n")) == len(texts) + 1


def caches() -> dict[str, tuple[int, int | None]]:
    """Give every cache of outlay's functions with how much it holds, and at most."""
    found = [each for each in gc.get_objects() if issubclass(type(each), _lru_cache_wrapper)]  # asks no proxy
    return {
        f"{each.__module__}.{each.__qualname__}": (each.cache_info().currsize, each.cache_info().maxsize)
        for each in found
        if each.__module__.startswith("outlay.")
    }


def held(book: Book) -> int:
    """Count the characters of the keys under which a book keeps what it resolved."""
    return sum(len(str(key)) for key in book._timelines)


def test_made_up_names_do_not_make_caches_grow_without_bound() -> None:
    book = Book.default()

    def send(start: int, count: int) -> None:
        for number in range(start, start + count):
            body = {**CHAT, "model": f"made-up-{number}-{'x' * (number % 700)}", "service_tier": f"t{number}"}
            made_up = {**GOOD[0], "provider": f"nobody{number % 7000}" if number % 3 else "openai"}
            _, fine = price_line(json.dumps({**made_up, "response": body}).encode())
            assert fine

    send(0, 4_000)
    before, size = len(book._tables), held(book)
    send(4_000, 16_000)
    assert len(book._timelines) <= 2048
    assert held(book) <= 2 * size
    assert len(book._tables) == before
    unbounded = [name for name, (_, most) in caches().items() if most is None]
    assert unbounded == []
    assert all(size <= (most or 0) for size, most in caches().values())
