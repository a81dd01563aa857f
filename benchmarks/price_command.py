"""``outlay price`` beside litellm's ``completion_cost`` on the same responses, in the same run.

litellm needs another major version of openai than our tests, so it runs in an environment of its own, which
uv makes; its process takes turns with ours. Its responses are objects already when its clock starts, while
``outlay price`` reads a line and writes one; our single steps stand beside it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.timing import each, reported_by, show, take_turns
from outlay.cli.price_batches import price_batch
from outlay.extract import read
from outlay.pricing import cost_of

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests" / "golden" / "extract.jsonl"
PEER = HERE / "peer_litellm.py"
AT = datetime(2026, 11, 1, tzinfo=UTC)
ROUNDS, REPEATED, TIMES = 5, 40, 5
RESPONSES = 200_000


def cases() -> list[dict[str, object]]:
    """Give the whole bodies of chat completions as lines of ``outlay price`` input."""
    made = []
    for text in GOLDEN.read_text("utf-8").splitlines():
        case = json.loads(text)
        body = case.get("response")
        if case["api"] == "chat" and isinstance(body, dict) and body.get("usage") and body.get("model"):
            at = "2026-11-01T00:00:00Z"
            line = {name: case[name] for name in ("provider", "api", "response")}
            made.append({"id": case["name"], "at": at, **line})
    return made


def ours(form: str, file: Path) -> float:
    """Price the responses of a file in one of our forms, and give the CPU microseconds of one."""
    batch = file.read_bytes()
    lines = [json.loads(text) for text in batch.splitlines()]
    bodies = [(line["response"], line["provider"]) for line in lines]
    usages = [(read(body, provider=provider, api="chat"), provider) for body, provider in bodies]
    forms: dict[str, Callable[[], object]] = {
        "line": lambda: price_batch(batch),
        "body": lambda: [
            cost_of(read(body, provider=provider, api="chat"), provider=provider, at=AT)
            for body, provider in bodies
        ],
        "usage": lambda: [cost_of(usage, provider=provider, at=AT) for usage, provider in usages],
    }
    forms[form]()
    return each(forms[form], TIMES)() / len(lines)


def peer(uv: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the peer's script in an environment of its own."""
    command = [uv, "run", "--quiet", "--isolated", "--no-project", "--with", "litellm", "python", str(PEER)]
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )


def theirs(uv: str, file: Path) -> Callable[[], float]:
    """Make a run of the peer, which prints its CPU microseconds of one response."""

    def run() -> float:
        return float(peer(uv, str(file), str(TIMES)).stdout.split()[-1])

    return run


def throughput(file: Path) -> None:
    """Print how many responses a second the command reads, prices and writes, by processes."""
    responses = len(file.read_bytes().splitlines())
    table = Table(
        title=f"outlay price over {responses:,} responses of every API, start-up included",
        title_justify="left",
    )
    for heading in ("processes", "responses a second", "CPU µs a response", "of all processes"):
        table.add_column(heading, justify="right")
    for jobs in sorted({1, 2, os.cpu_count() or 1}):
        before, start = os.times(), time.perf_counter()
        command = [sys.executable, "-m", "outlay", "price", "--jobs", str(jobs), str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken, after = time.perf_counter() - start, os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        table.add_row(
            str(jobs), f"{responses / taken:,.0f}", f"{used / responses * 1e6:.1f}", f"{used:.1f} s"
        )
    Console(width=110).print(table)


def every_case() -> list[str]:
    """Give every whole or streamed response of the golden set as a line of input."""
    made = []
    for number, text in enumerate(GOLDEN.read_text("utf-8").splitlines()):
        case = json.loads(text)
        body = {name: case[name] for name in ("response", "events", "sse") if name in case}
        names = {"id": number, "provider": case["provider"], "api": case["api"], "at": "2026-11-01T00:00:00Z"}
        made.append(json.dumps({**names, **body}))
    return made


def main() -> None:
    """Print the tables: the command by itself, then beside litellm for the responses that both can price."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "responses.jsonl"
        lines = every_case()
        file.write_text("\n".join(lines * (RESPONSES // len(lines))) + "\n", encoding="utf-8")
        throughput(file)
    beside_litellm()


def beside_litellm() -> None:
    """Print the table, for the responses that both can price."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(HERE.parent / ".build" / "bin"))
    if uv is None:
        print("outlay price beside litellm: left out, there is no uv to make an environment for litellm")
        return
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "responses.jsonl"
        lines = cases()
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        probe = peer(uv, str(file), "0")
        if probe.returncode:
            last = probe.stderr.strip().splitlines()[-1:]
            print(f"outlay price beside litellm: left out, litellm cannot be had: {' '.join(last)}")
            return
        known = set(json.loads(probe.stdout.splitlines()[-1]))
        both = [line for line in lines if line["id"] in known] * REPEATED
        file.write_text("".join(f"{json.dumps(line)}\n" for line in both), encoding="utf-8")
        forms = {"outlay price: a line": "line", "outlay: a body": "body", "outlay: a usage": "usage"}
        variants = {
            **{
                form: reported_by("-m", "benchmarks.price_command", short, str(file))
                for form, short in forms.items()
            },
            "litellm completion_cost": theirs(uv, file),
        }
        title = f"One recorded response priced, CPU ({len(known)} kinds, {len(both)} responses)"
        show(title, take_turns(variants, ROUNDS), "litellm completion_cost")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(ours(sys.argv[1], Path(sys.argv[2])))
    else:
        main()
