"""``outlay prices update``: from any URL, verified, offline-safe."""

import gzip
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from outlay.pricing.tables import DATA
from outlay.pricing.updates import bundle

Outlay = Callable[..., Any]


@pytest.fixture(scope="module")
def content() -> bytes:
    """Give a bundle in which gpt-4o-mini costs 0.20 in place of 0.15."""
    document = json.loads(gzip.decompress(bundle(DATA, datetime(2026, 11, 20, tzinfo=UTC))))
    document["version"] = "next"
    rows = document["tables"]["openai"]["models"]["gpt-4o-mini"]["rows"]
    (standard,) = (row for row in rows if not row.get("when"))
    standard["rates"]["input"] = "0.20"
    return gzip.compress(json.dumps(document).encode())


@pytest.fixture
def server(content: bytes) -> Iterator[str]:
    """Serve the bundle on loopback."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content if self.path == "/prices" else b"<html>sign in</html>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def rate(outlay: Outlay) -> str:
    done = outlay("prices", "show", "gpt-4o-mini", "--json")
    found: str = json.loads(done.stdout)["models"][0]["prices"][0]["rates"]["input"]["rate"]
    return found


def test_prices_come_over_http_and_count(outlay: Outlay, server: str, tmp_path: Path) -> None:
    dry = outlay("prices", "update", "--url", f"{server}/prices", "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    rows = [line.split() for line in dry.stdout.splitlines()]
    assert ["openai", "gpt-4o-mini", "input", "0.15", "0.20", "1,000,000", "USD"] in rows
    assert rate(outlay) == "0.15"
    done = outlay("prices", "update", "--json", OUTLAY_PRICES_URL=f"{server}/prices")
    document = json.loads(done.stdout)
    assert (document["written"], document["version"].startswith("next+")) == (True, True)
    assert rate(outlay) == "0.20"
    own = outlay("prices", "set", "gpt-4o-mini", "--provider", "openai", "--input", "1", "--output", "2")
    assert own.returncode == 0
    assert rate(outlay) == "1.00"  # one's own stands over all tables


def test_whatever_fails_leaves_all_as_it_was(outlay: Outlay, server: str, tmp_path: Path) -> None:
    for url in (f"{server}/other", "http://127.0.0.1:9/", "file:///nowhere", str(tmp_path / "none")):
        done = outlay("prices", "update", "--url", url)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert rate(outlay) == "0.15"


def test_without_an_address_the_command_line_is_wrong(outlay: Outlay) -> None:
    done = outlay("prices", "update")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "prices_url" in done.stderr


def test_recording_in_a_process_of_its_own_takes_the_new_prices(
    command: Callable[..., "subprocess.CompletedProcess[str]"], content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "prices.gz"
    file.write_bytes(content)
    done = command("prices", "update", "--url", file.as_uri(), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
    line = {"provider": "openai", "api": "chat", "response": {"model": "gpt-4o-mini", "usage": usage}}
    priced = command("price", "-", stdin=json.dumps(line)).stdout
    assert json.loads(priced)["cost"] == "0.2"
    program = tmp_path / "program.py"
    program.write_text(
        "import outlay\n"
        "print(outlay.record(provider='openai', model='gpt-4o-mini', input_tokens=1_000_000).cost)\n"
    )
    assert command("run", str(program)).stdout.splitlines()[0] == "0.20000000"
