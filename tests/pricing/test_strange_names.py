"""Names as strangers spell them: each is exact, dated, listed, or unpriced; none inherits silently."""

from datetime import UTC, datetime

import pytest

from outlay.pricing import Book, RateCard, Unpriced

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LISTED: list[tuple[str | None, str, str]] = [
    (None, "openai/gpt-4o", "openai/gpt-4o"),
    ("openai", "gpt-4o", "openai/gpt-4o"),
    ("openai", "GPT-4O", "openai/gpt-4o"),
    ("openai", " gpt-4o ", "openai/gpt-4o"),
    ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06"),
    ("openai", "gpt-4o-20240806", "openai/gpt-4o-2024-08-06"),
    ("openai", "chatgpt-4o-latest", "openai/chatgpt-4o-latest"),
    ("openai", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"),
    ("openai", "gpt-5", "openai/gpt-5"),
    ("openai", "gpt-5-nano-2025-08-07", "openai/gpt-5-nano"),
    ("openai", "gpt-5-codex", "openai/gpt-5-codex"),
    ("openai", "ft:gpt-4o-2024-08-06:org::id", "openai/ft:gpt-4o"),
    ("openai", "ft:gpt-4o-mini-2024-07-18:org:suffix:id", "openai/ft:gpt-4o-mini"),
    (None, "openai/openai/gpt-4o", "openai/gpt-4o"),
    (None, "azure/gpt-4o", "azure/gpt-4o"),
    ("azure", "gpt-4o", "azure/gpt-4o"),
    ("vertex", "claude-sonnet-4-5@20250929", "vertex/claude-sonnet-4-5"),
    ("vertex", "claude-sonnet-4-5@default", "vertex/claude-sonnet-4-5"),
    ("anthropic", "claude-sonnet-4-5-20250929[1m]", "anthropic/claude-sonnet-4-5"),
    ("anthropic", "claude-opus-4-6[1m]", "anthropic/claude-opus-4-6"),
    ("anthropic", "claude-3-5-sonnet-latest", "anthropic/claude-3-5-sonnet"),
    ("bedrock", "us-east-1/amazon.nova-2-5-sonic", "bedrock/amazon.nova-2-5-sonic"),  # which has no version
    (
        "bedrock",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    (
        "bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    (
        None,
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    (
        "bedrock",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        "bedrock/anthropic.claude-3-haiku-20240307-v1:0",
    ),
    (
        "bedrock",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    (
        "bedrock",
        "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        "bedrock/anthropic.claude-3-haiku-20240307-v1:0",
    ),
    ("vertex", "publishers/google/models/gemini-2.5-pro", "vertex/gemini-2.5-pro"),
    (
        "vertex",
        "projects/p/locations/europe-west1/publishers/anthropic/models/claude-opus-4-6",
        "vertex/claude-opus-4-6",
    ),
    ("google", "models/gemini-2.5-pro", "google/gemini-2.5-pro"),
    ("google", "gemini-flash-latest", "google/gemini-flash-latest"),
    ("openrouter", "openai/gpt-4o:free", "openrouter/openai/gpt-4o:free"),
    ("openrouter", "deepseek/deepseek-r1:free", "openrouter/deepseek/deepseek-r1:free"),
    ("openrouter", "nobody/nothing:free", "openrouter/nobody/nothing:free"),
    ("openrouter", "openai/gpt-4o:nitro", "openrouter/openai/gpt-4o"),
    ("openrouter", "openai/gpt-4o:online", "openrouter/openai/gpt-4o"),
    ("openrouter", "openai/gpt-4o:batch", "openrouter/openai/gpt-4o:batch"),
    ("openrouter", "anthropic/claude-sonnet-4.5", "openrouter/anthropic/claude-sonnet-4.5"),
    ("mistral", "mistral-large-latest", "mistral/mistral-large-latest"),
    ("xai", "grok-4-latest", "xai/grok-4-0709"),
    ("xai", "grok-4-0709", "xai/grok-4-0709"),
    ("deepseek", "deepseek-chat", "deepseek/deepseek-chat"),
    ("together", "deepseek-ai/DeepSeek-V3", "together/deepseek-ai/DeepSeek-V3"),
    (
        "together",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
    ),
    ("fireworks", "accounts/fireworks/models/deepseek-v3", "fireworks/deepseek-v3"),
    (
        "huggingface",
        "meta-llama/Llama-3.3-70B-Instruct:groq",
        "huggingface_groq/meta-llama/Llama-3.3-70B-Instruct",
    ),
    ("litellm", "gpt-4o", "openai/gpt-4o"),
    ("openai", "o1-mini", "openai/o1-mini"),
    ("openai", "o3-2025-04-16", "openai/o3"),
    (None, "text-embedding-3-small", "openai/text-embedding-3-small"),
    ("vertex", "claude-haiku-4-5@20251001", "vertex/claude-haiku-4-5"),
    ("bedrock", "claude-opus-4-6-v1", "bedrock/anthropic.claude-opus-4-6-v1"),
]
GUESSED: list[tuple[str | None, str, str]] = [
    ("openai", "gpt-4o-2024-08-07", "openai/gpt-4o"),
    (
        "bedrock",
        "anthropic.claude-sonnet-4-5-20250929-v9:0",
        "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    ("google", "gemini-2.5-pro-002", "google/gemini-2.5-pro"),
    ("google", "gemini-2.5-pro-preview-05-06", "google/gemini-2.5-pro"),
    ("google", "gemini-2.5-pro-preview-05-99", "google/gemini-2.5-pro"),
    ("google", "gemini-2.5-pro-exp", "google/gemini-2.5-pro"),
    ("bedrock", "claude-opus-4-6-v9", "bedrock/anthropic.claude-opus-4-6-v1"),
]
UNPRICED: list[tuple[str | None, str]] = [
    ("openai", "gpt-4o-2029-01-01"),
    ("openai", "gpt-4o-latest"),
    ("openai", "gpt-4o-mini-max"),
    ("openai", "gpt-5.4-2026-13-45"),
    ("openai", "gpt-5.9-codex"),
    ("openai", "ft:claude-x:org::1"),
    (None, "azure/my-deployment"),
    ("azure", "my-gpt4o"),
    ("vertex", "claude-sonnet-4-5@20991231"),
    ("anthropic", "claude-opus-4-6[2m]"),
    ("anthropic", "claude-opus-9"),
    ("anthropic", "claude-sonnet-4-5-latest"),
    ("anthropic", "claude-sonnet-4-5-something"),
    ("bedrock", "xx.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0:200k"),
    ("bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"),
    ("bedrock", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc"),
    ("bedrock", "arn:aws:s3:::bucket"),
    ("google", "tunedModels/my-tuned-x1"),
    ("google", "gemini-9-pro"),
    ("openrouter", "openai/gpt-4o:thinking"),
    ("openrouter", "anthropic/claude-sonnet-4.5:1m"),
    ("openrouter", "openrouter/auto"),
    ("mistral", "mistral-large-9999"),
    ("xai", "grok-99"),
    ("fireworks", "accounts/me/deployedModels/xyz"),
    ("openai", "gpt-4o\u200b"),
    ("openai", "g\u0440t-4o"),
    ("openai", "\uff47\uff50\uff54-4o"),
    ("openai", "gpt\u20134o"),
    ("openai", "gpt-4o\x00"),
    ("openai", "gpt-4o; drop table"),
    ("openai", "../../etc/passwd"),
    ("openai", "gpt-4o/../gpt-4"),
    ("openai", "-"),
    ("openai", "gpt-4o--"),
    ("openai", "gpt-4o."),
    ("openai", "gpt-4.o"),
    ("openai", "gpt-4-o"),
    ("openai", "gpt_4o"),
    ("openai", '"gpt-4o"'),
    ("openai", "gpt-4o (alias)"),
    ("openai", "\U0001f600"),
    ("nobody", "gpt-4o"),
    ("github-copilot", "gpt-4o"),
    ("openai", "o1-mini-high"),
    (None, "text-embedding-3-small-v2"),
    ("ollama", "llama3:8b"),
    ("vllm", "qwen2.5-coder"),
    ("mistral", "mistral-large-latest (alias)"),
]


def card_of(provider: str | None, name: str) -> RateCard | Unpriced:
    return Book.default().resolve(provider, name, AT)


@pytest.mark.parametrize(("provider", "name", "model"), LISTED)
def test_another_spelling_of_a_listed_name_is_that_model(provider: str | None, name: str, model: str) -> None:
    card = card_of(provider, name)
    assert isinstance(card, RateCard)
    assert f"{card.provider}/{card.model}" == model
    assert "guessed" not in card.flags


@pytest.mark.parametrize(("provider", "name", "model"), GUESSED)
def test_another_date_edition_or_version_is_a_guess_and_says_so(
    provider: str | None, name: str, model: str
) -> None:
    card = card_of(provider, name)
    assert isinstance(card, RateCard)
    assert f"{card.provider}/{card.model}" == model
    assert "guessed" in card.flags
    assert card.reason == f"{name} is not listed; the price of {card.model} was taken"


@pytest.mark.parametrize(("provider", "name"), [*UNPRICED, ("openai", "gpt-4o" * 4000)])
def test_what_nobody_lists_has_no_price(provider: str | None, name: str) -> None:
    card = card_of(provider, name)
    assert isinstance(card, Unpriced)
    assert card.reason
    assert len(card.reason) < 1000
    assert all(isinstance(card_of(provider, near), RateCard) for near in card.near)


def test_an_arn_of_a_government_region_has_its_price() -> None:
    """0.25 a million elsewhere, a fifth more there."""
    base = "anthropic.claude-3-haiku-20240307-v1:0"
    for name, rate in (
        (f"arn:aws:bedrock:us-east-1::foundation-model/{base}", "0.25"),
        (f"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{base}", "0.30"),
    ):
        card = card_of("bedrock", name)
        assert isinstance(card, RateCard)
        assert str(card.rates["input"].amount.normalize()) == rate.rstrip("0")


def test_only_a_provider_that_is_named_is_blamed() -> None:
    card = card_of(None, "text-embedding-3-small-v2")
    assert isinstance(card, Unpriced)
    assert card.reason.startswith(
        "no price of text-embedding-3-small-v2 is known; near: text-embedding-3-small"
    )
