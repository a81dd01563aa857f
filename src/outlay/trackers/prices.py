"""One front door for what a call costs, whichever way the question is put; one routine behind it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from outlay import process
from outlay.capture.fields import usage_of_counts
from outlay.capture.results import named, plain_counts, read_counts, read_result
from outlay.core.cost import Cost
from outlay.core.errors import UnknownModelError
from outlay.core.instants import instant
from outlay.core.usage import Usage

# Pricing is imported inside of functions: `import outlay` names what is here, and must stay light.

PRICING: dict[str, dict[str, Any]] = {
    "gpt-4o": {"input": 5.00, "output": 15.00},
    "gpt-4o-mini": {"input": 0.15, "output": 0.60},
    "claude-3-5-sonnet": {"input": 3.00, "output": 15.00},
    "text-embedding-3-small": {"input": 0.02, "output": 0.0},
}
"""Dollars per million tokens by which usage records are priced; yours to edit, as a table of your program.

A row may also hold ``cached``, ``cache_write``, ``happy_hour`` and ``dynamic``. Models that are not in it are
priced by the dated price book.
"""
_SHIPPED: Mapping[str, Mapping[str, Any]] = {model: dict(row) for model, row in PRICING.items()}
_THOUSANDS = ("prompt_tokens", "completion_tokens", "cost_per_1k_input", "cost_per_1k_output")
_MILLIONS = ("input_price", "output_price")
_HOW = (
    "give a record, or usage with model= or with input_price= and output_price= (dollars per million), or "
    "prompt_tokens=, completion_tokens=, cost_per_1k_input= and cost_per_1k_output="
)


def calculate_cost(usage: Any = None, /, **terms: Any) -> float:
    """Give the cost of a call in dollars.

    Three ways to ask, which do not mix:

    - ``calculate_cost(record)``: anything with model, input_tokens, output_tokens and timestamp, priced by
      ``PRICING``, else by the price book at the record's time
    - ``calculate_cost(usage, model="gpt-4o")``, also ``at=`` and ``provider=``, by the price book;
      or ``calculate_cost(usage, input_price=2.50, output_price=10.00)`` in dollars per million
    - ``calculate_cost(prompt_tokens=…, completion_tokens=…, cost_per_1k_input=…, cost_per_1k_output=…)``

    Raises:
        TypeError: the ways are mixed, or no price was given.
        UnknownModelError: no price of the model is known, or none in dollars; a KeyError whose text says why.
        UsageError: counts that cannot be; a ValueError.
    """
    given = {name: value for name, value in terms.items() if value is not None}
    record = given.pop("record", None) if usage is None else None
    asked = usage if record is None else record
    if asked is None:
        asked = given.pop("usage", None)
    if asked is None:
        return _dollars(_by_thousands(given), "the rates")
    if not given and named(asked, "model") is not None:
        return _of_record(asked)
    return _of_usage(asked, given)


def _of_record(record: Any) -> float:
    model = str(named(record, "model"))
    moment = named(record, "timestamp")
    at = None if moment is None else instant(moment)
    if named(record, "usage") is not None:
        reading = read_result(record)
        return _dollars(book_charge(reading.usage, model, at), model)
    return _dollars(charge_of(usage_in(record), model, at), model)


def usage_in(record: Any) -> Usage:
    """Read the counts that stand in a record.

    Raises:
        UsageError: there are none, or they cannot be.
    """
    return usage_of_counts(plain_counts(record))


def _of_usage(usage: Any, given: dict[str, Any]) -> float:
    from outlay.pricing.own import own_cost, rates_book  # noqa: PLC0415 - see the top of the file

    counts = read_counts(usage)
    if set(given) == set(_MILLIONS):
        book = rates_book(given["input_price"], given["output_price"])
        return _dollars(own_cost(counts, book), "the rates")
    if "model" not in given or set(given) - {"model", "at", "provider"}:
        raise TypeError(f"calculate_cost() got {', '.join(sorted(given)) or 'no price'} with usage; {_HOW}")
    at = given.get("at")
    model, moment = str(given["model"]), None if at is None else instant(at)
    return _dollars(book_charge(counts, model, moment, given.get("provider")), model)


def _by_thousands(given: dict[str, Any]) -> Cost:
    from outlay.pricing.own import own_cost, per_thousand_book  # noqa: PLC0415 - see the top of the file

    if set(given) != set(_THOUSANDS):
        raise TypeError(f"calculate_cost() got {', '.join(sorted(given)) or 'nothing'}; {_HOW}")
    usage = read_counts({name: given[name] for name in _THOUSANDS[:2]})
    return own_cost(usage, per_thousand_book(given["cost_per_1k_input"], given["cost_per_1k_output"]))


def _dollars(cost: Cost, model: str) -> float:
    if cost.amount is None:
        raise UnknownModelError(f"{cost.reason or f'no price of {model} is known'}")
    if cost.currency != "USD":
        raise UnknownModelError(
            f"the price of {model} is in {cost.currency}; a rate under [[exchange]] turns it into dollars"
        )
    return float(cost.amount)


def charge_of(usage: Usage, model: str | None, at: datetime | None) -> Cost:
    """Price what a usage record holds: by ``PRICING``, else by the price book at its time."""
    row = None if model is None else PRICING.get(model)
    return book_charge(usage, model, at) if row is None else _by_row(usage, model, row, at)


def call_charge(usage: Usage, model: str | None, at: datetime | None) -> Cost:
    """Price a call that was just made: by a row of ``PRICING`` that you wrote, else by today's prices."""
    row = None if model is None else PRICING.get(model)
    if row is None or row == _SHIPPED.get(model or ""):
        return book_charge(usage, model, at)
    return _by_row(usage, model, row, at)


def book_charge(
    usage: Usage, model: str | None, at: datetime | None = None, provider: str | None = None
) -> Cost:
    """Price a usage by the dated price book that recorded calls are priced by: one's own prices are in it."""
    from outlay.pricing import cost_of  # noqa: PLC0415 - see the top of the file

    book = process.current().book_around_work()
    return cost_of(usage, provider=provider, model=model, at=at, book=book)


def maker_of(model: str | None) -> str | None:
    """Give the provider in whose list a model stands, or None where nobody lists it."""
    asked = process.current().book_around_work().timeline(None, model, ()).asked
    return None if asked is None else asked.provider


def _by_row(usage: Usage, model: str | None, row: Mapping[str, Any], at: datetime | None) -> Cost:
    from outlay.pricing.own import own_book, own_cost  # noqa: PLC0415 - see the top of the file

    return own_cost(usage, own_book(row, model=str(model)), at=at)
