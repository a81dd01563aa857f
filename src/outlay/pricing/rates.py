"""Rates: money per so many units, and what a unit without a rate of its own is charged as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from outlay.core.errors import OutlayError, PriceBookError
from outlay.core.money import decimal_of, multiply
from outlay.core.units import TOKEN_UNITS, split_unit

MILLION = 1_000_000
THOUSAND = 1_000
_COUNTED_PER = {
    "requests": THOUSAND,
    "web_search": THOUSAND,
    "web_search_preview": THOUSAND,
    "web_fetch": THOUSAND,
    "x_search": THOUSAND,
    "maps_search": THOUSAND,
    "image_search": THOUSAND,
    "file_search": THOUSAND,
    "code_execution": THOUSAND,
    "search_units": THOUSAND,
    "pages": THOUSAND,
    "annotated_pages": THOUSAND,
    "text_messages": THOUSAND,
    "characters": MILLION,
    "citation_tokens": MILLION,
}
PER: Mapping[str, int] = MappingProxyType({**dict.fromkeys(TOKEN_UNITS, MILLION), **_COUNTED_PER})
"""For how many units a rate of the book is meant; 1 for units that are not named here."""

TierKind = Literal["request", "marginal", "month"]
TIER_KINDS: tuple[TierKind, ...] = ("request", "marginal", "month")
ASSUMED = "assumed_rate"  # the flag of a line whose rate was another unit's


@dataclass(frozen=True, slots=True)
class Rate:
    """Money for ``per`` units; ``note`` says why this one, ``flag`` marks it as an assumption."""

    amount: Decimal
    per: int = MILLION
    note: str | None = None
    flag: str | None = None
    each: Decimal = field(init=False, repr=False, compare=False)  # amount / per, exactly

    def __post_init__(self) -> None:
        """Work out the money for one unit once, so that a line is one multiplication."""
        object.__setattr__(self, "each", multiply(1, self.amount, self.per))


@dataclass(frozen=True, slots=True)
class Step:
    """A dearer or cheaper rate from a size on: above ``tokens``, or from it on with ``at_least``."""

    tokens: int
    rates: Mapping[str, Rate]
    at_least: bool = False

    def reached(self, tokens: int) -> bool:
        """Whether so many tokens are in this step."""
        return tokens >= self.tokens if self.at_least else tokens > self.tokens


def per_of(unit: str) -> int:
    """Give for how many units a rate is meant."""
    return PER.get(unit, 1)


def _stand_ins(unit: str) -> tuple[tuple[str, bool], ...]:
    kind, modality = split_unit(unit)
    chain: list[tuple[str, bool]] = []
    if modality is not None:
        # Gemini lists one price for text, image and video input; audio and all output differ where they are
        # listed at all, so taking the text rate for them is an assumption.
        chain.append((kind, modality == "audio" or TOKEN_UNITS[unit] == "output"))
    if kind == "reasoning":
        chain += [(f"output_{modality}", True)] if modality else []
        chain.append(("output", bool(modality)))
    if kind.startswith("cache_write_"):
        # 30 minutes is the lifetime that OpenAI's plain cache-write rate is listed for.
        chain.append(("cache_write", kind != "cache_write_30m"))
    if kind.startswith("cache_"):
        chain += [(f"input_{modality}", True)] if modality else []
        chain.append(("input", True))
    return tuple(chain)


STAND_INS: Mapping[str, tuple[tuple[str, bool], ...]] = MappingProxyType(
    {unit: _stand_ins(unit) for unit in TOKEN_UNITS}
)
"""For every token unit, whose rate it takes when it has none, in order, and whether that is an assumption.

An unknown cache rate is the input rate, an unknown one-hour write the five-minute one, reasoning is output.
"""


def filled(rates: Mapping[str, Rate]) -> dict[str, Rate]:
    """Give rates for every token unit that has one or may take another's; counts only with their own."""
    result = dict(rates)
    borrowed: dict[tuple[str, bool], Rate] = {}  # many units take the same one
    for unit, chain in STAND_INS.items():
        if unit in rates:
            continue
        for other, assumed in chain:
            if other in rates:
                key = other, assumed
                if key not in borrowed:
                    borrowed[key] = _borrowed(rates[other], other, assumed=assumed)
                result[unit] = borrowed[key]
                break
    return result


def _borrowed(rate: Rate, other: str, *, assumed: bool) -> Rate:
    flag = ASSUMED if assumed else rate.flag
    return Rate(rate.amount, rate.per, join_notes(f"rate of {other}", rate.note), flag)


def read_amount(value: object, where: str) -> Decimal:
    """Read an amount of money, a factor or a rate as a price file states it.

    Raises:
        PriceBookError: no finite number, or a float, which may have lost digits.
    """
    if isinstance(value, float):
        raise PriceBookError(f"{where}: write {value} as text or in TOML, so that no digit is lost")
    try:
        return decimal_of(value, "the rate")
    except OutlayError as error:
        raise PriceBookError(f"{where}: {error}") from None


def join_notes(*notes: str | None) -> str | None:
    """Join what is to be said about a rate; None when there is nothing."""
    return "; ".join(note for note in notes if note) or None
