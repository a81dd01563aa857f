"""Usages as OpenAI's APIs spell them: most of the common shape, the others one step beside it."""

from typing import Any

from hypothesis import strategies as st

from outlay.extract.common import Names

ODD: list[Any] = [None, -1, 7.0, True, False, "3", 10**12 + 1, {}, []]
BESIDE = [
    *("queue_time", "total_time", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens"),
    *("cost", "cost_details", "is_byok", "num_cached_tokens", "latency_checkpoint", "service_tier"),
]
STRANGE = st.sampled_from([*ODD, 2**70, {"total_cost": 0.5}, "Flex", "é" * 9])
VALUE = st.one_of(st.integers(0, 50), st.floats(0, 9), STRANGE)
COUNT = st.one_of(st.integers(0, 50), st.sampled_from(ODD))
DETAILS = [
    *("cached_tokens", "text_tokens", "audio_tokens", "image_tokens", "cache_write_tokens", "strange"),
    *("reasoning_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"),
]
NONE: st.SearchStrategy[list[str]] = st.just([])


def seldom(odd: st.SearchStrategy[Any], usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make something odd one time in eight: where all is odd, a quick way is never taken."""
    return st.integers(0, 7).flatmap(lambda number: usual if number else odd)


@st.composite
def usages(draw: st.DrawFn, names: Names) -> dict[str, Any]:
    """Make usages of which most are of the common shape, or one step beside it."""
    prompt, output = draw(st.integers(0, 100)), draw(st.integers(0, 100))
    usage: dict[str, Any] = {names.prompt: prompt, names.output: output, "total_tokens": prompt + output}
    odd = st.dictionaries(st.sampled_from(DETAILS), COUNT, max_size=4)
    for key, whole, (part, other) in (
        (names.prompt_details, prompt, ("cached_tokens", "audio_tokens")),
        (names.output_details, output, ("reasoning_tokens", "audio_tokens")),
    ):
        if draw(st.booleans()):
            usual = st.fixed_dictionaries({part: st.integers(0, whole)}, optional={other: st.just(0)})
            usage[key] = draw(seldom(st.one_of(odd, st.just([])), st.none() | usual))
    for key in draw(seldom(st.sampled_from([[each] for each in (*usage, "cached_tokens", "strange")]), NONE)):
        usage[key] = draw(COUNT)
    for key in draw(st.one_of(NONE, st.lists(st.sampled_from(BESIDE), max_size=3))):
        usage[key] = draw(VALUE)
    return usage
