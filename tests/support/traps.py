"""The traps of providers and peers in extraction or pricing: how many there are, and who covers the rest.

``usage N`` are the traps of how providers report usage, ``peers N`` the complaints of other tools' users.
A trap is covered by a golden case that is named for it, or by a test whose name begins with it.
"""

from collections.abc import Mapping
from types import MappingProxyType

USAGE, PEERS = 21, 44  # how many of each there are

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        # Retries below the SDK's method are one record that counts them.
        "usage 8": "tests/instrumentation/test_openai.py::test_retries_are_counted_in_one_record",
        # A framework's own cache answers without a provider: that is no call.
        "usage 19": "tests/instrumentation/frameworks/test_langchain.py"
        "::test_an_answer_out_of_the_cache_is_no_call",
        "peers 25": "tests/instrumentation/frameworks/test_langchain.py"
        "::test_an_answer_out_of_the_cache_is_no_call",
        # One call told as 12 tokens by an emitter, as 1012 by another.
        "peers 10": "tests/otel/test_counts.py"
        "::test_the_emitter_says_what_input_means_and_the_sums_may_object",
        # Agents and chains repeat what the spans below them say.
        "peers 26": "tests/otel/test_processor.py::test_only_leaves_count",
        # Calls without a price are counted in every row, and every report names their models.
        "peers 38": "tests/surfaces/test_states.py"
        "::test_the_sum_holds_what_is_known_and_each_model_says_what_it_is",
    }
)
"""Traps that no response and no price book can fall into, with the test of where they are kept out."""
