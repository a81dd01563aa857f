"""Row 106: what is not used is not loaded."""

import subprocess
import sys

import pytest

HEAVY = (
    *("pandas", "polars", "matplotlib", "streamlit", "plotly", "django", "duckdb", "openai", "anthropic"),
    *("google.genai", "httpx2", "rich", "click"),
)


@pytest.mark.parametrize(
    "module",
    [
        *("outlay", "outlay.trackers", "outlay.logs", "outlay.llm", "outlay.observability"),
        *("outlay.alerts", "outlay.compat"),
    ],
)
def test_row_106_importing_loads_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
