"""Every example in README and docs that is marked ``<!-- run -->`` runs, and prints what it shows.

The pages that a newcomer types from top to bottom are typed so, in one home; of the others each block is
alone.
"""

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
SITTINGS = {  # with how many blocks at least
    **dict.fromkeys(("README.md", "tour.md", "import-export.md"), 5),
    "howto.md": 4,
    **dict.fromkeys(("reports.md", "services.md"), 2),
}
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
    """Run a command, which must succeed, with a ledger of its own; give what a terminal shows."""
    environment = {
        **os.environ,
        "OUTLAY_LEDGER": str(home / "ledger"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "110",
        "PYTHONIOENCODING": "utf-8",
    }
    result = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert result.returncode == 0, result.stdout.decode()
    return result.stdout.decode()


def assert_shows(expected: str, printed: str) -> None:
    """Check that what was printed is what is expected, line by line; ``…`` stands for anything."""
    pattern = r"\s*" + ".*?".join(re.escape(part.strip("\n")) for part in expected.split("…")) + r"\s*"
    assert re.fullmatch(pattern, printed, re.DOTALL), f"expected\n{expected}\nprinted\n{printed}"


def type_in(example: Example, home: Path) -> None:
    """Run one block, each command of it by itself; it prints what the page shows."""
    if example.language == "python":
        run([sys.executable, "-c", example.text], home)
        return
    for step in re.split(r"^\$ ", example.text, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        assert_shows(expected, run(command, home))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.page.name not in SITTINGS], ids=str)
def test_the_example_runs_and_prints_what_it_shows(example: Example, tmp_path: Path) -> None:
    type_in(example, tmp_path)


@pytest.mark.parametrize("page", sorted(SITTINGS))
def test_a_page_typed_from_top_to_bottom_prints_what_it_shows(page: str, tmp_path: Path) -> None:
    typed = [example for example in EXAMPLES if example.page.name == page]
    assert len(typed) >= SITTINGS[page]
    for example in typed:
        type_in(example, tmp_path)
