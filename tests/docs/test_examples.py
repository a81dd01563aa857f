"""Every example in README and docs that is marked ``<!-- run -->`` runs, and prints what it shows."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"<!-- run -->\n```(\w+)\n(.*?)```", re.DOTALL)
BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Example:
    """One block of a page."""

    page: Path
    number: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}-{self.number}-{self.language}"


EXAMPLES = [
    Example(page, number, found[1], found[2])
    for page in PAGES
    for number, found in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), 1)
]


def run(command: list[str] | str, home: Path) -> str:
    """Run a command as a user would, with a ledger of its own; it must succeed."""
    environment = {
        **os.environ,
        "OUTLAY_LEDGER": str(home / "ledger"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "110",
        "PYTHONIOENCODING": "utf-8",
    }
    result = subprocess.run(
        command, shell=isinstance(command, str), cwd=home, env=environment, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def assert_shows(expected: str, printed: str) -> None:
    """Check that what was printed has the expected lines in their order; ``…`` stands for anything."""
    pattern = ".*?".join(re.escape(part.strip("\n")) for part in expected.split("…"))
    assert re.search(pattern, printed, re.DOTALL), f"expected\n{expected}\nprinted\n{printed}"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_example_runs_and_prints_what_it_shows(example: Example, tmp_path: Path) -> None:
    if example.language == "python":
        run([sys.executable, "-c", example.text], tmp_path)
        return
    for step in re.split(r"^\$ ", example.text, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        assert_shows(expected, run(command, tmp_path))
