"""A real kernel runs a notebook with ``%load_ext outlay``; its calls are kept, and shown on demand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from outlay import notebook as magic

nbformat = pytest.importorskip("nbformat")
NotebookClient: Any = pytest.importorskip("nbclient").NotebookClient

ASK = """
import httpx2, openai
body = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06", "choices": [],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=body))
client = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=transport))
client.chat.completions.create(model="gpt-4o", messages=[]);
"""


def test_a_notebooks_calls_are_kept_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTLAY_LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    cells = ["%load_ext outlay", ASK, "%outlay", "%outlay nonsense", "%unload_ext outlay"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    spec = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]}
    kernel = tmp_path / "jupyter" / "kernels" / "here"
    kernel.mkdir(parents=True)
    kernel.joinpath("kernel.json").write_text(
        json.dumps({**spec, "display_name": "here", "language": "python"})
    )
    NotebookClient(
        notebook, kernel_name="here", timeout=60, resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown, refused = (notebook.cells[place].outputs[0]["text"] for place in (2, 3))
    assert "gpt-4o-2024-08-06" in shown
    assert "$0.0035" in shown
    assert refused.startswith("outlay: ")
    # the kernel is gone: what it recorded is in the ledger
    report = subprocess.run(
        [sys.executable, "-m", "outlay", "report", "--json"],
        env={**os.environ},
        capture_output=True,
        check=True,
    )
    assert json.loads(report.stdout)["total"]["calls"] == 1


def test_a_word_too_many_is_told_and_not_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    magic.show("model 7d more")
    assert capsys.readouterr().out == "outlay: 'more' is one word too many; write %outlay user,day 7d\n"
