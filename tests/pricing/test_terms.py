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
    ],
)
def test_terms_in_the_words_of_the_book(provider: str, terms: dict[str, str], said: dict[str, str]) -> None:
    assert normal_terms(provider, terms) == said
