"""The ledger's columns of calls that are told and have their rates: money and lines, exactly."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from outlay.capture.fields import NO_USAGE
from outlay.importing.bulk.cells import MONEY, NOTHING, quoted, trimmed
from outlay.importing.bulk.told import UNITS

SIZE = ("input", "cache_read", "cache_write", "cache_write_1h")  # what tiers by the size of a request count
_NOT_THE_SAME = frozenset({"cost", "currency", "provider", "rounded", "tags", "extra"})
_RATE = (
    "known",
    "rate_currency",
    "rate_status",
    "rate_reason",
    "rate_flags",
    "rate_price",
    "fee",
    "fee_amount",
)
_NARROW = 18  # digits that a machine's own integers hold; wider decimals take several times as long


@dataclass(frozen=True, slots=True)
class Amount:
    """Quantity and rate of a unit as SQL, as narrow as their product allows."""

    quantity: str
    each: str

    def text(self) -> str:
        """Give the exact product."""
        return f"{self.quantity} * {self.each}"


def amount(unit: str, most: int, rates: Sequence[Decimal]) -> Amount:
    """Say how to multiply out a unit of which a call has at most so many, at one of these rates."""
    digits = len(str(most))
    places = max(0, *(-int(rate.normalize().as_tuple().exponent) for rate in rates))
    whole = max(len(str(int(rate))) for rate in rates)
    quantity, each = f"told.{unit}_", f"rates.{unit}_each"
    if digits + places + whole <= _NARROW:
        return Amount(
            f"CAST({quantity} AS DECIMAL({digits}, 0))",
            f"CAST({each} AS DECIMAL({places + whole}, {places}))",
        )
    return Amount(f"CAST({quantity} AS DECIMAL(18, 0))", each)


def kind(units: Sequence[str]) -> str:
    """Number the set of units that a call uses; see ``charges.rate_of``."""
    uses = [f"(told.{unit}_ > 0)::INTEGER * {1 << UNITS.index(unit)}" for unit in units]
    return f"CASE WHEN told.silent THEN -1 ELSE {' + '.join(['0', *uses])} END"


def worked_out(told: Collection[str], amounts: Mapping[str, Amount], source: str) -> str:
    """Give the SELECT of what :func:`columns` needs, of rows of which these units alone are charged."""
    rates = [f"rates.{name}" for name in _RATE]
    rates += [f"rates.{unit}_{name}" for unit in amounts for name in ("head", "middle", "tail")]
    rates += [f"{each.text()} AS {unit}_amount" for unit, each in amounts.items()]
    same = ["told.* EXCLUDE (tags)", "tagged.tags"] if "tags" in told else ["told.*"]
    listed = ", ".join([*same, "rates.recorded", *rates])
    added = " + ".join(
        ["coalesce(fee_amount, 0)", *(f"CAST(coalesce({unit}_amount, 0) AS {MONEY})" for unit in amounts)]
    )
    return f"""SELECT *, CASE WHEN known THEN {added} END AS ours FROM (SELECT {listed} FROM {source})"""  # noqa: S608  # our own names


def _listed(units: Sequence[str]) -> str:
    """Write the lines of what is charged by rates."""
    lines = [
        f"{unit}_head || {unit}_ || {unit}_middle || {trimmed(f'{unit}_amount')} || {unit}_tail"
        for unit in units
    ]
    return f"'[' || NULLIF(concat_ws(',', {', '.join([*lines, 'fee'])}), '') || ']'"


def _used(units: Sequence[str]) -> str:
    usage = ", ".join(f"CASE WHEN {unit}_ > 0 THEN '\"{unit}\":' || {unit}_ END" for unit in units)
    return f"'{{' || NULLIF(concat_ws(',', {usage}), '') || '}}'" if units else NOTHING


def columns(told: Collection[str], units: Sequence[str], charged: Sequence[str]) -> dict[str, str]:
    """Give the expressions of the ledger's columns, of rows that use and are charged for these units.

    What is not named is NULL.
    """
    same = {name: f'"{name}"' for name in told if name not in _NOT_THE_SAME}
    count = {unit: f"{unit}_" if unit in units else "0" for unit in UNITS}
    written = f"{count['cache_write']} + {count['cache_write_1h']}"
    return {
        **same,
        "id": "id",
        "at": "moment",
        "provider": "recorded",
        "operation": "coalesce(operation, 'chat')" if "operation" in told else "'chat'",
        "status": "coalesce(status, 'success')" if "status" in told else "'success'",
        "tags": "tags" if "tags" in told else NOTHING,
        "extra": "extra" if "extra" in told else NOTHING,
        "input_tokens": f"{count['input']} + {count['cache_read']} + {written}",
        "cached_tokens": count["cache_read"],
        "cache_write_tokens": written,
        "output_tokens": f"{count['output']} + {count['reasoning']}",
        "reasoning_tokens": count["reasoning"],
        "usage": _used(units),
        "usage_reason": f"CASE WHEN silent THEN {quoted(NO_USAGE)} END",
        **_charge(told, _listed(charged)),
    }


def _charge(told: Collection[str], listed: str) -> dict[str, str]:
    if "cost" not in told:
        ours = {"cost": "ours", "currency": "rate_currency", "lines": listed}
        return (
            ours
            | {f"cost_{name}": f"rate_{name}" for name in ("status", "reason", "flags")}
            | {"price": "rate_price"}
        )

    def either(stated: str, ours: str) -> str:
        return f'CASE WHEN "cost" IS NOT NULL THEN {stated} ELSE {ours} END'

    currency = "coalesce(\"currency\", 'USD')" if "currency" in told else "'USD'"
    places = 'length("cost") - strpos("cost", \'.\')'
    rate = f"""CASE WHEN NOT contains("cost", '.') THEN "cost" || '.00'
        WHEN {places} = 1 THEN "cost" || '0' ELSE "cost" END"""
    line = f"""'[{{"unit":"reported","quantity":1,"rate":"' || {rate}
        || '","per":1,"amount":"' || "cost" || '"}}]'"""
    rounded = "CASE WHEN rounded THEN '[\"rounded\"]' END" if "rounded" in told else NOTHING
    return {
        "cost": either(f'CAST("cost" AS {MONEY})', "ours"),
        "currency": either(currency, "rate_currency"),
        "cost_status": either("'reported'", "rate_status"),
        "cost_reason": either(NOTHING, "rate_reason"),
        "cost_flags": either(rounded, "rate_flags"),
        "computed_cost": either("ours", NOTHING),
        "lines": either(line, listed),
        "price": either(NOTHING, "rate_price"),
    }
