"""Names: one normal form for every spelling of a model, never a guess by prefix or substring.

A name is known if its normal form stands in the book, or if it is a known name with a date that nobody lists,
which is flagged. Regions, deployments and routes in a name become billing terms.
"""

import re
from dataclasses import dataclass
from datetime import date

from outlay.core.providers import WRITTEN, provider_id
from outlay.core.usage import Term

MAX_NAME = 256  # longer names are no models; they are never looked up nor kept
_DASHED_DATE = re.compile(r"-(20\d\d)-(\d\d)-(\d\d)(?=$|[-:])")
_DATE = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?=$|-v\d)")
_EDITION = re.compile(r"-(?:\d\d-\d\d|\d\d-20\d\d)$|-exp$")
_REVISION = re.compile(r"(?<=[a-z])-00\d$")
_DOTTED = re.compile(r"(?<=\d)\.(?=\d)")
_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:([a-z0-9-]*):\d*:([a-z-]+)/(.+)")
_PROFILE = re.compile(r"(us|eu|global|apac|jp|au|ca|in|sa|me|us-gov)\.(?=[a-z0-9]+\.)")
_REGIONED = re.compile(r"([a-z]{2}(?:-gov)?-[a-z]+-\d)/(?=[a-z0-9]+\.)")
_PUBLISHER = re.compile(r"(?:projects/[^/]+/locations/([^/]+)/)?publishers/[^/]+/models/(.+)")
_ROUTES = frozenset({"nitro", "floor", "online", "exacto", "beta", "extended"})
_FIREWORKS = "accounts/fireworks/models/"
_CONTEXT = re.compile(r"\[1m\]$")
_VERSION = re.compile(r"(-v\d+)?:\d+$|-v\d+$")
_LATER = re.compile(r":[1-9]\d*$")
_OTHER = re.compile(r"-v(?!1(?:$|:))\d+(:\d+)?$|:[1-9]\d*$")  # than the version that an id without one means
GUESSED = "guessed"  # the flag of a price whose model is named by another date, edition or version
_AZURE_ZONES = frozenset({"eu", "us", "us-gov", "global", "global-standard"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name: where to look, under which normal form, and what the name says besides."""

    provider: str | None
    name: str
    terms: tuple[Term, ...] = ()
    flags: tuple[str, ...] = ()
    dead_end: str | None = None  # a reason: nothing further may be tried


def normal(name: str) -> str:
    """Give the normal form: lower case, compact dates, a dash for ``@`` and for the dot in a version."""
    lowered = name.strip().lower().removesuffix("@default").replace("@", "-")
    if "-20" in lowered:
        lowered = _DASHED_DATE.sub(r"-\1\2\3", lowered)
    return _DOTTED.sub("-", lowered) if "." in lowered else lowered


def undated(name: str) -> tuple[str, date] | None:
    """Split a normal form that ends in a date (before a version) into the rest and the date.

    A preview's month and day and ``-exp`` name no year; they count as dates of the distant past.
    """
    found = _DATE.search(name)
    if found is None:
        edition = _EDITION.search(name)
        return (name[: edition.start()], date.min) if edition else None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return name[: found.start()] + name[found.end() :], day


def readings(provider: str | None, model: str) -> list[Reading]:
    """Give every way to read a model's name, most literal first."""
    home = provider_id(provider)
    text = model.strip().lower()
    if found := _ARN.fullmatch(text):
        return _arn(found[1], found[2], found[3])
    text = _CONTEXT.sub("", text)
    found_all = [Reading(home, text)]
    if shortened := _shortened(home, text):
        # Without a provider, "openai/gpt-4o" means OpenAI's model before any reseller's of that id.
        found_all.insert(len(found_all) if home else 0, shortened)
    last = shortened or found_all[0]
    if last.name.startswith("ft:"):
        found_all.append(Reading(last.provider, ":".join(last.name.split(":")[:2])))
    if last.provider in {"bedrock", None}:
        found_all += _bedrock(last.name)
    if last.provider in {"google", "vertex", None} and (stem := _REVISION.sub("", last.name)) != last.name:
        # gemini-2.0-flash-001 is what gemini-2.0-flash names; a later revision has had another price before.
        found_all.append(Reading(last.provider, stem, flags=() if last.name.endswith("-001") else (GUESSED,)))
    if last.provider == "openrouter":
        found_all += _routed(last.name)
    if last.provider == "azure":
        found_all += _zoned(last.name)
    if last.provider == "fireworks" and (bare := last.name.removeprefix(_FIREWORKS)) != last.name:
        found_all.append(Reading("fireworks", bare))
    if last.provider == "huggingface" and (route := last.name.rpartition(":"))[0]:
        found_all.append(Reading(f"huggingface_{route[2]}", route[0]))  # the router's model:host
    return found_all


def _shortened(home: str | None, text: str) -> Reading | None:
    """Take off what only says where the model lives: ``models/``, ``openai/``, ``publishers/…/models/``."""
    if found := _PUBLISHER.fullmatch(text):
        terms: tuple[Term, ...] = (("region", found[1]),) if found[1] else ()
        return Reading(home or "vertex", found[2], terms)
    name = text
    for prefix in ("models/", "tunedmodels/"):
        name = name.removeprefix(prefix)
    while "/" in name:
        first, rest = name.split("/", 1)
        named = WRITTEN.get(first)
        if first not in {"litellm", "litellm_proxy", "converse", "invoke", "responses"} and (
            named is None or (home is not None and named != home)
        ):
            break
        home = home if named is None else named
        name = rest
    return None if name == text else Reading(home, name)


def _arn(region: str, kind: str, rest: str) -> list[Reading]:
    if kind in {"foundation-model", "inference-profile"}:
        place: tuple[Term, ...] = (("region", region),) if region else ()
        return [Reading("bedrock", rest, place), *_bedrock(rest, place)]
    reason = f"the {kind} ARN hides its model; map it with an alias in your prices"
    return [Reading("bedrock", f"{kind}/{rest}", dead_end=reason)]


def _bedrock(name: str, terms: tuple[Term, ...] = ()) -> list[Reading]:
    """Read a Bedrock id: its profile is a term; what has no version means the first, others are guesses."""
    found: list[Reading] = []
    if place := _REGIONED.match(name):  # as LiteLLM writes where it serves
        terms, name = (("region", place[1]),), name[place.end() :]
        found.append(Reading("bedrock", name, terms))
    if profile := _PROFILE.match(name):
        terms, name = (("region", profile[1]),), name[profile.end() :]
        found.append(Reading("bedrock", name, terms))
    shorter = ((re.sub(r":\d+$", "", name), _LATER), (_VERSION.sub("", name), _OTHER))
    return found + [
        Reading("bedrock", bare, terms, (GUESSED,) if guess.search(name) else ())
        for bare, guess in shorter
        if bare != name
    ]


def _routed(name: str) -> list[Reading]:
    """Read OpenRouter's ``model:route``: free is a price of its own, others choose among hosts."""
    base, _, route = name.rpartition(":")
    if not base:
        return []
    if route == "free":
        return [Reading("openrouter", name, (("route", "free"),))]
    if route == "online":
        return [Reading("openrouter", base, (), ("fee_unknown",))]
    return [Reading("openrouter", base)] if route in _ROUTES else []


def _zoned(name: str) -> list[Reading]:
    zone, _, rest = name.partition("/")
    if zone not in _AZURE_ZONES or not rest:
        return []
    return [Reading("azure", rest, () if zone.startswith("global") else (("deployment", zone),))]
