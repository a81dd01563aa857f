"""Row 107: whoever checks types strictly sees ours, from Python 3.11 on."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
from decimal import Decimal
import outlay
from outlay.alerts import check_budget
from outlay.llm import Llm, LlmConfig
from outlay.trackers import CostTracker, InMemoryTracker, UsageRecord, calculate_cost

record: outlay.Record = outlay.record(provider="openai", model="gpt-4o", input_tokens=1, output_tokens=1)
cost: Decimal | None = record.cost
total: float = CostTracker(None).get_total_cost(user_id="u1")
one: float = calculate_cost(UsageRecord("gpt-4o", 1, 1, "2026-01-01T00:00:00Z"))
tokens: int = InMemoryTracker().get_stats().total_tokens
answer: str = Llm(LlmConfig(provider="openai", model="gpt-4o")).complete("hello")
over: bool = check_budget()
wrong: int = CostTracker(None).get_total_cost()  # the one error that is expected
"""


def test_row_107_a_strict_checker_sees_our_types(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    # By the settings of the project, which are strict: what `make lint` has looked at is not read again.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--config-file", str(ROOT / "pyproject.toml"),
         str(tmp_path / "program.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    # What it remembers of a file that reads the same names that one's folder.
    assert [line[line.find("program.py:") :] for line in done.stdout.splitlines()] == [
        (
            'program.py:15: error: Incompatible types in assignment (expression has type "float", '
            'variable has type "int")  [assignment]'
        )
    ]


def test_row_107_the_marker_is_in_the_package_and_the_oldest_python_is_3_11() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (ROOT / "src" / "outlay" / "py.typed").is_file()
    assert project["requires-python"] == ">=3.11"
