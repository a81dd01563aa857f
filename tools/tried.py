"""Tries what our lock cannot hold, each in a throw-away environment: ``python -m tools.tried [NAME…]``.

Frameworks that ask for older SDKs than our tests do, and older releases of SDKs. It takes minutes, asks the
package index, and prints a table; the exit code is 1 if anything failed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_ALWAYS = ("pytest", "pytest-xdist", "hypothesis", "httpx", "httpx2", "pydantic")


class Trial(NamedTuple):
    """Packages to install, tests to run, and what stands out of their names."""

    packages: tuple[str, ...]
    tests: str
    only: str = ""


_ATTRIBUTION = "tests/instrumentation/frameworks/test_attribution.py"
FRAMEWORKS: Mapping[str, Trial] = {
    "llama-index": Trial(
        ("llama-index-llms-openai",),
        "tests/instrumentation/frameworks/test_over_sdks.py",
        "llama-index",
    ),
    "llama-index-tags": Trial(("llama-index-llms-openai",), _ATTRIBUTION, "llama"),
    "langgraph": Trial(("langgraph", "langchain-openai"), _ATTRIBUTION, "langchain or langgraph"),
    "aioboto3": Trial(("aioboto3",), "tests/instrumentation/test_aiobotocore.py"),
    "instructor": Trial(("instructor",), "tests/instrumentation/frameworks/test_over_sdks.py", "instructor"),
    **{
        f"{name}-oldest": Trial(packages, _ATTRIBUTION, only)
        for name, packages, only in (
            ("litellm", ("litellm==1.90.0",), "litellm"),
            ("langchain", ("langchain-core==0.3.80", "langchain-openai"), "langchain"),
            ("dspy", ("dspy==3.3.0",), "dspy"),
            ("pydantic-ai", ("pydantic-ai-slim[openai]==2.60.0",), "pydantic"),
            ("llama-index", ("llama-index-core==0.11.0", "openai"), "llama"),
        )
    },
}
_RELEASES = "tests/instrumentation/test_releases.py"
RELEASES: Mapping[str, Trial] = {
    name: Trial(packages, _RELEASES, only)
    for name, packages, only in (
        ("openai-2", ("openai==2.*",), "openai"),
        ("openai-1", ("openai==1.*",), "openai"),
        ("openai-oldest", ("openai==1.40.0", "httpx<0.28"), "openai"),  # later httpx lacks what it passes
        ("anthropic-1", ("anthropic==1.*",), "anthropic"),
        ("anthropic-0", ("anthropic==0.*",), "anthropic"),
        ("anthropic-oldest", ("anthropic==0.60.0",), "anthropic"),
        ("google-genai-2", ("google-genai==2.*",), "google"),
        ("google-genai-1", ("google-genai==1.*",), "google"),
        ("google-genai-oldest", ("google-genai==1.40.0",), "google"),
        ("mistralai-2", ("mistralai==2.*",), "mistral"),
        ("mistralai-1", ("mistralai==1.*",), "mistral"),
        ("mistralai-oldest", ("mistralai==1.5.0",), "mistral"),
    )
}
GROUPS: Mapping[str, Mapping[str, Trial]] = {"frameworks": FRAMEWORKS, "releases": RELEASES}


def trials(names: list[str]) -> Iterator[tuple[str, Trial]]:
    """Give the trials of groups or of single names; all, where none is named."""
    for group, members in GROUPS.items():
        for name, trial in members.items():
            if not names or group in names or name in names:
                yield name, trial


def tried(trial: Trial, folder: Path) -> tuple[str, str]:
    """Make an environment, run the tests there; give the packages' versions and pytest's last line."""
    uv = shutil.which("uv") or str(ROOT / ".build" / "bin" / "uv")
    python = folder / "bin" / "python"
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)  # noqa: S603 - our own words

    run(uv, "venv", "--quiet", "--python", "3.11", str(folder))
    installed = run(
        uv, "pip", "install", "--quiet", "--python", str(python), *_ALWAYS, *trial.packages, "-e", "."
    )
    if installed.returncode:
        return ", ".join(trial.packages), installed.stderr.strip().splitlines()[-1]
    select = ("-k", trial.only) if trial.only else ()
    done = run(str(python), "-m", "pytest", "-p", "no:cacheprovider", trial.tests, *select)
    frozen = run(uv, "pip", "freeze", "--quiet", "--python", str(python)).stdout.splitlines()
    names = {re.split(r"[\[<>=]", each)[0] for each in trial.packages}
    told = [each for each in frozen if each.partition("==")[0] in {*names, "openai"} - {"httpx"}]
    return ", ".join(told), (done.stdout.strip().splitlines() or [done.stderr[-200:]])[-1]


def main() -> int:
    """Try what is named, or all."""
    print("| trial | packages | pytest says |\n|---|---|---|")
    failed = False
    for name, trial in trials(sys.argv[1:]):
        with tempfile.TemporaryDirectory(prefix="outlay-tried-") as folder:
            packages, said = tried(trial, Path(folder) / "env")
        failed |= "failed" in said or "error" in said or "passed" not in said
        print(f"| {name} | {packages} | {said} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
