"""A maker of records as the command has it, with the packaged prices and UTC for times without a zone."""

from datetime import UTC

import pytest

from outlay.importing import Maker
from outlay.pricing import cost_of


@pytest.fixture
def maker() -> Maker:
    return Maker(cost_of, zone=UTC, maker_of={"gpt-4o": "openai", "claude-sonnet-4-5": "anthropic"}.get)
