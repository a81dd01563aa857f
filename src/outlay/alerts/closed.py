"""The budgets that were over when a process last asked: a small file, for the next one to know at once."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from outlay.alerts.standing import Group
from outlay.atomic import PRIVATE, write_file
from outlay.core.money import text_of

Over = Mapping[str, Mapping[Group, Decimal]]
"""Rule and window -> groups that are over, with what they have spent."""


class Closed:
    """The file of one home; whoever writes last has asked last."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "closed.json"

    def read(self) -> dict[str, dict[Group, Decimal]]:
        """Give what was over; a file that is missing or damaged says nothing."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return {
                key: {
                    tuple((name, value) for name, value in group): Decimal(spent) for group, spent in groups
                }
                for key, groups in content.items()
            }
        except (OSError, ValueError, TypeError, AttributeError, ArithmeticError):
            return {}

    def write(self, over: Over) -> None:
        """Write what is over, where that is news.

        Raises:
            OSError: it cannot be written.
        """
        told = {key: groups for key, groups in over.items() if groups}
        if not told and not self.path.exists():
            return
        content = {
            key: [(list(group), text_of(value)) for group, value in groups.items()]
            for key, groups in told.items()
        }
        data = json.dumps(content, ensure_ascii=False).encode()
        if data != self._written():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, data, mode=PRIVATE)

    def _written(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None
