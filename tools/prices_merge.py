"""Merges the sources: genai-prices first, litellm for what is missing; clouds the other way round."""

import re
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal

from outlay.pricing.names import normal, undated
from tools.prices_entry import AS_OF, Entry, PriceRow

# On Bedrock genai-prices takes bare ids for regional ones and knows neither us-gov nor eu and apac prices.
LITELLM_FIRST = {"bedrock"}
PROFILES = ("us", "eu", "apac", "jp", "au", "ca")
_VERSION = re.compile(r"-v\d+(:\d+)?$")
_TARIFFS = {"service_tier", "batch", "speed"}
_MOST_DIFFER = Decimal("0.001")
Found = dict[str, dict[str, Entry]]


def merge(genai: Found, litellm: Found, report: list[str]) -> Found:
    """Give one entry a model and provider, with its differences reported."""
    merged: Found = {}
    _vertex_from_google(genai)
    for home in sorted({*genai, *litellm}):
        first, second = genai.get(home, {}), litellm.get(home, {})
        if home in LITELLM_FIRST:
            merged[home] = _bedrock(first, second)
        else:
            merged[home] = _merge(home, first, second, report)
    _known_dates(merged, {normal(name.rpartition("/")[2]) for found in litellm.values() for name in found})
    return merged


def _vertex_from_google(genai: Found) -> None:
    """Move Claude on Vertex, which genai-prices keeps under Google, to where it is sold."""
    google = genai["google"]
    vertex = genai.setdefault("vertex", {})
    for key in [key for key in google if "claude" in key]:
        vertex[key] = google.pop(key)


def _merge(
    home: str, first: dict[str, Entry], second: dict[str, Entry], report: list[str]
) -> dict[str, Entry]:
    entries = {key: deepcopy(entry) for key, entry in first.items()}
    index = {normal(name): key for key, entry in entries.items() for name in entry.names}
    index.update({normal(key): key for key in entries})
    for key, other in second.items():
        known = index.get(normal(key)) or _dated_twin(index, entries, key, other)
        if known is None:
            entries[key] = deepcopy(other)
        elif normal(known) == normal(key) or _same_but_date(known, key):
            _supplement(entries[known], other, f"{home}/{key}", report)
        else:  # an alias there, a model of its own here: it gets its own entry at the known price
            own = Entry(key, rows=deepcopy(entries[known].rows), facts=dict(entries[known].facts))
            entries[known].names = {name for name in entries[known].names if normal(name) != normal(key)}
            _supplement(own, other, f"{home}/{key}", report)
            entries[key] = own
    return entries


def _dated_twin(index: dict[str, str], entries: dict[str, Entry], key: str, other: Entry) -> str | None:
    """Give the model of which this is a dated id, if it costs the same; the id becomes one of its names."""
    split = undated(normal(key))
    twin = index.get(split[0]) if split else None
    mine, theirs = entries[twin].standard() if twin else None, other.standard()
    if twin is None or mine is None or theirs is None:
        return None
    if any(_differ(mine.rates.get(unit), theirs.rates.get(unit)) for unit in ("input", "output")):
        return None
    entries[twin].names.add(key)
    return twin


def _same_but_date(one: str, other: str) -> bool:
    def stem(name: str) -> str:
        split = undated(normal(name))
        return split[0] if split else normal(name)

    return stem(one) == stem(other)


def _supplement(entry: Entry, other: Entry, where: str, report: list[str]) -> None:
    """Add facts always; rates, tariffs and factors only where both agree on the price itself."""
    entry.facts = {**other.facts, **entry.facts}
    mine, theirs = entry.standard(), other.standard()
    if mine is None or theirs is None:
        entry.rows += deepcopy(other.rows) if mine is None else []
        return
    differing = [
        unit for unit in ("input", "output") if _differ(mine.rates.get(unit), _same_unit(theirs, unit))
    ]
    entry.rows += [
        deepcopy(row) for row in other.rows if row.factor is not None and not _answered(entry, row)
    ]
    if differing:
        said = ", ".join(f"{unit} {mine.rates.get(unit)} : {theirs.rates.get(unit)}" for unit in differing)
        report.append(f"disagree: {where}: {said}")
        return
    if where.startswith("perplexity/") and "requests" in theirs.rates:
        del mine.rates["requests"]  # the fee of the largest search context there; by size here
    for row in other.rows:
        if row.factor is None:
            _add_row(entry, mine, row)


