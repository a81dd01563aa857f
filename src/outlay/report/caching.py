"""Caching: how often input is read from a cache, the money that this saved, and what more could save."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from outlay.core.money import EXACT, multiply
from outlay.core.query import Row
from outlay.report.money import added, less, money, ratio
from outlay.report.reader import LedgerReader
from outlay.report.values import Breakdown

CacheRate = Callable[[str | None, str | None, Decimal], Decimal | None]
"""Provider, model and the rate paid for fresh input -> the rate that reading it from a cache would cost."""

_SCOPE = ("since", "until", "where", "tz")


@dataclass(frozen=True, slots=True)
class Caching(Breakdown):
    """Cache hits and savings of groups of calls.

    A row is the ledger's, where ``cache_hit_rate`` is that by tokens, with ``cached_calls`` and
    ``call_hit_rate``, and these sums of money: ``read_saving`` (cached input at the rate that the same call
    paid for fresh input, less what it cost), ``write_premium`` (what writing to a cache cost above fresh
    input), ``net_saving`` (the one less the other) and ``possible_saving`` (what reading all fresh input from
    a cache would save: no program reaches it). ``unknown_tokens`` are cached ones whose saving is not known,
    ``possible_unknown_tokens`` fresh ones for which no rate of a cache is. Reckoned from the recorded lines.
    """


def caching_of(
    reader: LedgerReader,
    by: str | Iterable[str] = ("provider", "model"),
    *,
    cache_rate: CacheRate | None = None,
    **question: Any,
) -> Caching:
    """Ask for caching; ``question`` is what :meth:`LedgerReader.report` takes beside dimensions.

    ``cache_rate`` tells the rate of a cache for models that have none in the records.

    Raises:
        QueryError: the question cannot be.
    """
    found = reader.report(by, metrics=("cached_calls",), **question)
    keys = found.query.by
    scope = {name: question[name] for name in _SCOPE if name in question}
    lines = reader.lines((*keys, "provider", "model"), **scope)
    book = _Rates(lines, cache_rate)
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for line in lines:
        groups[tuple(line[key] for key in keys)].append(line)
    return Caching(
        rows=tuple(_row(row, book.sums(groups[tuple(row[key] for key in keys)])) for row in found.rows),
        total=_row(found.total, book.sums(lines)),
        query=found.query,
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
    )


def _row(row: Row, sums: Mapping[str, Any]) -> Row:
    return {**row, "call_hit_rate": ratio(row["cached_calls"], row["calls"]), **sums}


class _Rates:
    """Which rates stand beside each other in the records: fresh input and the same from a cache."""

    def __init__(self, lines: Sequence[Row], cache_rate: CacheRate | None) -> None:
        self._fresh: defaultdict[tuple[Any, ...], set[Decimal]] = defaultdict(set)
        self._cached: defaultdict[tuple[Any, ...], set[Decimal]] = defaultdict(set)
        self._cache_rate = cache_rate
        for line in lines:
            if line["input_rate"] is not None:
                self._fresh[_place(line, line["rate"])].add(line["input_rate"])
                if line["unit"] == "cache_read":
                    self._cached[_place(line, line["input_rate"])[1:]].add(line["rate"])

    def sums(self, lines: Iterable[Row]) -> dict[str, Any]:
        """Add up what caching saved over some lines, and what it could."""
        saved: list[dict[str, Decimal]] = []
        premium: list[dict[str, Decimal]] = []
        possible: list[dict[str, Decimal]] = []
        unknown = lacking = Decimal(0)
        for line in lines:
            if line["unit"] == "input":
                cached = self._cached_rate(line)
                lacking += line["quantity"] if cached is None else 0
                possible += [] if cached is None else [_difference(line, line["rate"], cached)]
            elif line["unit"].startswith("cache"):
                fresh = self._fresh_rate(line)
                reads = line["unit"].startswith("cache_read")
                unknown += line["quantity"] if fresh is None else 0
                if fresh is not None:
                    (saved if reads else premium).append(
                        _difference(line, fresh, line["rate"])
                        if reads
                        else _difference(line, line["rate"], fresh)
                    )
        reads_saved, wrote = added(saved), added(premium)
        return {
            **money(reads_saved, "read_saving"),
            **money(wrote, "write_premium"),
            **money(less(reads_saved, wrote), "net_saving"),
            **money(added(possible), "possible_saving"),
            "unknown_tokens": int(unknown),
            "possible_unknown_tokens": int(lacking),
        }

    def _fresh_rate(self, line: Row) -> Decimal | None:
        """Give what fresh input cost in the same call; else what it cost beside this very rate elsewhere."""
        if line["input_rate"] is not None:
            return Decimal(line["input_rate"])
        return _only(self._fresh[_place(line, line["rate"])])

    def _cached_rate(self, line: Row) -> Decimal | None:
        found = _only(self._cached[_place(line, line["rate"])[1:]])
        if found is not None or self._cache_rate is None:
            return found
        return self._cache_rate(line["provider"], line["model"], line["rate"])


def _place(line: Row, rate: Decimal) -> tuple[Any, ...]:
    return line["unit"], line["provider"], line["model"], line["currency"], line["per"], rate


def _only(rates: set[Decimal]) -> Decimal | None:
    return next(iter(rates)) if len(rates) == 1 else None


def _difference(line: Row, dearer: Decimal, cheaper: Decimal) -> dict[str, Decimal]:
    amount = multiply(line["quantity"], EXACT.subtract(dearer, cheaper), line["per"])
    return {line["currency"]: amount}
