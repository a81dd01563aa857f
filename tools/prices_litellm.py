"""Reads litellm's price map (MIT) out of its wheel, without installing it -> entries by provider."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.core.providers import provider_id
from outlay.pricing.names import normal
from tools.prices_entry import Entry, PriceRow, clean
from tools.prices_litellm_keys import (
    FAULTS,
    HOMES,
    LEAST,
    LEFT_OUT,
    MILLION,
    ROOTS,
    SPECIAL,
    SUBSCRIPTIONS,
    TARIFFS,
    THOUSAND,
)

_PRICE = re.compile(r"cost|price|pricing|uplift")
_ABOVE = re.compile(r"_above_(\d+)k_tokens")
_TARIFF = re.compile(rf"_({'|'.join(TARIFFS)})(?=$|_above)")
_BY_SIZE = re.compile(r"output_cost_per_image_([0-9.]+K?)$")
_BY_RESOLUTION = re.compile(r"output_cost_per_second_(\d+[pk])$")
_IMAGE_KEY = re.compile(
    r"(?:(low|medium|high|standard|hd|auto)/)?(\d+)-x-(\d+)/(?:(?:\d+|max)-steps/)?([^/]+)"
)
_BEDROCK_KEY = re.compile(r"(?:bedrock(?:_mantle|_converse)?/)?(?:([a-z]{2}(?:-gov)?-[a-z]+-\d)/)?(.+)")
PROFILE = re.compile(r"(us|eu|global|apac|jp|au|ca|in|us-gov)\.(?=[a-z0-9]+\.)")
_SIZED = re.compile(r"\d-x-\d")
_ZONE = re.compile(r"(eu|us|us-gov|global|global-standard)/(.+)")
Found = dict[str, dict[str, Entry]]


def fetch() -> tuple[dict[str, Any], str]:
    """Download the wheel from the package index into a temporary folder; give its map and its version."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*_pip(), "download", "--quiet", "--no-deps", "--disable-pip-version-check", "-d", folder]
        subprocess.run([*command, "litellm"], check=True)  # noqa: S603  the command is made here
        return read_wheel(next(Path(folder).glob("litellm-*.whl")))


def _pip() -> list[str]:
    """Give pip's command: environments that uv builds hold none, but uv can run one."""
    uv = os.environ.get("UV") or shutil.which("uv")
    return [uv, "tool", "run", "pip"] if uv else [sys.executable, "-m", "pip"]


def read_wheel(wheel: Path) -> tuple[dict[str, Any], str]:
    """Read the map out of a wheel; numbers are kept as they are written."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(
            n for n in archive.namelist() if "model_prices_and_context_window" in n and n.endswith(".json")
        )
        return json.loads(archive.read(name), parse_float=Decimal), wheel.name.split("-")[1]


def read(prices: dict[str, Any], version: str, report: list[str]) -> Found:
    """Give every provider's entries; what is left out is counted in the report."""
    found: Found = {}
    skipped: Counter[str] = Counter()
    # A Bedrock id stands before the same model on the mantle endpoint, which is priced by region.
    for key in sorted(prices, key=lambda key: (prices[key].get("litellm_provider") == "bedrock_mantle", key)):
        data = prices[key]
        home = _home(data.get("litellm_provider"))
        if home is None:
            skipped["no provider, or a subscription"] += 1
            continue
        rows = _rows(data, (f"litellm {version}", data.get("source")), key, report)
        name, when = _split(key, home)
        if "size" in when:
            rows[0].rates.update(_by_pixel(when["size"], data))
        if all(not row.rates or not any(row.rates.values()) for row in rows):
            skipped["no price, or all zero (free, subscription or unknown: nobody can tell)"] += 1
            continue
        if name is None:
            skipped["commitments and other keys that are no model"] += 1
            continue
        _add(found.setdefault(home, {}), name, when, rows, data)
    report += [f"litellm: {count} entries left out: {why}" for why, count in sorted(skipped.items())]
    return found


def _home(written: str | None) -> str | None:
    if written is None or written in SUBSCRIPTIONS or " " in written:
        return None
    if written.startswith("vertex_ai"):
        return "vertex"
    return HOMES.get(written) or provider_id(written)


def _split(key: str, home: str) -> tuple[str | None, dict[str, str]]:
    """Take provider, region, deployment, size and quality off a key."""
    if home == "bedrock":
        return _split_bedrock(key)
    name = key
    first, _, rest = name.partition("/")
    if rest and _home(first) == home:
        name = rest
    if home == "azure" and (zone := _ZONE.fullmatch(name)):
        name = zone[2]
        when = {} if zone[1].startswith("global") else {"deployment": zone[1]}
        return name, when
    if image := _IMAGE_KEY.fullmatch(name):
        size = {"size": f"{image[2]}x{image[3]}"}
        return image[4], {**size, "quality": image[1]} if image[1] else size
    if home == "fireworks":
        name = name.removeprefix("accounts/fireworks/models/")
    return name, {}


