"""Counts of spans: one name of each, the emitter's meaning of input, and sums that must bear it out.

Every row is worked out by hand: the attributes, the units that are billed, and what is flagged.
"""

from typing import Any

import pytest

from outlay.otel.counts import read_counts

U = "gen_ai.usage."
OI = "llm.token_count."
BEDROCK = "opentelemetry.instrumentation.bedrock"


@pytest.mark.parametrize(
    ("attributes", "units"),
    [
        ({U + "input_tokens": 1000, U + "output_tokens": 100}, {"input": 1000, "output": 100}),
        ({U + "prompt_tokens": 1000, U + "completion_tokens": 100}, {"input": 1000, "output": 100}),
        # the same count by its old and its new name is one count
        (
            {
                U + "input_tokens": 7,
                U + "prompt_tokens": 7,
                U + "output_tokens": 1,
                U + "completion_tokens": 1,
            },
            {"input": 7, "output": 1},
        ),
        (
            {
                U + "input_tokens": 1000,
                U + "cache_read.input_tokens": 400,
                U + "cache_creation.input_tokens": 100,
                U + "cache_write.input_tokens": 100,
                U + "output_tokens": 50,
            },
            {"input": 500, "cache_read": 400, "cache_write": 100, "output": 50},
        ),
        (
            {U + "input_tokens": "1000", U + "output_tokens": "100", U + "cache_read.input_tokens": 400.0},
            {"input": 600, "cache_read": 400, "output": 100},
        ),
        (  # Google's ADK up to 2.2: candidates, and thoughts beside them; of later ones output holds both
            {U + "input_tokens": 50, U + "output_tokens": 50, U + "experimental.reasoning_tokens": 10},
            {"input": 50, "output": 50, "reasoning": 10},
        ),
        (
            {
                U + "input_tokens": 50,
                U + "output_tokens": 60,
                U + "reasoning.output_tokens": 10,
                U + "experimental.reasoning_tokens": 10,
            },
            {"input": 50, "output": 50, "reasoning": 10},
        ),
        (  # Strands on Bedrock, whose total holds what stands beside its input
            {
                U + "input_tokens": 12,
                U + "output_tokens": 100,
                U + "cache_read_input_tokens": 1000,
                U + "cache_write_input_tokens": 500,
                U + "total_tokens": 1612,
            },
            {"input": 12, "cache_read": 1000, "cache_write": 500, "output": 100},
        ),
        (  # Vercel's sixth version
            {
                "ai.usage.inputTokens": 1000,
                "ai.usage.inputTokenDetails.noCacheTokens": 400,
                "ai.usage.inputTokenDetails.cacheReadTokens": 500,
                "ai.usage.inputTokenDetails.cacheWriteTokens": 100,
                "ai.usage.outputTokens": 60,
                "ai.usage.outputTokenDetails.textTokens": 50,
                "ai.usage.outputTokenDetails.reasoningTokens": 10,
                "ai.usage.totalTokens": 1060,
            },
            {"input": 400, "cache_read": 500, "cache_write": 100, "output": 50, "reasoning": 10},
        ),
        (
            {U + "input_tokens": 1000, U + "cached_input_tokens": 200, U + "output_tokens": 5},
            {"input": 800, "cache_read": 200, "output": 5},
        ),
        (
            {
                U + "input_tokens": 10,
                U + "output_tokens": 100,
                U + "reasoning.output_tokens": 30,
                U + "total_tokens": 110,
            },
            {"input": 10, "output": 70, "reasoning": 30},
        ),
        (
            {
                OI + "prompt": 1000,
                OI + "completion": 100,
                OI + "total": 1100,
                OI + "prompt_details.cache_read": 400,
                OI + "prompt_details.audio": 50,
                OI + "completion_details.reasoning": 30,
                OI + "completion_details.audio": 20,
            },
            {
                "input": 550,
                "input_audio": 50,
                "cache_read": 400,
                "output": 50,
                "output_audio": 20,
                "reasoning": 30,
            },
        ),
        (
            {
                "langfuse.observation.usage_details": '{"input": 600, "input_cached_tokens": 400,'
                ' "output": 70, "output_reasoning_tokens": 30}'
            },
            {"input": 600, "cache_read": 400, "output": 70, "reasoning": 30},
        ),
        (  # its wrapper of OpenAI's client sends OpenAI's own words, which are inclusive
            {
                "langfuse.observation.usage_details": '{"prompt_tokens": 1000, "completion_tokens": 100,'
                ' "total_tokens": 1100, "prompt_tokens_details": {"cached_tokens": 400},'
                ' "completion_tokens_details": {"reasoning_tokens": 30}}'
            },
            {"input": 600, "cache_read": 400, "output": 70, "reasoning": 30},
        ),
        (  # of 400 heard 200 were cached, of 600 read 100
            {
                U + "input_tokens": 1000,
                U + "text.input_tokens": 600,
                U + "audio.input_tokens": 400,
                U + "cache_read.input_tokens": 300,
                U + "audio.cache_read.input_tokens": 200,
                U + "text.cache_read.input_tokens": 100,
                U + "output_tokens": 70,
                U + "audio.output_tokens": 50,
            },
            {
                "input": 500,
                "input_audio": 200,
                "cache_read": 100,
                "cache_read_audio": 200,
                "output": 20,
                "output_audio": 50,
            },
        ),
        (  # an hour's writes have a price of their own, and searches are no tokens
            {
                "langfuse.observation.usage_details": '{"input": 12, "input_cache_creation_5m": 3,'
                ' "input_cache_creation_1h": 4, "output": 100, "web_search_queries": 2, "total": 119}'
            },
            {"input": 12, "cache_write": 3, "cache_write_1h": 4, "output": 100, "web_search": 2},
        ),
        (  # its callback of LangChain: what was heard, and an hour's writes by Anthropic's name, stand beside
            {
                "langfuse.observation.usage_details": '{"input": 12, "input_audio": 50,'
                ' "input_cache_read": 40, "input_cache_creation": 0, "input_ephemeral_5m_input_tokens": 3,'
                ' "input_ephemeral_1h_input_tokens": 4, "output": 10, "output_audio": 5, "total": 124}'
            },
            {
                "input": 12,
                "input_audio": 50,
                "cache_read": 40,
                "cache_write": 3,
                "cache_write_1h": 4,
                "output": 10,
                "output_audio": 5,
            },
        ),
        (  # Anthropic's usage as it stands: the lifetimes split the writes, and are no further ones
            {
                "langfuse.observation.usage_details": '{"input_tokens": 12, "cache_read_input_tokens": 1000,'
                ' "cache_creation_input_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 3,'
                ' "ephemeral_1h_input_tokens": 2}, "output_tokens": 10,'
                ' "output_tokens_details": {"thinking_tokens": 4}}'
            },
            {
                "input": 12,
                "cache_read": 1000,
                "cache_write": 3,
                "cache_write_1h": 2,
                "output": 6,
                "reasoning": 4,
            },
        ),
        (  # OpenAI's responses: what the details count lies inside of the input, without a total, too
            {
                "langfuse.observation.usage_details": '{"input_tokens": 100, "output_tokens": 10,'
                ' "input_tokens_details": {"text_tokens": 50, "audio_tokens": 30, "cached_tokens": 20},'
                ' "output_tokens_details": {"reasoning_tokens": 4}}'
            },
            {"input": 50, "input_audio": 30, "cache_read": 20, "output": 6, "reasoning": 4},
        ),
        (
            {"ai.usage.promptTokens": 9, "ai.usage.completionTokens": 2, "ai.usage.cachedInputTokens": 4},
            {"input": 5, "cache_read": 4, "output": 2},
        ),
    ],
)
def test_every_dialect_gives_disjoint_units(attributes: dict[str, Any], units: dict[str, int]) -> None:
    counted = read_counts(attributes, "any")
    assert counted.usage.units == units
    assert not {"partial", "total_mismatch", "clamped", "names_differ"} & set(counted.usage.flags)


