"""What a request or task does here is record a call; the records are kept in a list."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.wire import Kept

from outlay import process
from outlay.capture.contexts import attribution
from outlay.settings import Settings


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Give the records of this process as they come, and see that no context is left open."""
    kept = Kept()
    here = process.use(Settings(home=tmp_path, ledger="memory:"))
    here.recorder().sink = kept
    yield kept
    assert not attribution.get().fields
    assert not attribution.get().tags
    process.use(None)


@pytest.fixture(scope="session")
def ask() -> Callable[[], None]:
    """Make one call."""

    def ask() -> None:
        process.current().recorder().record(model="m", input_tokens=1)

    return ask