def _by_pixel(size: str, data: dict[str, Any]) -> dict[str, Decimal]:
    """Turn a price per pixel of a known size into one per image; the source rounds it to six digits."""
    if not isinstance(data.get("input_cost_per_pixel"), Decimal):
        return {}
    width, height = map(int, size.split("x"))
    return {"images": clean((data["input_cost_per_pixel"] * width * height).quantize(Decimal("0.0001")))}


def _split_bedrock(key: str) -> tuple[str | None, dict[str, str]]:
    found = _BEDROCK_KEY.fullmatch(key)
    if found is None or "commitment" in key or _SIZED.search(key):
        return None, {}
    region, name = found[1], found[2]
    when = {"aws_region": region} if region else {}
    if region and "gov" in region:
        when = {"region": "us-gov", "aws_region": region}
    if profile := PROFILE.match(name):
        name, when = name[profile.end() :], {"region": profile[1]}
    return name.removeprefix("invoke/").removeprefix("converse/"), when


def _add(
    entries: dict[str, Entry], name: str, when: dict[str, str], rows: list[PriceRow], data: dict[str, Any]
) -> None:
    entry = next((each for each in entries.values() if normal(each.id) == normal(name)), None) or Entry(name)
    entries.setdefault(entry.id, entry)
    if not when and any(not row.when for row in entry.rows):
        return  # the same model under a second key; the first in order stands
    for row in rows:
        row.when = {**when, **row.when}
    entry.rows += rows
    for fact, key in (("context_window", "max_input_tokens"), ("max_output", "max_output_tokens")):
        if isinstance(data.get(key), int):
            entry.facts.setdefault(fact, data[key])
    if isinstance(data.get("deprecation_date"), str):
        entry.facts.setdefault("deprecated", data["deprecation_date"])
    if data.get("search_free_requests"):
        entry.facts["allowance"] = ["web_search"]
    if data.get("search_context_cost_per_query") and _per_prompt(name, data):
        entry.facts["once"] = ["web_search"]


def _per_prompt(name: str, data: dict[str, Any]) -> bool:
    """Gemini before 3 charges a grounded prompt once, however many queries it made; later ones each query."""
    return data.get("web_search_billing_unit") != "per_query" and name.startswith(("gemini-1", "gemini-2"))


def _rows(
    data: dict[str, Any], source: tuple[str, str | None], key: str, report: list[str]
) -> list[PriceRow]:
    rows: dict[tuple[tuple[str, str], ...], PriceRow] = {}

    def row_of(when: dict[str, str]) -> PriceRow:
        return rows.setdefault(tuple(sorted(when.items())), PriceRow(when=dict(when), source=source))

    row_of({})
    makes_images = (
        data.get("mode") in {"image_generation", "image_edit"} and "output_cost_per_image" not in data
    )
    for name, value in data.items():
        if name in SPECIAL or not _PRICE.search(name) or value is None:
            continue
        if any((key, name) == fault[:2] and value == Decimal(fault[2]) for fault in FAULTS):
            continue
        _place(name, value, row_of, f"{key}: {name}", report, makes_images)
    _specials(data, row_of, f"litellm: {key}", report)
    for row in rows.values():  # a size from which nothing costs more is none
        row.above = {
            size: rates for size, rates in row.above.items() if not rates.items() <= row.rates.items()
        }
    headless = [row for row in rows.values() if row.above and not row.rates]
    report += [f"litellm: {key}: rates above a size alone under {row.when}, left out" for row in headless]
    return [row for row in rows.values() if _says_something(row, rows[()])]


def _says_something(row: PriceRow, base: PriceRow) -> bool:
    """Whether a row is the base, a factor, or has a rate that differs from the base's."""
    differs = any(base.rates.get(unit) != rate for unit, rate in row.rates.items())
    return row is base or row.factor is not None or differs or bool(row.rates and row.above != base.above)


