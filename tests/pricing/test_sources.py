"""Reading what others list: files, URLs, genai-prices, litellm's map."""

import io
import json
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from outlay.core.errors import MissingExtraError, PriceBookError
from outlay.pricing import sources
from outlay.pricing.sources import Listed, fetch, genai_listed, litellm_listed, litellm_map

_BROKEN = {
    "/garbage": b"\x00\x01 no status\r\n\r\n",
    "/torn": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
    "/chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
    "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    "/header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\nhello",
    "/unchanged": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "/away": b"HTTP/1.1 302 Found\r\nLocation: file:///etc/hosts\r\n\r\n",
    "/round": b"HTTP/1.1 302 Found\r\nLocation: /round\r\n\r\n",
    "/nowhere": b"HTTP/1.1 302 Found\r\n\r\n",
}


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path in _BROKEN:
            self.wfile.write(_BROKEN[self.path])
            return
        self.send_response(200 if self.path == "/ok" else 404)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """Give the address of a server on loopback."""
    httpd = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_files_and_urls_are_read(tmp_path: Path, server: str) -> None:
    file = tmp_path / "list"
    file.write_bytes(b"hello")
    for where in (str(file), file.as_uri(), f"{server}/ok"):
        assert fetch(where) == b"hello"


def test_what_cannot_be_read_is_one_line(tmp_path: Path, server: str) -> None:
    file = tmp_path / "list"
    file.write_bytes(b"hello")
    for where in (
        str(tmp_path / "none"),
        f"{server}/none",
        "http://127.0.0.1:9/",
        "http://[",
        f"file://{tmp_path}/x",
    ):
        with pytest.raises(PriceBookError, match="cannot be read") as caught:
            fetch(where)
        assert "\n" not in str(caught.value)
    with pytest.raises(PriceBookError, match="more than 4 bytes"):
        fetch(str(file), limit=4)
    with pytest.raises(PriceBookError, match=r": No such file or directory$"):
        fetch(str(tmp_path / "none"))


@pytest.mark.parametrize("path", [*_BROKEN, "/with a space"])
def test_a_server_that_answers_wrongly_is_one_line(server: str, path: str) -> None:
    with pytest.raises(PriceBookError, match="cannot be read") as caught:
        fetch(f"{server}{path}")
    assert str(caught.value).isprintable()


