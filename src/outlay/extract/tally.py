"""Counting: units of one response as they are gathered, every count checked, every oddity noted."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from outlay.core.money import added
from outlay.core.twins import open_twin
from outlay.core.units import COUNT_NAME, MAX_QUANTITY, TOKEN_UNITS
from outlay.core.usage import Item, Quantity, Term, Usage, ordered
from outlay.extract.plain import number_of

# What holds counts: where it is anything else, nobody knows what it meant to say.
_OBJECTS = frozenset(
    (
        *("prompt_tokens_details", "completion_tokens_details", "prompt_token_details"),
        *("input_tokens_details", "output_tokens_details", "input_token_details", "output_token_details"),
        *("completion_token_details", "cached_tokens_details", "cache_write_tokens_details"),
        *("candidates_tokens_details", "cache_tokens_details", "tool_use_prompt_tokens_details"),
        *("response_tokens_details", "cache_creation", "cacheDetails", "iterations", "billed_units"),
        *("server_tool_use", "server_tool_use_details", "serverToolUsage", "server_side_tool_usage_details"),
    )
)
_AGAINST = frozenset({"total_mismatch", "clamped"})
NOTHING_ODD: tuple[tuple[str, ...], str | None] = ((), None)
NOT_STATED: tuple[Decimal | None, str] = (None, "USD")
NOTHING_KNOWN = "the usage has no count that is known"
_SPOKEN_AGAINST = "the usage counts nothing, and its total or a part of it says otherwise"


class Tally:
    """The units of one response while they are being counted, with what was odd about them."""

    __slots__ = ("flags", "reason", "units")

    def __init__(self) -> None:
        self.units: dict[str, Quantity] = {}
        self.flags: set[str] = set()
        self.reason: str | None = None

    def note(self, flag: str, reason: str | None = None) -> None:
        """Keep a flag and, where none stands yet, a reason."""
        self.flags.add(flag)
        if self.reason is None:
            self.reason = reason

    def count(self, source: Mapping[str, Any], key: str) -> int | None:
        """Read a whole count; None when it is absent, null, or no count at all (which is noted)."""
        value = source.get(key)
        if type(value) is int and 0 <= value <= MAX_QUANTITY:
            return value
        return None if value is None else self._odd_count(value, key)

    def first(self, source: Mapping[str, Any], *keys: str) -> int | None:
        """Read the first of several spellings of one count."""
        for key in keys:
            if source.get(key) is not None:
                return self.count(source, key)
        return None

    def amount(self, source: Mapping[str, Any], key: str) -> Quantity | None:
        """Read a count that may have a fraction, such as seconds."""
        value = source.get(key)
        if type(value) is int and 0 <= value <= MAX_QUANTITY:
            return value
        return None if value is None else self._odd_amount(value, key)

    def _odd_count(self, value: object, key: str) -> int | None:
        number = self._odd_amount(value, key)
        if number is None or isinstance(number, int):
            return number
        self.note("bad_count", f"{key} is no whole number")
        return None

    def _odd_amount(self, value: object, key: str) -> Quantity | None:
        number = number_of(value)
        if number is None and type(value) is not int:  # true and false are no numbers either
            self.note("bad_count", f"{key} is no number")
            return None
        if number is None or number > MAX_QUANTITY:
            self.note("bad_count", f"{key} is above {MAX_QUANTITY:,}, which no call can use")
            return None
        if number < 0:
            self.note("clamped")
            return 0
        return int(number) if number == number.to_integral_value() else number

    def put(self, unit: str, quantity: Quantity | None) -> None:
        """Add to a unit; None and 0 add nothing."""
        if quantity:
            self.units[unit] = added(self.units.get(unit, 0), quantity)

    def called(self, tool: str, calls: int | None) -> None:
        """Add calls of a hosted tool by the provider's name of it; one that no unit can have gets no rate."""
        named = tool not in TOKEN_UNITS and COUNT_NAME.fullmatch(tool)
        self.put(tool if named else "server_side_tools", calls)

    def take(self, unit: str, quantity: int | None, left: int) -> int:
        """Move a narrower count out of what is left of the wider one; more than is left is clamped."""
        if not quantity:
            return left
        if quantity > left:
            self.flags.add("clamped")
            quantity = left
        self.put(unit, quantity)
        return left - quantity

    def overlap(self, unit: str, quantity: int | None, left: int, whole: int) -> int:
        """Like :meth:`take`, for a count that may overlap what was taken: only beyond the whole is odd."""
        if not quantity:
            return left
        if quantity > whole:
            self.flags.add("clamped")
        quantity = min(quantity, left)
        self.put(unit, quantity)
        return left - quantity

    def check(self, stated: int | None, counted: int) -> None:
        """Compare with the total that the provider states, if any; a difference is noted."""
        if stated is not None and stated != counted:
            self.flags.add("total_mismatch")

    def sides(
        self, given: int | None, shown: int | None, total: int | None, beside: int = 0
    ) -> tuple[int, int]:
        """Give input and output; an absent one is nothing where the stated total says so, else unknown.

        ``beside`` is what the total holds besides the two.
        """
        known = (given or 0) + (shown or 0) + beside
        if (given is None or shown is None) and total != known and "bad_count" not in self.flags:
            absent = f"the usage has no {'input' if given is None else 'output'} tokens"
            self.note("partial", absent if given != shown else NOTHING_KNOWN)
        return given or 0, shown or 0

    def unknown(self, source: Mapping[str, Any], known: frozenset[str]) -> None:
        """Note keys that this reader does not know, where they say anything, and counts within no object."""
        for key in _OBJECTS.intersection(source):
            if source[key] and not isinstance(source[key], (Mapping, list)):
                self.note("bad_count", f"{key} is no object of counts")
        if not source.keys() <= known and any(
            source[key] for key in source.keys() - known if not isinstance(source[key], bool | str)
        ):
            self.flags.add("unknown_keys")

    def _counted_none(self, raw: Mapping[str, Any]) -> bool:
        return "unknown_keys" in self.flags or not _zero(raw)

    def usage(
        self,
        terms: Mapping[str, str] | None = None,
        *,
        model: str | None = None,
        response_id: str | None = None,
        raw: Mapping[str, Any] | None = None,
        stated: tuple[Decimal | None, str] = NOT_STATED,
    ) -> Usage:
        """Close the tally; ``stated`` is the provider's own cost and its currency.

        A usage in which nothing could be counted is partial, unless it says that it is zero.
        """
        if not self.units and raw and self.reason is None and stated[0] is None and self._counted_none(raw):
            self.note("partial", NOTHING_KNOWN)
        elif not self.units and not self.flags.isdisjoint(_AGAINST) and stated[0] is None:
            self.note("partial", _SPOKEN_AGAINST)
        flags = tuple(sorted(self.flags)) if self.flags else ()
        said = tuple(sorted(terms.items())) if terms else ()
        return made(ordered(self.units), (model, response_id), said, raw, (flags, self.reason), stated)