def _place(name: str, value: Any, row_of: Any, where: str, report: list[str], makes_images: bool) -> None:  # noqa: FBT001  one key in its setting
    above = _ABOVE.search(name)
    tariff = _TARIFF.search(name)
    root = _TARIFF.sub("", _ABOVE.sub("", name))
    when = TARIFFS[tariff[1]] if tariff else {}
    if size := _BY_SIZE.fullmatch(root):
        unit, factor, when = "images", Decimal(1), {**when, "size": size[1].lower()}
    elif resolution := _BY_RESOLUTION.fullmatch(root):
        unit, factor, when = "video_seconds", Decimal(1), {**when, "resolution": resolution[1]}
    elif root in ROOTS:
        # For models that make images, what is called the input's price is that of the image made.
        unit, factor = ROOTS[
            "output_cost_per_image" if root == "input_cost_per_image" and makes_images else root
        ]
    else:
        if root not in LEFT_OUT and name not in LEFT_OUT and root != "provider_specific_entry":
            report.append(f"litellm: unknown price key {where}")
        return
    if not isinstance(value, Decimal | int) or isinstance(value, bool) or value < 0:
        report.append(f"litellm: no number {where} = {value!r:.60}")
        return
    if unit.startswith("cache_write") and not value:
        return  # "0" stands where a provider has no such price; a written token is never cheaper than free
    if factor == MILLION and 0 < value <= LEAST:
        report.append(f"litellm: {where} = {value} is no price of tokens, left out")
        return
    amount, row = clean(Decimal(value) * factor), row_of(when)
    if above:
        row.above.setdefault(int(above[1]) * 1000, {})[unit] = amount
    elif root != "input_cost_per_token_cache_hit" or unit not in row.rates:
        row.rates[unit] = amount


def _specials(data: dict[str, Any], row_of: Any, where: str, report: list[str]) -> None:
    mode = data.get("mode")
    seconds = (
        "audio_seconds" if mode in {"audio_transcription", "audio_speech", "realtime"} else "video_seconds"
    )
    for name in ("output_cost_per_second", "input_cost_per_second"):
        if isinstance(data.get(name), Decimal | int) and data[name]:
            row_of({}).rates[seconds] = clean(Decimal(data[name]))
    if isinstance(data.get("input_cost_per_query"), Decimal | int):
        unit = "search_units" if mode == "rerank" else "requests"
        row_of({}).rates[unit] = clean(Decimal(data["input_cost_per_query"]) * THOUSAND)
    _searches(data, row_of)
    _ranges(data.get("tiered_pricing") or [], row_of({}), where, report)
    _hours(data.get("off_peak_pricing"), row_of, where, report)
    _uplifts(data, row_of)


def _searches(data: dict[str, Any], row_of: Any) -> None:
    """Read search fees by context size: Perplexity's are a fee of each request, and small when not said."""
    by_request = data.get("litellm_provider") == "perplexity"
    usual = "low" if by_request else "medium"
    unit = "requests" if by_request and not data.get("citation_cost_per_token") else "web_search"
    for size, fee in (data.get("search_context_cost_per_query") or {}).items():
        name = size.rsplit("_", 1)[1]
        row = row_of({} if name == usual else {"search_context_size": name})
        row.rates[unit] = clean(Decimal(fee) * THOUSAND)


def _ranges(ranges: list[dict[str, Any]], row: PriceRow, where: str, report: list[str]) -> None:
    for each in ranges:
        if "range" not in each:
            report.append(f"{where}: tiered_pricing without range, left out")
            return
        low = int(each["range"][0])
        found: dict[str, Decimal] = {}
        for name, value in each.items():
            if name in ROOTS and isinstance(value, Decimal | int):
                unit, factor = ROOTS[name]
                found[unit] = clean(Decimal(value) * factor)
        if low == 0:
            row.rates.update({unit: rate for unit, rate in found.items() if unit not in row.rates})
        else:
            row.above[low] = found


def _hours(off_peak: dict[str, Any] | None, row_of: Any, where: str, report: list[str]) -> None:
    if not off_peak:
        return
    row = row_of({"off_peak": "windows"})
    row.when = {}
    for name, value in off_peak.items():
        if name in ROOTS:
            row.rates[ROOTS[name][0]] = clean(Decimal(value) * ROOTS[name][1])
        elif name not in {"windows", "weekday_timezone"}:
            report.append(f"{where}: unknown key off_peak_pricing.{name}")
    for window in off_peak["windows"]:
        hours = window["hours_utc"] if isinstance(window["hours_utc"], list) else [window["hours_utc"]]
        row.windows += [
            {"from": span[:5], "to": span[6:], "days": window.get("weekdays", [1, 2, 3, 4, 5, 6, 7])}
            for span in hours
        ]


def _uplifts(data: dict[str, Any], row_of: Any) -> None:
    uplifts = {
        ("geo", zone): data.get(f"regional_processing_uplift_multiplier_{zone}") for zone in ("eu", "us")
    }
    uplifts[("geo", "fedramp")] = data.get("fedramp_uplift_multiplier")
    uplifts[("endpoint", "regional")] = data.get("regional_endpoint_uplift_multiplier")
    specific = data.get("provider_specific_entry") or {}
    if data.get("litellm_provider") == "anthropic":
        uplifts[("geo", "us")] = specific.get("us")
        uplifts[("speed", "fast")] = specific.get("fast")
    for (name, value), factor in uplifts.items():
        if isinstance(factor, Decimal | int):
            row = row_of({name: value, "uplift": "yes"})
            row.when, row.factor = {name: value}, Decimal(factor)
