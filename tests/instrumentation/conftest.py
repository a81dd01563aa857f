"""Every SDK hooked over a recorder whose records stand in a list."""

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from tests.support.wire import Kept

from outlay.capture import Recorder, SystemClock
from outlay.capture.guard import failures
from outlay.instrumentation import Hooks
from outlay.pricing import cost_of


@pytest.fixture(scope="session", autouse=True)
def _few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have clients trust one authority: no test speaks TLS, and each client read some 140 for 20 ms."""
    end = "-----END CERTIFICATE-----\n"
    first, mark, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(end)
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first + mark, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def hooks(kept: Kept) -> Iterator[Hooks]:
    """Every SDK hooked, and taken out again; nothing of ours may have failed meanwhile."""
    failures.clear()
    recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
    made = Hooks(lambda: recorder)
    made.instrument()
    yield made
    made.uninstrument()
    assert not failures
