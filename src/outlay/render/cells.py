"""How single values are shown to people: money, counts, times, names; never a control character."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from outlay.core.money import text_of
from outlay.core.query import LATENCY_BOUNDS_MS
from outlay.core.usage import Quantity

MISSING = "-"
UNKNOWN = "unknown"
LONGEST = 28
_SECOND = 1000
_BLANK = "\u2423"  # or two names would look like one
_SIX = Decimal("0.000001")


def name(value: object) -> str:
    """Show a name on one line; what could move a terminal's cursor is an escape, a blank at an end a sign."""
    if value is None:
        return MISSING
    text = str(value)
    bare = text.strip(" ")
    if len(bare) != len(text):
        before = len(text) - len(text.lstrip(" ")) if bare else 0
        text = _BLANK * before + bare + _BLANK * (len(text) - len(bare) - before)
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def short(text: str) -> str:
    """Cut the middle out of a name that is long beside a bar: providers and dates stand at its ends."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[: half - 1]}…{text[-half:]}"


def count(value: int | None) -> str:
    """Show a count with thousands separators."""
    return MISSING if value is None else f"{value:,}"


def many(value: int, one: str, more: str = "") -> str:
    """Show how many there are of something: ``1 call``, ``1,200 calls``."""
    return f"{value:,} {one if value == 1 else more or f'{one}s'}"


def failed(calls: int, errors: int) -> str:
    """Show how many calls there are, and that all or some of them failed: ``3, of which 1 failed``."""
    if not errors:
        return f"{calls:,}"
    return f"{calls:,} failed" if errors == calls else f"{calls:,}, of which {errors:,} failed"


def quantity(value: Quantity) -> str:
    """Show a billed quantity, a fraction to its last digit."""
    return f"{value:,}" if isinstance(value, int) else text_of(value)


def dollars(amount: Decimal | None, currency: str = "USD") -> str:
    """Show money with six digits; an amount too small for them in full, an unknown one as such."""
    if amount is None:
        return UNKNOWN
    figure = f"{amount:,.6f}" if not amount or amount.copy_abs() >= _SIX else text_of(amount)
    return f"${figure}" if currency == "USD" else f"{figure} {name(currency)}"


def signed(amount: Decimal, currency: str = "USD") -> str:
    """Show a difference of money with its sign."""
    return f"{'-' if amount < 0 else '+'}{dollars(amount.copy_abs(), currency)}"


def sums(cost: Decimal | None, costs: Mapping[str, Decimal] | None) -> str:
    """Show a sum; where other currencies than USD are in it, each by itself."""
    if costs:
        return " + ".join(dollars(amount, currency) for currency, amount in costs.items())
    return dollars(cost)


def milliseconds(value: float | None) -> str:
    """Show a latency in whole milliseconds."""
    return MISSING if value is None else f"{value:,.0f} ms"


def latency_labels() -> list[str]:
    """Name the buckets of latencies by the seconds up to which they go, the last by those beyond."""
    ends = [f"{bound / _SECOND:g} s" for bound in LATENCY_BOUNDS_MS]
    return [*(f"≤ {end}" for end in ends), f"> {ends[-1]}"]


def percent(share: float | None) -> str:
    """Show a share of 0 to 1 in whole percent."""
    return MISSING if share is None else f"{share:.0%}"


def local_time(at: datetime, tz: ZoneInfo) -> str:
    """Show an instant to the second in that zone."""
    return f"{at.astimezone(tz):%Y-%m-%d %H:%M:%S}"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
