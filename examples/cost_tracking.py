"""Totals, a summary and a call log of a few calls: with a mock provider, or a real one by its name.

python examples/cost_tracking.py
python examples/cost_tracking.py --calls 10 --show-calls
python examples/cost_tracking.py --multi --calls 9 --show-calls
OPENAI_API_KEY=… python examples/cost_tracking.py --provider openai --calls 5 --show-calls
"""

import argparse
from itertools import cycle, islice

from outlay.core.errors import OutlayError
from outlay.llm import get_adapter
from outlay.trackers import CostTracker

TIERS = ("mock-fast", "mock-balanced", "mock-premium")
PROMPTS = ("What is gradient descent?", "Explain overfitting.", "Why do models hallucinate?")


def how_many(text: str) -> int:
    """Read a number of calls."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of calls")
    return int(text)


def main() -> None:
    """Call, record, and print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--calls", type=how_many, default=6, metavar="N")
    options.add_argument("--show-calls", action="store_true", help="print every call")
    options.add_argument("--multi", action="store_true", help=f"take {', '.join(TIERS)} in turn")
    options.add_argument("--provider", default="mock-balanced")
    chosen = options.parse_args()
    try:
        adapters = [get_adapter(name) for name in (TIERS if chosen.multi else (chosen.provider,))]
    except OutlayError as error:
        options.error(str(error))
    tracker = CostTracker(None)
    for adapter, prompt in islice(zip(cycle(adapters), cycle(PROMPTS), strict=False), chosen.calls):
        tracker.record(adapter.call(prompt=prompt), prompt_snippet=prompt)
    if chosen.show_calls:
        tracker.print_call_log()
    tracker.print_summary()


if __name__ == "__main__":
    main()
