"""Without OpenTelemetry: one clear error, and nothing of it loaded before it is asked for."""

import subprocess
import sys

import pytest

import outlay.otel


def test_without_the_extra_the_error_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "import outlay.otel\n"
        "try: outlay.otel.OutlaySpanProcessor\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        'MissingExtraError opentelemetry-sdk is not installed; run: pip install "outlay[opentelemetry]"\n'
    )


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="SpanProcesor"):
        outlay.otel.SpanProcesor  # noqa: B018 - looking is what fails
