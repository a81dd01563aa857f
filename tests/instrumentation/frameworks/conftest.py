"""Every layer hooked: the framework where it has a hook, the SDKs, and in a second run the transports too."""

import asyncio
import gc
import os
from collections.abc import Iterator

import pytest

from outlay.instrumentation import TRANSPORTS, Hooks
from outlay.instrumentation.hooks import _version

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # litellm asks the network for prices when it is imported


@pytest.fixture(params=["sdks", "sdks and transports"])
def layers(request: pytest.FixtureRequest, hooks: Hooks) -> Hooks:
    """Hook frameworks as they are imported, and below the SDKs nothing, or the HTTP clients as well."""
    hooks.watch()
    if request.param != "sdks":
        hooks.instrument(*(name for name in TRANSPORTS if _version(name)))
    return hooks


@pytest.fixture(scope="module")
def collected() -> Iterator[None]:
    """Collect what the frameworks leave open where it is expected, and not when all tests are over."""
    yield
    asyncio.set_event_loop(None)
    gc.collect()
