"""Usage: what one response says was used, as disjoint units, with the facts its price depends on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, Self

from outlay.core.errors import UsageError
from outlay.core.money import MAX_DIGITS, added
from outlay.core.twins import open_twin
from outlay.core.units import COUNT_NAME, KINDS, MAX_QUANTITY, RANK, TOKEN_UNITS, rank

_RANK_OF = dict(RANK).__getitem__
_KIND_OF = dict(KINDS).get
Quantity = int | Decimal
Item = tuple[str, Quantity]
Term = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Usage:
    """Disjoint billed units of one response; no unit contains another, none is negative.

    ``terms`` are the facts, other than counts, that a price may depend on, sorted by name:
    ``service_tier`` (the served one), ``batch`` ("true"), ``geo``, ``speed``, ``region``, ``size``, …
    ``parts`` split the usage by model where one response bills several; their units add up to ``items``.
    """

    items: tuple[Item, ...] = ()  # (unit, quantity), zeros left out, in the vocabulary's order
    flags: tuple[str, ...] = ()  # what was odd: clamped, partial, estimated, unknown_keys, …
    reason: str | None = None  # why the usage is missing or incomplete
    model: str | None = None  # the model that the response names
    response_id: str | None = None
    terms: tuple[Term, ...] = ()
    context_tokens: int | None = None  # decides context tiers, where it is not the whole input
    reported_cost: Decimal | None = None  # money that the provider itself states, in reported_currency
    reported_currency: str = "USD"
    parts: tuple["Usage", ...] = ()
    raw: Mapping[str, Any] | None = field(default=None, hash=False)  # the provider's own usage, verbatim

    @classmethod
    def of(cls, counts: Mapping[str, Quantity] | Iterable[Item], **facts: Any) -> Self:
        """Make a checked usage from counts by unit.

        Raises:
            UsageError: an unknown unit, or a quantity that is negative, absurd or no number.
        """
        merged: dict[str, Quantity] = {}
        for unit, quantity in counts.items() if isinstance(counts, Mapping) else counts:
            # The common case first: a count of tokens that needs no closer look.
            if type(quantity) is not int or unit not in TOKEN_UNITS or not 0 <= quantity <= MAX_QUANTITY:
                check_quantity(unit, quantity)
            merged[unit] = added(merged[unit], quantity) if unit in merged else quantity
        return cls(items=ordered(merged), **facts)

    @property
    def units(self) -> dict[str, Quantity]:
        """The quantities by unit, zeros left out."""
        return dict(self.items)

    def __getitem__(self, unit: str) -> Quantity:
        """Give the quantity of a unit; 0 when it was not used."""
        return next((quantity for name, quantity in self.items if name == unit), 0)

    def __add__(self, other: "Usage") -> "Usage":
        """Add two usages; facts that both agree on are kept, all others become unknown."""
        if not isinstance(other, Usage):
            return NotImplemented
        merged = dict(self.items)
        for unit, quantity in other.items:
            merged[unit] = added(merged.get(unit, 0), quantity)
        return Usage(
            items=ordered(merged),
            flags=merge_flags(self.flags, other.flags),
            reason=self.reason or other.reason,
            model=self.model if self.model == other.model else None,
            terms=tuple(term for term in self.terms if term in other.terms),
            parts=(*self.parts, *other.parts),
        )

    @property
    def totals(self) -> tuple[int, int, int, int, int]:
        """Input, cached, cache-written, output and reasoning tokens; input and output are inclusive."""
        return totals_of(self.items)

    @property
    def input_tokens(self) -> int:
        """Every input token, cached and cache-written included."""
        return self.totals[0]

    @property
    def cached_tokens(self) -> int:
        """Input tokens that were read from a cache."""
        return self.totals[1]

    @property
    def cache_write_tokens(self) -> int:
        """Input tokens that were written to a cache, of any lifetime."""
        return self.totals[2]

    @property
    def output_tokens(self) -> int:
        """Every output token, reasoning included."""
        return self.totals[3]

    @property
    def reasoning_tokens(self) -> int:
        """Output tokens that were thought and not shown."""
        return self.totals[4]

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        whole, _, _, output, _ = self.totals
        return whole + output

    def term(self, name: str) -> str | None:
        """Give the value of a billing term, or None."""
        return next((value for key, value in self.terms if key == name), None)

    def with_terms(self, **terms: str | None) -> "Usage":
        """Give a copy with these terms set; a None leaves the term as it is."""
        given = {name: value for name, value in terms.items() if value is not None}
        return changed(self, terms=sort_terms({**dict(self.terms), **given})) if given else self

    def flagged(self, *flags: str, reason: str | None = None) -> "Usage":
        """Give a copy with further flags and, where none stands yet, a reason."""
        return changed(self, flags=merge_flags(self.flags, flags), reason=self.reason or reason)


_all_of = attrgetter(*Usage.__slots__)
_OpenUsage = open_twin(Usage)


def changed(usage: Usage, **facts: Any) -> Usage:
    """Give a copy with other facts, as ``dataclasses.replace`` does, in a fifth of its time."""
    copy: Any = _OpenUsage()
    (
        copy.items,
        copy.flags,
        copy.reason,
        copy.model,
        copy.response_id,
        copy.terms,
        copy.context_tokens,
        copy.reported_cost,
        copy.reported_currency,
        copy.parts,
        copy.raw,
    ) = _all_of(usage)
    for name, value in facts.items():
        setattr(copy, name, value)
    copy.__class__ = Usage
    made: Usage = copy
    return made


def totals_of(items: Iterable[Item]) -> tuple[int, int, int, int, int]:
    """Give input, cached, cache-written, output and reasoning tokens; input and output are inclusive."""
    whole = cached = written = output = reasoning = 0
    for unit, quantity in items:
        kind = _KIND_OF(unit)
        if kind is None:
            continue
        count = quantity if type(quantity) is int else int(quantity)
        if kind == "output":
            output += count
        elif kind == "reasoning":
            output += count
            reasoning += count
        else:
            whole += count
            if kind == "cache_read":
                cached += count
            elif kind != "input":
                written += count
    return whole, cached, written, output, reasoning


def check_quantity(unit: object, quantity: object) -> None:
    """Refuse a quantity that no provider can have meant.

    Raises:
        UsageError: with the unit, the value, and what would be right.
    """
    if unit in TOKEN_UNITS:
        if type(quantity) is not int or not 0 <= quantity <= MAX_QUANTITY:
            raise UsageError(
                f"{unit} must be a whole number from 0 to {MAX_QUANTITY:,}, not {quantity!r:.40}"
            )
    elif not isinstance(unit, str) or not COUNT_NAME.fullmatch(unit):
        raise UsageError(f"{unit!r:.60} is no unit; units are lower-case names such as input or web_search")
    elif (
        isinstance(quantity, bool)
        or not isinstance(quantity, int | Decimal)
        or not Decimal(quantity).is_finite()
        or not 0 <= quantity <= MAX_QUANTITY
    ):
        raise UsageError(f"{unit} must be a number from 0 to {MAX_QUANTITY:,}, not {quantity!r:.40}")
    elif isinstance(quantity, Decimal) and len(quantity.as_tuple().digits) > MAX_DIGITS:
        raise UsageError(f"{unit} has more than {MAX_DIGITS} digits; round it")


def merge_flags(*flags: Iterable[str]) -> tuple[str, ...]:
    """Join flags, each once, by name."""
    return tuple(sorted({flag for group in flags for flag in group}))


def sort_terms(terms: Mapping[str, str]) -> tuple[Term, ...]:
    """Bring billing terms into their one order, so that equal terms are equal values."""
    return tuple(sorted(terms.items()))


def ordered(units: Mapping[str, Quantity]) -> tuple[Item, ...]:
    """Bring units into the vocabulary's order, zeros left out."""
    try:
        names = sorted(units, key=_RANK_OF)
    except KeyError:  # a unit beyond the vocabulary
        names = sorted(units, key=rank)
    return tuple([(name, units[name]) for name in names if units[name]])
