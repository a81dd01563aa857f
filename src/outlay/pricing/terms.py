"""Billing terms: what providers say about tier, batch and place, brought into the words of the book."""

import re
from collections.abc import Iterable, Mapping

from outlay.core.usage import Term

# Each asks for rates of its own; where there are none, that is flagged.
TARIFFS = ("service_tier", "batch", "speed", "latency", "fallback_credit")
PLACES = frozenset({"region", "aws_region", "endpoint", "deployment"})  # a price of one holds in no other
_STANDARD = frozenset(
    {
        "", "standard", "default", "auto", "on_demand", "standard_only", "none", "null", "normal",
        "unspecified",
        "traffic_type_unspecified", "service_tier_unspecified",
    }
)  # fmt: skip
_TIERS = {
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
    "provisioned_throughput": "provisioned",
    "reserved": "provisioned",
    "ptu": "provisioned",
}
PROVISIONING = frozenset({"vertex", "google", "azure", "bedrock", "openai"})
_PROVISIONED = frozenset({"provisioned_throughput", "provisioned", "ptu", "reserved"})
_NOWHERE = frozenset({"", "global", "not_available", "none", "null"})
_AWS_REGION = re.compile(r"[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d")
_GEOGRAPHIES = {
    **dict.fromkeys(("ap-northeast-1", "ap-northeast-3"), "jp"),
    **dict.fromkeys(("ap-southeast-2", "ap-southeast-4", "ap-southeast-6"), "au"),
    "ap-": "apac",
}
_YES = frozenset({"true", "1", "yes", "on"})
# OpenAI answers "priority" to a request for "fast": one tariff under two names.
_FAST_IS_PRIORITY = frozenset({"openai", "azure"})
MONTH_INPUT, MONTH_OUTPUT = "month_input_tokens", "month_output_tokens"


def normal_terms(provider: str, terms: Mapping[str, str]) -> dict[str, str]:
    """Bring terms into the book's words: lower case, standard values left out, synonyms made one."""
    given = {str(name).lower(): str(value).strip().lower() for name, value in terms.items()}
    result = {name: value for name, value in given.items() if name not in _READ and value}
    tier = given.get("service_tier", given.get("traffic_type", ""))
    tier = _TIERS.get(tier, tier)
    if tier == "fast" and provider in _FAST_IS_PRIORITY:
        tier = "priority"
    if given.get("batch", "") in _YES or tier == "batch" or given.get("processing") == "batch":
        result["batch"] = "true"
    if tier not in _STANDARD and tier != "batch":
        result["service_tier"] = tier
    if given.get("speed", "") not in _STANDARD:
        result["speed"] = given["speed"]
    geo = given.get("geo", given.get("inference_geo", ""))
    if geo not in _NOWHERE:
        result["geo"] = geo
    if given.get("latency", "") not in _STANDARD:
        result["latency"] = given["latency"]
    if given.get("fallback_credit") == "redeemed":
        result["fallback_credit"] = "redeemed"
    return {**result, **_place(provider, given.get("region", ""), given.get("endpoint"))}


def is_provisioned(terms: Iterable[Term]) -> bool:
    """Whether terms say that the call was served by throughput that is paid by the hour."""
    return any(str(value).lower() in _PROVISIONED for _, value in terms)


def _place(provider: str, region: str, endpoint: str | None) -> dict[str, str]:
    """Tell Vertex's endpoints, Bedrock's profiles and AWS regions apart.

    The mantle endpoint serves a model without a profile in its own region, at the price of that geography.
    Source: docs.aws.amazon.com/bedrock/latest/userguide/models-region-compatibility.html (in-Region,
    geographic, global); AWS's price list has both at the same rates, a tenth over global ones.
    """
    if not region:
        return {}
    if provider == "vertex":
        return {"endpoint": "global" if region == "global" else "regional"}
    if provider == "bedrock" and _AWS_REGION.fullmatch(region):
        if region.startswith("us-gov-"):
            return {"region": "us-gov", "aws_region": region}
        return {"aws_region": region, **({"region": _geography(region)} if endpoint == "mantle" else {})}
    return {"region": region}


def _geography(region: str) -> str:
    """Give the geography of an AWS region, as profiles name it."""
    return _GEOGRAPHIES.get(region) or _GEOGRAPHIES.get(region[:3], region[:2])


_READ = frozenset(
    {
        "service_tier",
        "traffic_type",
        "batch",
        "processing",
        "speed",
        "geo",
        "inference_geo",
        "region",
        "latency",
        "fallback_credit",
    }
)


def label(term: Term) -> str:
    """Say a term in the words of a cost line: ``batch``, ``priority``, ``region eu``."""
    name, value = term
    if name == "batch":
        return "batch"
    return value if name == "service_tier" else f"{name} {value}"
