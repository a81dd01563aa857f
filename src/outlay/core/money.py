"""Exact money: Decimal arithmetic that refuses to round, and plain text without exponents."""

from collections.abc import Iterable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from functools import lru_cache

from outlay.core.errors import UsageError

# Wide enough for any count times any rate, a rate of exchange and several factors, each of as many digits
# as are read; a result that would have to be rounded raises instead of drifting by a digit.
EXACT = Context(prec=480, traps=[Inexact, InvalidOperation, Overflow])
ZERO = Decimal(0)
PLACES = 18  # of the ledgers' DECIMAL(38, 18) columns
LIMIT = Decimal(10) ** 18  # no single cost is above this; leaves two digits for sums in DECIMAL(38, 18)
_short = EXACT.normalize
_QUANTUM = Decimal(1).scaleb(-PLACES)
_SMALLEST, _LARGEST = 1e-60, 1e60
MAX_DIGITS = 60  # longer numerals are refused before they are computed with
WORKED_OUT = 480  # what numerals may have that were worked out of such ones
_NUMBERS = (int, float, str, Decimal)  # made once: a union would be made with each look
_PER_EXPONENT = {10**n: -n for n in range(10)}
_SHORTEST_RATE = Decimal("0.01")


def decimal_of(value: object, what: str = "amount", most: int = MAX_DIGITS) -> Decimal:
    """Read a finite Decimal from an int, a Decimal, a numeral, or a float by its shortest text.

    A numeral has at most so many digits; one that we worked out may have ``WORKED_OUT``.

    Raises:
        UsageError: the value is no finite number, or absurdly long.
    """
    if type(value) is float and (_SMALLEST <= value < _LARGEST or value == 0):
        return EXACT.create_decimal(repr(value))  # most stated money; as below, and nothing to refuse
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise UsageError(f"{what} must be a number, not {value!r:.60}")
    text = str(value).strip()
    try:
        number = EXACT.create_decimal(text) if len(text) <= most else Decimal("NaN")
    except DecimalException:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > most:
        raise UsageError(f"{what} must be a finite number, not {text[:60]!r}")
    return number


def multiply(quantity: int | Decimal, rate: Decimal, per: int = 1) -> Decimal:
    """Give quantity x rate / per exactly; ``per`` is a power of ten."""
    return EXACT.scaleb(EXACT.multiply(Decimal(quantity), rate), _PER_EXPONENT[per])


def added(one: int | Decimal, other: int | Decimal) -> int | Decimal:
    """Add two quantities exactly, whatever the decimal context of who calls."""
    return one + other if type(one) is int and type(other) is int else EXACT.add(one, other)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts exactly, in any order."""
    result = ZERO
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def to_ledger_places(amount: Decimal) -> Decimal:
    """Round half-even to the 18 places a ledger holds; the only place where a cost is ever rounded."""
    places = amount.as_tuple().exponent
    if isinstance(places, int) and places >= -PLACES:
        return amount
    return amount.quantize(_QUANTUM, context=Context(prec=80))


def text_of(amount: Decimal) -> str:
    """Write an amount plainly: no exponent, no trailing zeros."""
    text = str(amount)
    if text[-1] != "0" and "E" not in text:  # most; nothing is to be taken away
        return text
    text = str(_short(amount))
    if "E" in text:  # very small, or whole with zeros at its end
        text = format(_short(amount), "f")
    return "0" if text == "-0" else text


@lru_cache(maxsize=4096)
def rate_text(rate: Decimal) -> str:
    """Write a rate plainly with at least two places, as price pages do: ``2.50``, ``0.075``."""
    text = text_of(rate)
    places = len(text.partition(".")[2])
    return text if places >= 2 else format(EXACT.quantize(rate, _SHORTEST_RATE), "f")  # noqa: PLR2004
