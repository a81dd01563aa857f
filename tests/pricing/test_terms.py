"""Terms of a call in the words of the book."""

import pytest

from outlay.pricing.terms import normal_terms


@pytest.mark.parametrize(
    ("provider", "terms", "said"),
    [
        ("bedrock", {"region": "us-gov-west-1"}, {"region": "us-gov", "aws_region": "us-gov-west-1"}),
        ("bedrock", {"region": "eu-central-1"}, {"aws_region": "eu-central-1"}),
        ("bedrock", {"region": "eu"}, {"region": "eu"}),
        ("vertex", {"region": "global"}, {"endpoint": "global"}),
        ("vertex", {"region": "europe-west4"}, {"endpoint": "regional"}),
        ("bedrock", {"latency": "Optimized"}, {"latency": "optimized"}),
        ("bedrock", {"latency": "standard"}, {}),
        ("anthropic", {"fallback_credit": "redeemed"}, {"fallback_credit": "redeemed"}),
        ("anthropic", {"fallback_credit": "expired"}, {}),
        ("openai", {"batch": "yes"}, {"batch": "true"}),
        ("openai", {"batch": "false"}, {}),
        ("openai", {"service_tier": "batch"}, {"batch": "true"}),
        ("openai", {"processing": "batch"}, {"batch": "true"}),
        ("openai", {"service_tier": "Fast"}, {"service_tier": "priority"}),
        ("anthropic", {"service_tier": "fast"}, {"service_tier": "fast"}),
        ("vertex", {"traffic_type": "ON_DEMAND_FLEX"}, {"service_tier": "flex"}),
        ("vertex", {"service_tier": "default", "traffic_type": "ON_DEMAND_FLEX"}, {}),
        ("anthropic", {"geo": "us", "inference_geo": "eu"}, {"geo": "us"}),
        ("anthropic", {"inference_geo": "not_available"}, {}),
    ],
)
def test_terms_in_the_words_of_the_book(provider: str, terms: dict[str, str], said: dict[str, str]) -> None:
    assert normal_terms(provider, terms) == said


@pytest.mark.parametrize(
    ("region", "geography"),
    [
        ("ap-northeast-1", "jp"),
        ("ap-southeast-2", "au"),
        ("ap-south-1", "apac"),
        ("us-east-1", "us"),
        ("eu-west-1", "eu"),
    ],
)
def test_bedrocks_mantle_serves_at_the_price_of_its_geography(region: str, geography: str) -> None:
    said = normal_terms("bedrock", {"region": region, "endpoint": "mantle"})
    assert (said["aws_region"], said["region"]) == (region, geography)