def _same_unit(theirs: PriceRow, unit: str) -> Decimal | None:
    """Give the rate to compare with; models that make images have theirs under the image here."""
    return theirs.rates.get(unit, theirs.rates.get(f"{unit}_image"))


def _answered(entry: Entry, factor: PriceRow) -> bool:
    """Whether rates of its own, or the same factor from another key, answer a factor's terms already."""
    return any(row.when == factor.when for row in entry.rows)


def _differ(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return bool(one or other)
    return abs(one - other) > _MOST_DIFFER * max(one, other)


def _add_row(entry: Entry, mine: PriceRow, row: PriceRow) -> None:
    """Fill what the same row lacks, or add the row for as long as the standard price holds."""
    same = [
        each
        for each in entry.rows
        if each.when == row.when and each.windows == row.windows and not each.end and each.factor is None
    ]
    if same:
        target = max(same, key=lambda each: each.start or "")
        for unit, rate in row.rates.items():
            target.rates.setdefault(unit, rate)
        return
    if row.windows:
        return
    added = deepcopy(row)
    added.start = mine.start
    entry.rows.append(added)


def _bedrock(first: dict[str, Entry], second: dict[str, Entry]) -> dict[str, Entry]:
    entries = {key: deepcopy(entry) for key, entry in second.items()}
    index = {normal(key): key for key in entries}
    for key, entry in first.items():
        place, _, name = key.partition(".")
        if place not in {"global", "regional"}:
            place, name = "", key
        own = entries.setdefault(_known(index, name), Entry(name))
        own.names |= {name} - {own.id}
        index[normal(own.id)] = own.id
        _add_profiles(own, deepcopy(entry.rows), place)
        _add_history(own, entry, place)
    claims: dict[str, list[Entry]] = {}
    for entry in entries.values():
        _without_repeats(entry)
        entry.names |= _bare_names(entry.id)
        for name in entry.names:
            claims.setdefault(normal(name), []).append(entry)
    for name, claimed in claims.items():
        rows = [row for each in claimed if (row := each.standard())]
        prices = {(row.rates.get("input"), row.rates.get("output"), row.rates.get("images")) for row in rows}
        if len(prices) > 1:  # short for two models that cost differently: short for neither
            for each in claimed:
                each.names = {own for own in each.names if normal(own) != name}
    return entries


def _known(index: dict[str, str], name: str) -> str:
    """Give the id under which litellm has a model: newer ids have no version there, and one here."""
    unversioned = _VERSION.sub("", normal(name))
    return index.get(normal(name)) or index.get(unversioned) or name


def _add_profiles(own: Entry, rows: list[PriceRow], place: str) -> None:
    """Fill in what litellm does not list: the base price, and the profiles of other places."""
    from_here = all(row.source[0].startswith("genai") for row in own.rows)
    if all("region" in row.when or "aws_region" in row.when for row in own.rows) or (
        from_here and place != "regional"
    ):
        own.rows += deepcopy(rows)
        return
    if place == "regional" and (from_here or _one_price_everywhere(own, rows)):
        listed = {row.when["region"] for row in own.rows if "region" in row.when}
        for region in [each for each in PROFILES if each not in listed]:
            for row in deepcopy(rows):
                row.when = {**row.when, "region": region}
                own.rows.append(row)


def _one_price_everywhere(own: Entry, rows: list[PriceRow]) -> bool:
    """Whether all geographies that litellm lists have one price, and it is genai-prices' regional one."""
    listed = [row for row in own.rows if set(row.when) == {"region"} and row.when["region"] in PROFILES]
    regional = [row for row in rows if not row.when and not row.end]
    return bool(listed) and all(
        not _differ(row.rates.get(unit), each.rates.get(unit))
        for row in listed
        for each in regional
        for unit in ("input", "output", "cache_read")
    )


def _add_history(own: Entry, entry: Entry, place: str) -> None:
    """Put what a price was, which only the first source knows, before litellm's undated row of today."""
    older = [
        row for row in entry.rows if not row.when and not row.windows and row.end and row.end[:10] <= AS_OF
    ]
    latest = entry.standard()
    if not older or latest is None:
        return
    for row in list(own.rows):
        region = row.when.get("region", "")
        if row.start or row.factor is not None or (region not in {"", "global"}) != (place == "regional"):
            continue
        if region == "us-gov" or "aws_region" in row.when:
            continue
        same = not _differ(row.rates.get("input"), latest.rates.get("input"))
        if not _TARIFFS.isdisjoint(row.when) or same:
            row.start = latest.start
        if same and _TARIFFS.isdisjoint(row.when):
            own.rows += [replace(deepcopy(each), when=dict(row.when)) for each in older]


def _without_repeats(entry: Entry) -> None:
    """Leave out places, and second words on the same place, that have the same price.

    Where some geography has a price of its own, all that are known stay: what is then not there is not known.
    """
    base = {_key(row, without=True): (row.rates, row.above) for row in entry.rows if "region" not in row.when}
    differing = {
        row.when["region"]
        for row in entry.rows
        if "region" in row.when and base.get(_key(row, without=True)) != (row.rates, row.above)
    }
    if not differing - {"us-gov"}:
        entry.rows = [row for row in entry.rows if row.when.get("region") in {None, *differing}]
    _one_government(entry)


def _one_government(entry: Entry) -> None:
    """Make one row of the government regions' that agree; of several words on one of them the last counts."""
    groups: dict[tuple[object, ...], list[PriceRow]] = {}
    for row in entry.rows:
        plain = {name: value for name, value in row.when.items() if name != "aws_region"}
        where = plain if row.when.get("region") == "us-gov" else row.when
        key = (tuple(sorted(where.items())), row.start, row.end, row.factor, str(row.windows))
        groups.setdefault(key, []).append(row)
    entry.rows = []
    for rows in groups.values():
        whole = {unit: rate for row in rows for unit, rate in row.rates.items()}
        if all(whole.items() >= row.rates.items() and row.above == rows[0].above for row in rows):
            row = rows[-1]
            row.rates = whole
            if row.when.get("region") == "us-gov":
                row.when.pop("aws_region", None)
            entry.rows.append(row)
        else:
            entry.rows += {tuple(sorted(row.when.items())): row for row in rows}.values()


def _key(row: PriceRow, *, without: bool) -> tuple[object, ...]:
    when = {name: value for name, value in row.when.items() if not (without and name == "region")}
    return tuple(sorted(when.items())), row.start, row.end, row.factor


def _bare_names(key: str) -> set[str]:
    """Give what people write in place of ``anthropic.claude-sonnet-4-5-20250929-v1:0``."""
    head = key.partition(":")[0]
    stem, _, tail = head.rpartition("-v")
    unversioned = stem if stem and tail.isdigit() else head
    names = {head, unversioned}
    for name in list(names):
        split = undated(normal(name))
        names |= {split[0]} if split else set()
    names |= {
        name.split(".", 1)[1] for name in names if "." in name and not name.split(".", 1)[0][-1].isdigit()
    }
    return names - {key}


def _known_dates(merged: Found, listed: set[str]) -> None:
    """Name the dated ids that any list holds, so that they are known and not guessed."""
    dated = [(name, split[0]) for name in sorted(listed) if (split := undated(name))]
    dated += [(name.removesuffix("-v1:0").removesuffix("-v2:0"), stem) for name, stem in dated]
    for home in ("anthropic", "openai", "google", "vertex"):
        entries = merged.get(home, {})
        taken = {normal(name): key for key, entry in entries.items() for name in (key, *entry.names)}
        for name, stem in dated:
            bare, base = name.rpartition(".")[2], stem.rpartition(".")[2]
            base = base.partition("-v")[0] if base.endswith((":0", "-v1", "-v2")) else base
            if base in taken and bare not in taken:
                entries[taken[base]].names.add(bare)
                taken[bare] = taken[base]
