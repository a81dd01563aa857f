"""What is in the wheel and in the sdist: the program and its prices, and nothing that lay about."""

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
LARGEST = (
    1_300_000  # bytes of the wheel; 1.26 MB in November 2026, of which prices are 0.14 and the rest is code
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """Build the wheel as a package index would get it."""
    with ZipFile(_built("wheel", tmp_path_factory.mktemp("wheel"))) as packed:
        yield packed


def _built(target: str, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("outlay-*")
    return made


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: ZipFile) -> None:
    package = ROOT / "src" / "outlay"
    files = {
        f"outlay/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    told = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert told == files
    assert not [name for name in told if "test_" in name or name.endswith(".pyc")]


def test_the_wheel_has_prices_schemas_types_and_licences(wheel: ZipFile) -> None:
    names = set(wheel.namelist())
    prices = [name for name in names if name.startswith("outlay/pricing/data/")]
    assert {"outlay/pricing/data/overlay.toml", "outlay/pricing/data/openai.json"} < set(prices)
    assert len(prices) > 100
    assert {"outlay/py.typed", "outlay/startup/sitecustomize.py"} < names
    assert {name for name in names if name.startswith("outlay/ledger/schema/") and name.endswith(".sql")}
    licences = {Path(name).name for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICES.md"}


def test_the_wheel_is_small(wheel: ZipFile) -> None:
    assert wheel.filename is not None
    assert Path(wheel.filename).stat().st_size < LARGEST


def test_the_metadata_say_what_is_needed_and_under_which_terms(wheel: ZipFile) -> None:
    (where,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    said = BytesParser().parsebytes(wheel.read(where))
    assert (said["Name"], said["License-Expression"], said["Requires-Python"]) == ("outlay", "MIT", ">=3.11")
    needed = {line.split(">")[0] for line in said.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert needed == {"click", "duckdb", "filelock", "orjson", "platformdirs", "rich", "tzdata"}


def test_notices_hold_the_licence_of_each_list_that_prices_are_made_from(wheel: ZipFile) -> None:
    (where,) = (name for name in wheel.namelist() if name.endswith("/licenses/NOTICES.md"))
    notices = wheel.read(where).decode()
    for source, holder in (("genai-prices", "Pydantic Services Inc."), ("litellm", "Berri AI")):
        part = notices.split(f"## {source}", 1)[1].split("\n## ", 1)[0]
        assert holder in part
        assert "THE SOFTWARE IS PROVIDED" in part


def test_the_sdist_has_all_that_the_tests_need(tmp_path: Path) -> None:
    with tarfile.open(_built("sdist", tmp_path)) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    for folder in ("src", "tests", "tools", "docs", "examples", "benchmarks"):
        kept = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / folder).rglob("*.*")
            if path.is_file() and not {"__pycache__", ".files"} & set(path.parts) and path.suffix != ".pyc"
        }
        assert kept <= names, folder
    assert {"Makefile", "pyproject.toml", "uv.lock", "README.md", "LICENSE", "NOTICES.md"} <= names
    assert not [name for name in names if name.startswith((".venv", ".build", ".mypy_cache", "dist"))]
