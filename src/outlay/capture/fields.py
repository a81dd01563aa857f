"""From the keywords of ``outlay.record`` to a Usage and a Cost; counts may be inclusive or disjoint units."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from outlay.capture.guard import note_failure
from outlay.core.cost import Cost, CostLine
from outlay.core.errors import UsageError
from outlay.core.money import LIMIT, decimal_of, to_ledger_places
from outlay.core.usage import Usage

COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
NO_USAGE = "no usage was given"
_HALF = 2**63
_DEEPEST = 200  # of lists and objects in each other; orjson writes 254, and a record is one


def usage_of_counts(counts: Mapping[str, Any]) -> Usage:
    """Make disjoint units of inclusive counts: cached and written are parts of input, reasoning of output.

    Raises:
        UsageError: a part is larger than the whole, or a count is no whole number.
    """
    given = {name: count for name, count in counts.items() if count is not None}
    if not given:
        return Usage(reason=NO_USAGE)
    for name, count in given.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise UsageError(f"{name} must be a whole number of tokens, 0 or more, not {count!r:.40}")
    cached, written = given.get("cached_tokens", 0), given.get("cache_write_tokens", 0)
    whole_input = given.get("input_tokens", cached + written)
    reasoning = given.get("reasoning_tokens", 0)
    whole_output = given.get("output_tokens", reasoning)
    if cached + written > whole_input:
        raise UsageError(
            f"cached_tokens {cached} and cache_write_tokens {written} are parts of input_tokens, "
            f"which is only {whole_input}; give every prompt token as input_tokens"
        )
    if reasoning > whole_output:
        raise UsageError(
            f"reasoning_tokens {reasoning} is a part of output_tokens, which is only {whole_output}"
        )
    units = {
        "input": whole_input - cached - written,
        "cache_read": cached,
        "cache_write": written,
        "output": whole_output - reasoning,
        "reasoning": reasoning,
    }
    return Usage.of(units)


def stated_cost(amount: Any, currency: str) -> Cost:
    """Make the cost of a call whose price the caller states; kept to the digit, up to a ledger's 18 places.

    Raises:
        UsageError: the amount is no finite number, negative, or beyond what ledgers hold.
    """
    exact = decimal_of(amount, "cost")
    if exact < 0:
        raise UsageError(f"cost must be 0 or more, not {exact}")
    if exact > LIMIT:
        raise UsageError(f"cost must be at most {LIMIT:,}, not {exact}")
    kept = to_ledger_places(exact)
    line = CostLine("reported", 1, kept, 1, kept)
    return Cost(kept, "reported", currency, (line,), flags=() if kept == exact else ("rounded",))


def plain_entries(extra: Any) -> Any:
    """Bring business fields to what JSON knows; one that cannot be read, or never ends, is left out."""
    if not isinstance(extra, Mapping):
        return plain(extra)
    found = {}
    for name, value in extra.items():
        try:
            found[str(name)] = plain(value)
        except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything; the call still counts
            note_failure("extra", error)
    return found


def plain(value: Any, depth: int = 0) -> Any:
    """Bring a business field to what JSON knows; what it does not know is kept as its text.

    So is a whole number of more than 64 bits, of which readers of JSON make a float.

    Raises:
        RecursionError: it stands deeper within itself than writers of JSON go.
    """
    if depth > _DEEPEST:
        raise RecursionError("too deep for JSON")
    if isinstance(value, Mapping):
        return {str(name): plain(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, int) and not -_HALF <= value < 2 * _HALF:
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def beside(stated: Cost, computed: Decimal | None) -> Cost:
    """Keep our own figure beside a stated one."""
    return Cost(
        stated.amount, stated.status, stated.currency, stated.lines, flags=stated.flags, computed=computed
    )