def test_a_server_that_drips_is_not_waited_for_for_ever(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_PATIENCE", 0.0)
    with pytest.raises(PriceBookError, match="not there after 0 seconds"):
        fetch(f"{server}/ok")


def test_a_list_that_is_too_large_is_never_cut(tmp_path: Path, server: str) -> None:
    file = tmp_path / "list"
    file.write_bytes(b"hello")
    for where in (str(file), f"{server}/ok"):
        assert fetch(where, limit=5) == b"hello"
        for limit in (4, 3):
            with pytest.raises(PriceBookError, match=f"more than {limit} bytes"):
                fetch(where, limit=limit)


def test_litellms_rates_are_per_million_with_place_and_tariff() -> None:
    prices = {
        "sample_spec": "no entry",
        "gpt-4o": {
            "litellm_provider": "openai",
            "input_cost_per_token": Decimal("0.0000025"),
            "input_cost_per_token_batches": Decimal("0.00000125"),
            "output_cost_per_token": Decimal(0),
        },
        "bedrock/us-east-1/acme.one": {
            "litellm_provider": "bedrock",
            "output_cost_per_token": Decimal("0.000002"),
        },
        "acme.two": {"litellm_provider": "bedrock", "output_cost_per_token": Decimal("0.000003")},
        "databricks/one": {"litellm_provider": "databricks", "input_cost_per_token": Decimal("0.000001")},
        "openai/gpt-oss": {"litellm_provider": "groq", "input_cost_per_token": Decimal("0.000004")},
        "github_copilot/gpt-4o": {"litellm_provider": "github_copilot", "input_cost_per_token": Decimal(1)},
    }
    assert list(litellm_listed(prices)) == [
        Listed("openai", "gpt-4o", "input", Decimal("2.5")),
        Listed("openai", "gpt-4o", "input", Decimal("1.25"), (("batch", "true"),)),
        Listed("bedrock", "acme.one", "output", Decimal(2), (("region", "us-east-1"),)),
        Listed("bedrock", "acme.two", "output", Decimal(3)),
        Listed("databricks", "one", "input", Decimal(1)),
        Listed("groq", "openai/gpt-oss", "input", Decimal(4)),  # a maker's name is a part of the model's
    ]


def test_the_map_is_read_out_of_a_wheel_too() -> None:
    text = json.dumps({"a": {"input_cost_per_token": 2.5e-06}})
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("litellm/another.json", "{}")
        archive.writestr("litellm/model_prices_and_context_window.txt", "a note")
        archive.writestr("litellm/model_prices_and_context_window_backup.json", text)
    for content in (text.encode(), wheel.getvalue()):
        assert litellm_map(content, "x") == {"a": {"input_cost_per_token": Decimal("0.0000025")}}


@pytest.mark.parametrize("content", [b"", b"[]", b"PK\x05\x06" + bytes(18), b"{", b"\xff"])
def test_no_map_is_one_line(content: bytes) -> None:
    with pytest.raises(PriceBookError, match="where is no price map"):
        litellm_map(content, "where")


def test_genai_prices_lists_base_rates_of_an_instant() -> None:
    found = {
        (each.provider, each.model, each.unit): each.rate
        for each in genai_listed(datetime(2026, 11, 1, tzinfo=UTC))
    }
    assert found["openai", "gpt-4o", "cache_read"] == Decimal("1.25")
    assert found["google", "gemini-2.5-pro", "input"] == Decimal("1.25")  # 2.50 above 200,000
    homes = {provider for provider, _, _ in found}
    assert ({"bedrock", "voyage", "xai"} - homes, homes & {"aws", "voyageai", "x-ai"}) == (set(), set())
    names = {model for provider, model, _ in found if provider == "bedrock"}
    assert any(
        name.startswith("us.anthropic.claude") for name in names
    )  # "regional" names what we name by place
    assert not [name for name in names if "regional." in name]


def test_without_genai_prices_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices.data", None)
    with pytest.raises(MissingExtraError, match="pip install genai-prices"):
        list(genai_listed(datetime(2026, 11, 1, tzinfo=UTC)))


def test_litellms_vertex_lists_are_vertexs() -> None:
    listed = list(
        litellm_listed(
            {
                "vertex_ai/gemini-x": {
                    "litellm_provider": "vertex_ai-language-models",
                    "mode": "chat",
                    "input_cost_per_token": Decimal("0.000001"),
                }
            }
        )
    )
    assert [(each.provider, each.unit, each.rate) for each in listed] == [("vertex", "input", Decimal(1))]


def _wheel(text: bytes) -> bytearray:
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("litellm/model_prices_and_context_window.json", text)
    return bytearray(wheel.getvalue())


def test_a_wheel_is_unpacked_no_further_than_a_list_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_LIMIT", 1000)
    assert litellm_map(bytes(_wheel(b"{}" + b" " * 998)), "x") == {}
    with pytest.raises(
        PriceBookError, match=r"x is no price map of litellm: .*unpacks to more than 1,000 bytes"
    ):
        litellm_map(bytes(_wheel(b"{}" + b" " * 999)), "x")


def test_a_wheel_that_is_torn_inside_is_one_line() -> None:
    wheel = _wheel(b'{"a": {}}' + b" " * 5000)
    wheel[74:80] = b"\xff" * 6  # behind the head of the one file in it
    with pytest.raises(PriceBookError, match="x is no price map of litellm"):
        litellm_map(bytes(wheel), "x")
