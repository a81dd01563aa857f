"""Calls in the embedded ledger's columns as lines of a journal, written by DuckDB: no Record is made of any.

A line is what ``journal.line_of`` writes of the row's Record wherever the row's JSON stands there as outlay
writes it, and its numbers are neither very great nor very small.
"""

from dataclasses import fields

from outlay.core.codec import TOTALS
from outlay.core.kinds import KINDS, Kind
from outlay.core.record import SCHEMA, Record

_FACTS = tuple(field.name for field in fields(Record) if field.name not in {"usage", "charge"})
_USAGE = (
    *("usage", "flags", "usage_reason", "usage_model", "response_id", "raw", "terms", "context_tokens"),
    *("reported_cost", "reported_currency", "parts"),
)
_COST = (
    *("currency", "cost_status", "cost", "cost_reason", "cost_flags", "computed_cost", "lines", "price"),
)
_PLAIN = "CAST({0} AS VARCHAR)"
_SPELLED: dict[Kind, str] = {
    "text": "to_json({0})",
    "instant": "strftime({0}, '\"%Y-%m-%dT%H:%M:%S.%fZ\"')",
    "number": _PLAIN,
    "count": _PLAIN,
    "truth": _PLAIN,
    "amount": """'"' || rtrim(rtrim(CAST({0} AS VARCHAR), '0'), '.') || '"'""",
    "labels": "to_json({0})",  # a map; as its JSON it comes out as it is
    "object": f"NULLIF({_PLAIN}, '{{{{}}}}')",
    "list": f"NULLIF({_PLAIN}, '[]')",
    "nested": f"NULLIF({_PLAIN}, '[]')",
}
_OTHERWISE = {  # what says nothing is left out
    "streamed": "CASE WHEN streamed THEN 'true' END",
    "retries": "CAST(NULLIF(retries, 0) AS VARCHAR)",
    "tags": "CASE WHEN cardinality(tags) > 0 THEN to_json(tags) END",
    "terms": f"NULLIF({_PLAIN}, '{{{{}}}}')",
    "usage_reason": "to_json(NULLIF(usage_reason, ''))",
    "usage_model": "to_json(NULLIF(usage_model, ''))",
    "response_id": "to_json(NULLIF(response_id, ''))",
    "reported_currency": "to_json(NULLIF(reported_currency, 'USD'))",
}
_SPELLED_TOTALS = "".join(f",\"{name}\":' || {name} || '" for name in TOTALS)


def _key(name: str) -> str:
    value = _OTHERWISE.get(name, _SPELLED[KINDS[name]]).format(f'"{name}"')
    return f"""',"{name}":' || {value}"""


LINE = f"""concat('{{"schema":{SCHEMA}', {", ".join(map(_key, (*_FACTS, *_USAGE)))},
    '{_SPELLED_TOTALS}', {", ".join(map(_key, _COST))}, '}}' || chr(10))"""
"""The line of a row of calls, as an expression of its columns; what is NULL is left out of it."""
