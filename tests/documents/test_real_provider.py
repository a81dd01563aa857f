"""Row 97: the demonstration over the official SDK, against a provider that the test starts."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import Command, run_command

KEY = "sk-a-secret-of-mine-0123456789"


class Provider(BaseHTTPRequestHandler):
    """Answers every chat completion with 1000 tokens in and 100 out."""

    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, "key": self.headers["Authorization"], **body})
        message = {"role": "assistant", "content": "hello"}
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Give the address of a provider, and what it is asked."""
    asked: list[dict[str, Any]] = []
    handler = type("Handler", (Provider,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", asked
        finally:
            server.shutdown()


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Give a function that runs the command in a process and a folder of its own."""
    return run_command(tmp_path)


def test_row_097_a_key_makes_the_demo_call_the_real_provider(
    provider: tuple[str, list[dict[str, Any]]], command: Command
) -> None:
    base_url, asked = provider
    args = ("demo", "--provider", "openai", "--model", "gpt-4o", "--calls", "3", "--show-calls")
    done = command(*args, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=base_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert [each["path"] for each in asked] == ["/v1/chat/completions"] * 3
    assert {each["model"] for each in asked} == {"gpt-4o"}
    assert {each["key"] for each in asked} == {f"Bearer {KEY}"}
    # 3 x (1000 x 2.50 + 100 x 10.00) a million
    assert "  Total calls       : 3 (3 succeeded)" in done.stdout
    assert "  Total cost        : $0.010500" in done.stdout
    assert "secret" not in done.stdout + done.stderr
    total = json.loads(command("report", "--json").stdout)["total"]
    assert (total["calls"], total["cost"]) == (3, "0.0105")


def test_row_097_without_a_key_or_the_sdk_one_line_and_two(command: Callable[..., Any]) -> None:
    without_key = command("demo", "--provider", "openai")
    blocked = {"PYTHONPATH": "blocked", "OPENAI_API_KEY": KEY}
    without_sdk = command(
        "demo", "--provider", "openai", files={"blocked/openai.py": "raise ImportError"}, **blocked
    )
    for done, says in ((without_key, "OPENAI_API_KEY is not set"), (without_sdk, "outlay[openai]")):
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert says in done.stderr
        assert "secret" not in done.stderr