CLAUDE = {U + "output_tokens": 5, U + "cache_read.input_tokens": 1000}


@pytest.mark.parametrize(
    ("scope", "attributes", "units", "reading", "flags"),
    [
        # the same Claude call by two emitters: 12 fresh and 1000 cached tokens
        ("any", {**CLAUDE, U + "input_tokens": 1012}, {"input": 12}, "inclusive", ()),
        (BEDROCK, {**CLAUDE, U + "input_tokens": 12}, {"input": 12}, "exclusive", ()),
        # an emitter that nobody knows, whose input cannot hold what was cached
        ("any", {**CLAUDE, U + "input_tokens": 12}, {"input": 12}, "exclusive", ("cache_additive",)),
        # its own total says so
        (
            "any",
            {**CLAUDE, U + "input_tokens": 2000, U + "total_tokens": 3005},
            {"input": 2000},
            "exclusive",
            ("cache_additive",),
        ),
        (
            BEDROCK,
            {**CLAUDE, U + "input_tokens": 2000, U + "total_tokens": 2005},
            {"input": 1000},
            "inclusive",
            ("cache_inside_input",),
        ),
        # a total that nothing explains is not pushed onto the output
        (
            "any",
            {**CLAUDE, U + "input_tokens": 2000, U + "total_tokens": 9999},
            {"input": 1000},
            "inclusive",
            ("partial", "total_mismatch"),
        ),
    ],
)
def test_the_emitter_says_what_input_means_and_the_sums_may_object(
    scope: str, attributes: dict[str, Any], units: dict[str, int], reading: str, flags: tuple[str, ...]
) -> None:
    counted = read_counts(attributes, scope)
    assert counted.usage.units == {**units, "cache_read": 1000, "output": 5}
    assert (counted.reading, counted.usage.flags) == (reading, flags)


