"""The ledger's columns of calls that are told and have their rates: money, lines and ids, exactly."""

from collections.abc import Sequence

from outlay.capture.fields import NO_USAGE
from outlay.importing.bulk.cells import MONEY, NOTHING, quoted, trimmed
from outlay.importing.bulk.told import COLUMNS, UNITS
from outlay.importing.made import UUID7

_NOT_THE_SAME = frozenset({"cost", "currency", "provider", "rounded"})
_RATE = ("known", "rate_currency", "rate_status", "rate_reason", "rate_flags", "rate_price")


def worked_out(used: Sequence[str], source: str) -> str:
    """Give the SELECT of what :func:`columns` needs, of rows that use these units alone."""
    amounts = [f"CAST(told.{unit}_ AS DECIMAL(18, 0)) * rates.{unit}_each AS {unit}_amount" for unit in used]
    rates = [f"rates.{name}" for name in _RATE]
    rates += [f"rates.{unit}_{name}" for unit in used for name in ("head", "middle", "tail")]
    listed = ", ".join(["told.*", "kinds.recorded", *rates, *amounts])
    added = " + ".join([f"CAST(0 AS {MONEY})", *(f"coalesce({unit}_amount, 0)" for unit in used)])
    lines = ", ".join(
        f"{unit}_head || {unit}_ || {unit}_middle || {trimmed(f'{unit}_amount')} || {unit}_tail"
        for unit in used
    )
    usage = ", ".join(f"CASE WHEN {unit}_ > 0 THEN '\"{unit}\":' || {unit}_ END" for unit in used)
    return f"""SELECT *, CASE WHEN known THEN {added} END AS ours,
        {f"concat_ws(',', {lines})" if used else "''"} AS listed,
        {f"concat_ws(',', {usage})" if used else "''"} AS used,
        length("cost") - strpos("cost", '.') AS places
        FROM (SELECT {listed} FROM {source})"""  # noqa: S608  # our own names


def columns(used: Sequence[str]) -> dict[str, str]:
    """Give the expressions of the ledger's columns; what is not named is NULL."""
    same = {name: f'"{name}"' for name in COLUMNS if name not in _NOT_THE_SAME}
    own = f"regexp_full_match(identity, {quoted(UUID7)})"
    count = {unit: f"{unit}_" if unit in used else "0" for unit in UNITS}
    written = f"{count['cache_write']} + {count['cache_write_1h']}"
    return {
        **same,
        "id": f"CASE WHEN {own} THEN identity ELSE {id_of('digest', 'moment')} END",
        "at": "moment",
        "provider": "recorded",
        "operation": "coalesce(operation, 'chat')",
        "status": "coalesce(status, 'success')",
        "input_tokens": f"{count['input']} + {count['cache_read']} + {written}",
        "cached_tokens": count["cache_read"],
        "cache_write_tokens": written,
        "output_tokens": f"{count['output']} + {count['reasoning']}",
        "reasoning_tokens": count["reasoning"],
        "usage": "CASE WHEN used <> '' THEN '{' || used || '}' END",
        "usage_reason": f"CASE WHEN silent THEN {quoted(NO_USAGE)} END",
        **_charge(),
    }


def id_of(digest: str, moment: str) -> str:
    """Make the id of a call as ``core.ids`` does."""
    variant = f"translate(substr({digest}, 5, 1), '0123456789abcdef', '89ab89ab89ab89ab')"
    noise = f"substr({digest}, 2, 3) || {variant} || substr({digest}, 6, 15)"
    return f"lpad(to_hex(epoch_us({moment}) // 1000), 12, '0') || '7' || {noise}"


def _charge() -> dict[str, str]:
    def either(stated: str, ours: str) -> str:
        return f'CASE WHEN "cost" IS NOT NULL THEN {stated} ELSE {ours} END'

    rate = """CASE WHEN NOT contains("cost", '.') THEN "cost" || '.00'
        WHEN places = 1 THEN "cost" || '0' ELSE "cost" END"""
    line = f"""'[{{"unit":"reported","quantity":1,"rate":"' || {rate}
        || '","per":1,"amount":"' || "cost" || '"}}]'"""
    return {
        "cost": either(f'CAST("cost" AS {MONEY})', "ours"),
        "currency": either("coalesce(\"currency\", 'USD')", "rate_currency"),
        "cost_status": either("'reported'", "rate_status"),
        "cost_reason": either(NOTHING, "rate_reason"),
        "cost_flags": either("CASE WHEN rounded THEN '[\"rounded\"]' END", "rate_flags"),
        "computed_cost": either("ours", NOTHING),
        "lines": either(line, "CASE WHEN listed <> '' THEN '[' || listed || ']' END"),
        "price": either(NOTHING, "rate_price"),
    }
