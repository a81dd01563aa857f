"""``outlay price`` by processes, and beside litellm's ``completion_cost`` on the same responses.

``python -m benchmarks.price_command [FILE]``: FILE holds input lines of ``outlay price``, such as recorded
responses; the golden set if not said. It is repeated until it is long enough.

litellm's process takes turns with ours in one run, and its responses are objects already when its clock
starts. Like with like is "outlay: a body", from a response in memory to an explained cost; ``outlay price``
reads a line and writes one, too.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from operator import truediv
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
ROUNDS, TIMES = 5, 20
RESPONSES = 50_000


def cases(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    """Give the whole bodies of chat completions, which litellm may be able to price."""
    made = []
    for number, line in enumerate(lines):
        body = line.get("response")
        if line["api"] == "chat" and isinstance(body, dict) and body.get("usage") and body.get("model"):
            given = {name: line[name] for name in ("provider", "api", "response")}
            made.append({"id": str(number), "at": "2026-11-01T00:00:00Z", **given})
    return made


def ours(form: str, file: Path) -> float:
    """Price the responses of a file in one of our forms, and give the CPU microseconds of one."""
    batch = file.read_bytes()
    lines = [json.loads(text) for text in batch.splitlines()]
    bodies = [(line["response"], line["provider"]) for line in lines]
    usages = [(read(body, provider=provider, api="chat"), provider) for body, provider in bodies]
    forms: dict[str, Callable[[], object]] = {
        "line": lambda: price_batch(batch),
        "body": lambda: all(
            cost_of(read(body, provider=provider, api="chat"), provider=provider, at=AT)
            for body, provider in bodies
        ),
        "usage": lambda: all(cost_of(usage, provider=provider, at=AT) for usage, provider in usages),
    }
    forms[form]()
    return each(forms[form], TIMES)() / len(lines)


def peer(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the peer's script."""
    return subprocess.run(
        [sys.executable, str(PEER), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )


def theirs(file: Path) -> Callable[[], float]:
    """Make a run of the peer, which prints its CPU microseconds of one response."""

    def run() -> float:
        return float(peer(str(file), str(TIMES)).stdout.split()[-1])

    return run


def throughput(file: Path, cache: str) -> None:
    """Print how many responses a second the command reads, prices and writes, by processes.

    Start-up is included, with bytecode in a cache, as an installed package has it.
    """
    responses = len(file.read_bytes().splitlines())
    table = Table(
        title=f"outlay price over {responses:,} responses, start-up included, median of {ROUNDS}",
        title_justify="left",
    )
    for heading in ("processes", "responses a second", "CPU µs a response", "of all processes"):
        table.add_column(heading, justify="right")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ = {**kept, "PYTHONPYCACHEPREFIX": cache}
    for jobs in sorted({1, 2, (os.cpu_count() or 1) + 1}):
        command = [sys.executable, "-m", "outlay", "price", "--jobs", str(jobs), str(file)]
        timed = [run(command, environ) for _ in range(ROUNDS + 1)][1:]
        taken, used = (statistics.median(each) for each in zip(*timed, strict=True))
        table.add_row(
            str(jobs), f"{responses / taken:,.0f}", f"{used / responses * 1e6:.1f}", f"{used:.2f} s"
        )
    Console(width=110).print(table)


def run(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Run a command, and give its seconds by the clock and of CPU, its children's included."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environ)
    taken, after = time.perf_counter() - start, os.times()
    return taken, after.children_user + after.children_system - before.children_user - before.children_system


def golden() -> list[dict[str, object]]:
    """Give every whole or streamed response of the golden set as a line of input."""
    made = []
    for number, text in enumerate(GOLDEN.read_text("utf-8").splitlines()):
        case = json.loads(text)
        body = {name: case[name] for name in ("response", "events", "sse") if name in case}
        names = {"id": number, "provider": case["provider"], "api": case["api"], "at": "2026-11-01T00:00:00Z"}
        made.append({**names, **body})
    return made


def main(recorded: Path | None) -> None:
    """Print the tables: the command by itself, then beside litellm for the responses that both can price."""
    lines = golden()
    if recorded is not None:
        lines = [json.loads(text) for text in recorded.read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "responses.jsonl"
        written = "".join(f"{json.dumps(line)}\n" for line in lines)
        file.write_text(written * -(-RESPONSES // len(lines)), encoding="utf-8")
        throughput(file, name)
    beside_litellm(cases(lines))


def beside_litellm(lines: list[dict[str, object]]) -> None:
    """Print the table, for the responses that both can price."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "responses.jsonl"
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        probe = peer(str(file), "0")
        if probe.returncode:
            last = probe.stderr.strip().splitlines()[-1:]
            print(f"outlay price beside litellm: left out, litellm cannot be had: {' '.join(last)}")
            return
        costs = json.loads(probe.stdout.splitlines()[-1])
        answers = map(json.loads, price_batch(file.read_bytes()).answers.splitlines())
        mine = {answer["id"]: answer["cost"] for answer in answers if answer.get("cost") is not None}
        known = mine.keys() & costs.keys()
        same = sum(math.isclose(float(mine[each]), costs[each], rel_tol=1e-9) for each in known)
        both = [line for line in lines if line["id"] in known]
        file.write_text("".join(f"{json.dumps(line)}\n" for line in both), encoding="utf-8")
        forms = {"outlay price: a line": "line", "outlay: a body": "body", "outlay: a usage": "usage"}
        variants = {
            **{
                form: reported_by("-m", "benchmarks.price_command", short, str(file))
                for form, short in forms.items()
            },
            "litellm completion_cost": theirs(file),
        }
        timings = take_turns(variants, ROUNDS)
        show(
            f"One response priced, CPU ({len(known)} responses that both price, {same} equally)",
            timings,
            "litellm completion_cost",
        )
        for form in forms:
            times = statistics.median(
                map(truediv, timings["litellm completion_cost"].rounds, timings[form].rounds)
            )
            print(f"{form}: litellm takes {times:.1f} times as long")


if __name__ == "__main__":
    if len(sys.argv) > 2:  # a form and a file: one of this benchmark's own processes
        print(ours(sys.argv[1], Path(sys.argv[2])))
    else:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
