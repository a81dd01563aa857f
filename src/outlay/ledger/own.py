"""outlay's own lines in the very form in which it writes them: handed to the ledger as they stand."""

from collections.abc import Mapping
from typing import Any

import orjson

from outlay.core.codec import TOTALS, record_json
from outlay.core.record import Record
from outlay.core.units import TOKEN_UNITS
from outlay.core.usage import check_quantity, ordered
from outlay.ledger.stated import is_amount
from outlay.ledger.usual import Alike, Seen, Usual, seen_in, usual_of

_INT = frozenset((int,))


class Own:
    """Tells which lines are calls just as outlay writes them: a Record of each would be the same line again.

    What many lines have in common, all but names, texts, times, counts and amounts, is looked at once.
    """

    def __init__(self) -> None:
        self._alike: Alike[bool] = Alike(is_written_so)

    def __call__(self, line: bytes) -> bool:
        """Look at a line."""
        text = line.rstrip()
        seen = seen_in(text)
        try:
            data = {} if seen is None else orjson.loads(text)
            # Written again it is the same: no key stands there twice, and no number lost a digit.
            return seen is not None and orjson.dumps(data) == text and self._is_usual(seen, data)
        except (ValueError, TypeError, KeyError, AttributeError):
            return False

    def _is_usual(self, seen: Seen, data: dict[str, Any]) -> bool:
        usual = usual_of(seen, data) or usual_of(seen, _tokens_alone(data))
        return usual is not None and _is_sound(usual) and bool(self._alike.of(usual))


def _tokens_alone(data: dict[str, Any]) -> dict[str, Any]:
    """Give a line without a stated cost, and without the counts of its usage that are no tokens.

    Both are a call's own, and look the same in a line of its Record if they are written as here.

    Raises:
        ValueError, TypeError: they are not.
    """
    rest = dict(data)
    if "reported_cost" in rest and not is_amount(rest.pop("reported_cost")):
        raise ValueError("another form of an amount")
    if "reported_currency" in rest and (
        type(told := rest.pop("reported_currency")) is not str or told == "USD"
    ):
        raise ValueError("a currency that is left out, or none")
    if "usage" not in rest:
        return rest
    tokens = tokens_of(rest.pop("usage"))
    return {**rest, "usage": tokens} if tokens else rest


def tokens_of(usage: dict[str, Any]) -> dict[str, int]:
    """Give the tokens of a usage that may hold other counts behind them.

    Raises:
        ValueError, TypeError: it is not written as outlay writes it, in whole numbers.
    """
    for unit, count in usage.items():
        check_quantity(unit, count)
    counts = tuple(usage.items())
    if not counts or counts != ordered(usage) or not _INT.issuperset(map(type, usage.values())):
        raise ValueError("another form of a usage")
    return {unit: count for unit, count in counts if unit in TOKEN_UNITS}


def is_written_so(usual: Usual, record: Record) -> bool:
    """Whether a record is written as such lines are, but for the order of what it says."""
    return _parts(usual.data) == _parts(record_json(record))


def _parts(data: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: orjson.dumps(value) for name, value in data.items()}


def _is_sound(usual: Usual) -> bool:
    """Whether totals are those of the usage, and amounts are written as outlay writes them."""
    data = usual.data
    if tuple(data[name] for name in TOTALS) != usual.totals:
        return False
    return all(is_amount(line["amount"]) for line in data.get("lines", ()))