def _zero(raw: object) -> bool:
    """Whether a usage states a zero anywhere."""
    if isinstance(raw, Mapping | list):
        return any(_zero(each) for each in (raw.values() if isinstance(raw, Mapping) else raw))
    return raw == 0 and not isinstance(raw, bool)


_OpenUsage = open_twin(Usage)


def made(
    items: tuple[Item, ...],
    names: tuple[str | None, str | None],
    terms: tuple[Term, ...],
    raw: Mapping[str, Any] | None,
    odd: tuple[tuple[str, ...], str | None] = NOTHING_ODD,
    stated: tuple[Decimal | None, str] = NOT_STATED,
) -> Usage:
    """Make a usage by its twin; ``names``: the model's and the answer's; ``odd``: flags and reason."""
    usage: Any = _OpenUsage()
    usage.items = items
    usage.flags, usage.reason = odd
    usage.model, usage.response_id = names
    usage.terms = terms
    usage.context_tokens = None
    usage.reported_cost, usage.reported_currency = stated
    usage.parts = ()
    usage.raw = raw
    usage.__class__ = Usage
    found: Usage = usage
    return found


def sum_units(usages: Iterable[Usage]) -> dict[str, Quantity]:
    """Add the units of several usages."""
    merged: dict[str, Quantity] = {}
    for usage in usages:
        for unit, quantity in usage.items:
            merged[unit] = added(merged.get(unit, 0), quantity)
    return merged