def test_anthropics_own_words_mean_anthropics_counts() -> None:
    attributes = {
        U + "input_tokens": 500,
        U + "cache_read_input_tokens": 100,
        U + "cache_creation_input_tokens": 50,
        U + "output_tokens": 5,
    }
    counted = read_counts(attributes, "opentelemetry.instrumentation.anthropic")
    assert counted.usage.units == {"input": 500, "cache_read": 100, "cache_write": 50, "output": 5}


def test_thoughts_beside_the_output_are_told_by_the_total() -> None:
    attributes = {
        OI + "prompt": 10,
        OI + "completion": 20,
        OI + "total": 130,
        OI + "completion_details.reasoning": 100,
    }
    counted = read_counts(attributes, "openinference.instrumentation.google_genai")
    assert counted.usage.units == {"input": 10, "output": 20, "reasoning": 100}
    assert counted.usage.flags == ("reasoning_additive",)


def test_names_that_differ_are_told() -> None:
    counted = read_counts({U + "input_tokens": 7, U + "prompt_tokens": 8, U + "output_tokens": 1}, "any")
    assert counted.usage.units == {"input": 7, "output": 1}
    assert counted.usage.flags == ("names_differ",)


@pytest.mark.parametrize("value", ["many", -1, 1.5, True, [1], 10**13, "9" * 400])
def test_what_is_no_count_is_told_and_the_rest_is_read(value: Any) -> None:
    counted = read_counts({U + "input_tokens": value, U + "output_tokens": 5}, "any")
    assert counted.usage.units == {"output": 5}
    assert counted.odd == (U + "input_tokens",)
    assert counted.usage.flags == ("bad_count",)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "counts no tokens"),
        ({U + "input_tokens": 0, U + "output_tokens": 0}, "counts 0 tokens"),
        ({U + "total_tokens": 110}, "a total of tokens alone"),
    ],
)
def test_no_tokens_are_no_usage(attributes: dict[str, Any], reason: str) -> None:
    usage = read_counts(attributes, "any").usage
    assert not usage.items
    assert reason in str(usage.reason)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({U + "output_tokens": 5}, "the span counts no input tokens"),
        ({U + "input_tokens": 5}, "the span counts no output tokens"),
        ({U + "input_tokens": 5, U + "total_tokens": 9}, "the span counts no output tokens"),
        ({"langfuse.observation.usage_details": '{"input": 5}'}, "the span counts no output tokens"),
        (
            {"langfuse.observation.usage_details": '{"input": null, "output": 5}'},
            "the span counts no input tokens",
        ),
    ],
)
def test_a_side_that_is_not_told_is_no_0(attributes: dict[str, Any], reason: str) -> None:
    usage = read_counts(attributes, "any").usage
    assert ("partial" in usage.flags, usage.reason) == (True, reason)


@pytest.mark.parametrize(
    ("attributes", "two_sides"),
    [
        ({U + "input_tokens": 5, U + "total_tokens": 5}, True),  # its total says that nothing was written
        ({U + "input_tokens": 5, U + "output_tokens": 0}, True),
        ({U + "input_tokens": 5}, False),  # an embedding
    ],
)
def test_a_side_on_which_there_was_nothing_is_none_that_is_lacking(
    attributes: dict[str, Any],
    two_sides: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    usage = read_counts(attributes, "any", two_sides=two_sides).usage
    assert (usage.units, usage.flags, usage.reason) == ({"input": 5}, (), None)


def test_searches_in_langfuses_table_are_no_tokens_of_its_total() -> None:
    said = '{"input": 600, "input_cached_tokens": 400, "output": 50, "web_search_requests": 900}'
    counted = read_counts({"langfuse.observation.usage_details": said}, "any")
    assert counted.usage.units == {"input": 600, "cache_read": 400, "output": 50, "web_search": 900}
    assert (counted.usage.flags, counted.reading) == ((), "exclusive")


def test_what_is_no_count_in_langfuses_table_is_told() -> None:
    counted = read_counts(
        {"langfuse.observation.usage_details": '{"input": -5, "output": "12", "x": "y"}'}, "any"
    )
    assert (counted.usage.units, counted.usage.flags) == ({"output": 12}, ("bad_count",))
    assert counted.odd == ("langfuse.observation.usage_details.input",)
