"""A program's own OpenTelemetry, with our processor, over a process whose records stand in a list."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from tests.support.wire import Kept

from outlay import process
from outlay.capture.guard import failures
from outlay.otel import OutlaySpanProcessor
from outlay.settings import Settings


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Give the records of this process as they come; nothing of ours may have failed meanwhile."""
    failures.clear()
    kept = Kept()
    here = process.use(Settings(home=tmp_path, ledger="memory:"))
    here.recorder().sink = kept
    yield kept
    here.hooks.uninstrument()
    process.use(None)
    assert not failures


@pytest.fixture
def provider(kept: Kept) -> Iterator[Any]:
    """Give a TracerProvider with our processor."""
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(OutlaySpanProcessor())
    yield made
    made.shutdown()
