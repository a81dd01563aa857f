"""Let mypy, pyright and ty read tests/typing: what is usual they must take, what is wrong refuse.

python -m tools.public_types

Each must refuse exactly the lines of ``refused.py`` that say ``# refused``, and none of ``usual.py``, whose
``assert_type`` fix what the public functions give.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = Path("tests", "typing")
CHECKERS = {
    "mypy": ("mypy", "--no-pretty"),
    "pyright": ("pyright", "--pythonpath", sys.executable),
    "ty": ("ty", "check", "--python", sys.prefix, "--output-format", "concise"),
}
_AT = re.compile(r"(\w+\.py):(\d+)(?::\d+)?(?: -|:) error")
Line = tuple[str, int]


def files() -> list[Path]:
    """Give the files to read, one by one: mypy leaves out of a folder what is excluded."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / FOLDER).glob("*.py"))


def marked(checker: str) -> set[Line]:
    """Give the lines that a checker must refuse."""
    return {
        (file.name, number)
        for file in files()
        for number, text in enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), 1)
        if "# refused" in text and f"though not by {checker}" not in text
    }


def refused(checker: str) -> tuple[set[Line], str]:
    """Give the lines that a checker refuses, and all that it says."""
    command, *options = CHECKERS[checker]
    done = subprocess.run(  # noqa: S603 - our own checkers on our own files
        [str(Path(sys.executable).with_name(command)), *options, *map(str, files())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    )
    said = done.stdout + done.stderr
    return {(name, int(number)) for name, number in _AT.findall(said)}, said


def main() -> int:
    """Run all; say what differs."""
    failed = False
    for checker in CHECKERS:
        found, said = refused(checker)
        differ = found ^ marked(checker)
        failed = failed or bool(differ)
        print(
            f"{checker}: {len(found)} lines refused"
            if not differ
            else f"{checker} differs on {sorted(differ)}:\n{said}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
