"""Reads genai-prices (MIT): models with dated prices, tiers and tariffs -> entries by provider."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from genai_prices import types
from genai_prices.data import providers

from outlay.core.providers import provider_id
from tools.prices_entry import Entry, PriceRow, Rates

UNITS = {
    "input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write", "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio", "cache_audio_read_mtok": "cache_read_audio",
    "input_image_mtok": "input_image", "output_image_mtok": "output_image",
    "cache_image_read_mtok": "cache_read_image", "input_video_mtok": "input_video",
    "output_video_mtok": "output_video", "output_reasoning_mtok": "reasoning",
    "output_citation_mtok": "citation_tokens", "web_searches_kcount": "web_search",
    "storage_searches_kcount": "file_search", "social_searches_kcount": "x_search",
    "code_executions_kcount": "code_execution", "requests_kcount": "requests",
    "rerank_searches_kcount": "search_units", "audio_hours": "audio_seconds",
    "input_audio_hours": "audio_seconds", "input_document_kpages": "pages",
    "input_annotated_document_kpages": "annotated_pages", "input_mchars": "characters",
    "input_text_messages_kcount": "text_messages",
}  # fmt: skip
SECONDS = 3600
# Tariffs carry the day on which they were first written down there, not the day from which they hold.
WRITTEN_DOWN = (dt.date(2026, 10, 10), dt.date(2026, 10, 16))
SKIPPED = {"openai-decisions", "typesafe", "quicksilverpro"}  # not about models of language, or unverifiable
_PARTIAL_DATE = re.compile(r"-20\d{0,2}$")
Found = dict[str, dict[str, Entry]]
Variants = dict[tuple[tuple[str, str], ...], list[types.PriceVariant]]


def read(report: list[str]) -> Found:
    """Give every provider's entries; what cannot be carried over goes to the report."""
    found: Found = {}
    for provider in providers:
        if provider.id in SKIPPED:
            continue
        home = provider_id(provider.id) or provider.id
        source = (f"genai-prices {version('genai-prices')}", next(iter(provider.pricing_urls or ()), None))
        for model in provider.models:
            entry = Entry(model.id, names=set(_names(model.match)) - {model.id})
            entry.rows = list(_rows(model, source, report))
            if model.id.endswith(":free"):
                entry.rows = [PriceRow(rates={"input": Decimal(0), "output": Decimal(0)}, source=source)]
            if model.context_window:
                entry.facts["context_window"] = model.context_window
            if entry.rows:
                found.setdefault(home, {})[model.id] = entry
    return found


def _names(clause: Any) -> Iterator[str]:
    if isinstance(clause, types.ClauseEquals):
        yield clause.equals
    elif isinstance(clause, types.ClauseStartsWith):
        name = clause.starts_with
        if name[-1].isalnum() and not _PARTIAL_DATE.search(name) and not name.startswith("ft:"):
            yield name
    elif isinstance(clause, types.ClauseOr):
        for each in clause.or_:
            yield from _names(each)
    elif isinstance(clause, types.ClauseAnd):
        for each in clause.and_:
            yield from _names(each)


def _rows(model: types.ModelInfo, source: tuple[str, str | None], report: list[str]) -> Iterator[PriceRow]:
    listed = model.prices if isinstance(model.prices, list) else [types.ConditionalPrice(prices=model.prices)]
    dated: list[tuple[str | None, types.ModelPrice]] = []
    for each in listed:
        if isinstance(each.constraint, types.TimeOfDateConstraint):
            row = _row(each.prices, source, report, model.id)
            row.windows = [{"from": _hour(each.constraint.start_time), "to": _hour(each.constraint.end_time)}]
            yield row
        else:
            dated.append((_start(each.constraint), each.prices))
    yield from _dated(dated, {}, source, report, model.id)
    starts = [start for start, _ in dated]
    for when, variants in _by_when(model.price_variants or ()).items():
        spans = [(_since(each.constraint, starts), each.prices) for each in variants if each.prices.__dict__]
        yield from _dated(spans, dict(when), source, report, model.id)


def _by_when(variants: Iterable[types.PriceVariant]) -> Variants:
    grouped: Variants = {}
    for each in variants:
        when = {
            ("batch" if k == "processing" else k): ("true" if k == "processing" else v)
            for k, v in each.when.items()
        }
        if when.get("service_tier") not in ("default", "fast"):  # fast is priority by another name
            grouped.setdefault(tuple(sorted(when.items())), []).append(each)
    return grouped


def _since(constraint: Any, starts: list[str | None]) -> str | None:
    """Give the instant from which a tariff holds: as long as the standard price it was seen beside."""
    if constraint is None:
        return None
    if not WRITTEN_DOWN[0] <= constraint.start_date <= WRITTEN_DOWN[1]:
        return _start(constraint)
    limit = constraint.start_date.isoformat()
    return max((start for start in starts if start is not None and start[:10] <= limit), default=None)


def _dated(
    spans: list[tuple[str | None, types.ModelPrice]],
    when: dict[str, str],
    source: tuple[str, str | None],
    report: list[str],
    name: str,
) -> Iterator[PriceRow]:
    ordered = sorted(spans, key=lambda span: span[0] or "")
    ends = [*(start for start, _ in ordered[1:]), None]
    for (start, prices), end in zip(ordered, ends, strict=False):
        row = _row(prices, source, report, name)
        row.start, row.end, row.when = start, end, dict(when)
        if row.rates and (row.end is None or row.start != row.end):
            yield row


def _row(prices: types.ModelPrice, source: tuple[str, str | None], report: list[str], name: str) -> PriceRow:
    row = PriceRow(source=source)
    for key, value in prices.__dict__.items():
        if value is None:
            continue
        unit = UNITS.get(key)
        if unit is None:
            report.append(f"genai-prices: unknown price key {key} of {name}")
            continue
        base = value.base if isinstance(value, types.TieredPrices) else value
        row.rates[unit] = _amount(key, base)
        for tier in value.tiers if isinstance(value, types.TieredPrices) else ():
            # xAI charges the higher rate from 200,000 on; there it is written as "above 199,999".
            row.at_least = tier.start % 1000 == 999  # noqa: PLR2004  the nines
            above: Rates = row.above.setdefault(tier.start + row.at_least, {})
            above[unit] = _amount(key, tier.price)
    return row


def _amount(key: str, amount: Decimal) -> Decimal:
    if not key.endswith("_hours"):
        return amount
    return (amount / SECONDS).quantize(Decimal("1e-18")).normalize() if amount else amount


def _start(constraint: Any) -> str | None:
    return None if constraint is None else f"{constraint.start_date.isoformat()}T00:00:00Z"


def _hour(moment: dt.time) -> str:
    return moment.strftime("%H:%M")
