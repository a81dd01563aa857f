"""Ledgers in folders, for tests that only read them: each made once, and found again by its name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.spending import EUROPEAN, MODELS, NOW, Model, lines

from outlay.journal import line_of
from outlay.testing import call

MANY = 200_000


def make_home(folder: Path, name: str) -> Path:
    """Make the ledger of that name, as a journal, and give its folder."""
    journal = folder / name / "journal"
    journal.mkdir(parents=True)
    (journal / "0-0-0.jsonl").write_bytes(_LINES[name]())
    return folder / name


def _of(count: int, models: tuple[Model, ...]) -> bytes:
    return b"".join(lines(count, models))


_LINES: Mapping[str, Callable[[], bytes]] = {
    "many": lambda: _of(MANY, (*MODELS, EUROPEAN)),
    "unpriced": lambda: _of(500, MODELS[-1:]),
    "one error": lambda: line_of(call(NOW.replace(hour=9), status="error", error_type="Timeout", cost=None)),
    "empty": lambda: b"",
}
HOMES = tuple(_LINES)
