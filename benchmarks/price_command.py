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
from collections import Counter
from collections.abc import Callable, Collection
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
    """Give the whole bodies of every API, with the model that served as the body or the line names it.

    Streams are left out: litellm prices what its own client has put together. So is what names no model.
    """
    made = []
    for number, line in enumerate(lines):
        body = line.get("response")
        if not isinstance(body, dict):
            continue
        model = line.get("model") or body.get("model") or body.get("modelVersion")
        if model:
            given = {name: line[name] for name in ("provider", "api", "response")}
            made.append({"id": str(number), "at": "2026-11-01T00:00:00Z", **given, "model": model})
    return made


def ours(form: str, file: Path) -> float:
    """Price the responses of a file in one of our forms, and give the CPU microseconds of one."""
    batch = file.read_bytes()
    lines = [json.loads(text) for text in batch.splitlines()]
    bodies = [tuple(line[name] for name in ("response", "provider", "api", "model")) for line in lines]
    usages = [
        (read(body, provider=provider, api=api), provider, model) for body, provider, api, model in bodies
    ]
    forms: dict[str, Callable[[], object]] = {
        "line": lambda: price_batch(batch),
        "body": lambda: all(
            cost_of(read(body, provider=provider, api=api), provider=provider, model=model, at=AT)
            for body, provider, api, model in bodies
        ),
        "usage": lambda: all(
            cost_of(usage, provider=provider, model=model, at=AT) for usage, provider, model in usages
        ),
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


def by_api(lines: list[dict[str, object]], mine: Collection[str], theirs: Collection[str]) -> str:
    """Say of which APIs the responses are that both can price, and how many bodies only one of them can."""
    ids = {str(line["id"]): str(line["api"]) for line in lines}
    both = Counter(api for name, api in ids.items() if name in mine and name in theirs)
    apis = ", ".join(f"{count} {api}" for api, count in both.most_common())
    only = sum(name in mine and name not in theirs for name in ids)
    other = sum(name in theirs and name not in mine for name in ids)
    return (
        f"of {len(ids)} bodies that name a model, both price {both.total()}: {apis}; outlay alone {only}, "
        f"litellm alone {other}; the rest states no usage, or costs nothing"
    )


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
        # What costs nothing is priced by neither: litellm's 0 stands for what it does not know, too.
        mine = {answer["id"]: answer["cost"] for answer in answers if answer.get("cost") not in (None, "0")}
        known = mine.keys() & costs.keys()
        print(by_api(lines, mine.keys(), costs.keys()))
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
