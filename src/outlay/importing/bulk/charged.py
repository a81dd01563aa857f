"""The ledger's columns of calls that are told and have their rates: money and lines, exactly."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from outlay.capture.fields import NO_USAGE
from outlay.core.money import EXACT
from outlay.importing.bulk.expressions import MONEY, NOTHING, quoted, trimmed
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
    "use_end",
)
WIDE = "DECIMAL(20, 18)"  # of any rate for one
_NARROW = 18  # digits that a machine's own integers hold; wider decimals take several times as long
_ZEROS = 6  # at the end of an amount, that are taken off by its number; more by its text


@dataclass(frozen=True, slots=True)
class Amount:
    """Quantity and rate of a unit as SQL, as narrow as their product allows."""

    unit: str
    quantity: str  # types
    each: str
    places: int | None = None  # of a narrow product
    most: int = 0  # money, beyond which no product is

    def text(self) -> str:
        """Give the exact product."""
        return f"CAST(told.{self.unit}_ AS {self.quantity}) * rates.{self.unit}_each"


def amount(unit: str, most: int, rates: Sequence[Decimal]) -> Amount:
    """Say how to multiply out a unit of which a call has at most so many, at one of these rates."""
    digits = len(str(most))
    places = max(0, *(-int(EXACT.normalize(rate).as_tuple().exponent) for rate in rates))
    whole = max(len(str(int(rate))) for rate in rates)
    if digits + places + whole <= _NARROW:
        kinds = f"DECIMAL({digits}, 0)", f"DECIMAL({places + whole}, {places})"
        return Amount(unit, *kinds, places, most * (int(max(rates)) + 1))
    return Amount(unit, "DECIMAL(18, 0)", WIDE)


def _sum(amounts: Mapping[str, Amount], *, fees: bool) -> str:
    """Add up what a call costs, as narrow as it can be."""
    places = max((18 if each.places is None else each.places for each in amounts.values()), default=18)
    most = sum(each.most for each in amounts.values())
    narrow = not fees and len(str(most)) + places <= _NARROW
    kind = f"DECIMAL({_NARROW}, {places})" if narrow else MONEY
    terms = [f"CAST(coalesce({unit}_amount, 0) AS {kind})" for unit in amounts]
    return " + ".join([*(["coalesce(fee_amount, 0)"] if fees or not terms else []), *terms])


def _written(name: str, places: int | None) -> str:
    """Write an amount as ``cells.trimmed`` does; few zeros at its end are found faster by its number."""
    if places is None or places == 0:
        return trimmed(name)
    fewer = range(places - 1, max(places - _ZEROS, 0), -1)
    whens = "".join(
        f" WHEN {name} % CAST('{Decimal(1).scaleb(-less)}' AS DECIMAL({less + 1}, {less})) <> 0"
        f" THEN CAST(CAST({name} AS DECIMAL({_NARROW}, {less + 1})) AS VARCHAR)"
        for less in fewer
    )
    return f"CASE{whens} ELSE {trimmed(name)} END" if whens else trimmed(name)


def kind(units: Sequence[str]) -> str:
    """Number the set of units that a call uses; see ``charges.rate_of``."""
    uses = [f"(told.{unit}_ > 0)::INTEGER * {1 << UNITS.index(unit)}" for unit in units]
    return f"CASE WHEN told.silent THEN -1 ELSE {' + '.join(['0', *uses])} END"


def worked_out(
    told: Collection[str], units: Collection[str], amounts: Mapping[str, Amount], source: str, *, fees: bool
) -> str:
    """Give the SELECT of what :func:`columns` needs, of rows of which these units alone are charged."""
    rates = [f"rates.{name}" for name in _RATE]
    rates += [f"rates.{unit}_use" for unit in units]
    rates += [f"rates.{unit}_{name}" for unit in amounts for name in ("head", "middle", "tail")]
    rates += [f"{each.text()} AS {unit}_amount" for unit, each in amounts.items()]
    same = ["told.* EXCLUDE (tags)", "tagged.tags"] if "tags" in told else ["told.*"]
    listed = ", ".join([*same, "rates.recorded", *rates])
    added = _sum(amounts, fees=fees)
    return f"""SELECT *, CASE WHEN known THEN CAST({added} AS {MONEY}) END AS ours
        FROM (SELECT {listed} FROM {source})"""  # noqa: S608  # our own names


def _listed(amounts: Mapping[str, Amount]) -> str:
    """Write the lines of what is charged by rates, whose texts are made to be put together."""
    parts = [
        f"{unit}_head, CASE WHEN {unit}_head IS NOT NULL THEN {unit}_ END, {unit}_middle,"
        f" {_written(f'{unit}_amount', each.places)}, {unit}_tail"
        for unit, each in amounts.items()
    ]
    return f"NULLIF(concat({', '.join([*parts, 'fee'])}), '')"


def _used(units: Sequence[str]) -> str:
    usage = ", ".join(f"{unit}_use, NULLIF({unit}_, 0)" for unit in units)
    return f"NULLIF(concat({usage}, use_end), '')" if units else NOTHING


def columns(told: Collection[str], units: Sequence[str], charged: Mapping[str, Amount]) -> dict[str, str]:
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
    end = f"""CASE WHEN NOT contains("cost", '.') THEN '.00' WHEN {places} = 1 THEN '0' END"""
    line = f"""concat('[{{"unit":"reported","quantity":1,"rate":"', "cost", {end},
        '","per":1,"amount":"', "cost", '"}}]')"""
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
