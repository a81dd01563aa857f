"""Totals, a summary and a call log of a few calls: with a mock provider, or a real one by its name.

python examples/cost_tracking.py --calls 4
OPENAI_API_KEY=… python examples/cost_tracking.py --provider openai
"""

import argparse

from outlay.llm import get_adapter
from outlay.trackers import CostTracker

PROMPTS = ("What is gradient descent?", "Explain overfitting.", "Why do models hallucinate?")


def main() -> None:
    """Call, record, and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=3)
    options.add_argument("--provider", default="mock-balanced")
    chosen = options.parse_args()
    adapter, tracker = get_adapter(chosen.provider), CostTracker(None)
    for number in range(chosen.calls):
        prompt = PROMPTS[number % len(PROMPTS)]
        tracker.record(adapter.call(prompt=prompt), prompt_snippet=prompt)
    tracker.print_call_log()
    tracker.print_summary()


if __name__ == "__main__":
    main()
