"""A usual line of a journal as JSON that the tables' columns hold: the same that its Record would give."""

import orjson

from outlay.core.codec import TOTALS
from outlay.ledger.own import is_written_so
from outlay.ledger.stated import is_amount
from outlay.ledger.usual import Alike, Seen, read_usual


class Drawing:
    """Draws calls; it remembers what it has seen."""

    def __init__(self) -> None:
        self._sorts = Alike(is_written_so)

    def draw(self, seen: Seen) -> bytes | None:
        """Give a line for the server; None where this takes a Record."""
        usual = read_usual(seen)
        if usual is None:
            return None
        data = usual.data
        for line in data.get("lines", ()):
            if not is_amount(line["amount"]):
                return None
        for name, count in zip(TOTALS, usual.totals, strict=True):
            data[name] = count  # whatever the line says it is
        return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE) if self._sorts.of(usual) else None
