"""The peer of benchmarks.price_command; runs where litellm is installed, and outlay is not.

``peer_litellm.py FILE TIMES`` prints the CPU microseconds of one ``completion_cost``; with 0 times, what
litellm makes of each line that it can price, by the line's id.
"""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import litellm


def cost_of(line: dict[str, Any]) -> float | None:
    """Price a line; None where litellm cannot."""
    try:
        return priced(response_of(line), line["provider"]) or None
    except Exception:  # noqa: BLE001 - whatever it raises, it has no price
        return None


def response_of(line: dict[str, Any]) -> Any:
    """Make litellm's own object of a body."""
    return litellm.ModelResponse(**line["response"])


def priced(response: Any, provider: str) -> float:
    """Price one response."""
    return float(litellm.completion_cost(response, custom_llm_provider=provider))


def main(file: str, times: str) -> None:
    """Print what was asked for."""
    logging.disable()
    lines = [json.loads(text) for text in Path(file).read_text("utf-8").splitlines()]
    if times == "0":
        print(json.dumps({line["id"]: cost for line in lines if (cost := cost_of(line)) is not None}))
        return
    ready = [(response_of(line), line["provider"]) for line in lines]
    for response, provider in ready:
        priced(response, provider)
    start = time.process_time()
    for _ in range(int(times)):
        for response, provider in ready:
            priced(response, provider)
    print((time.process_time() - start) / len(ready) / int(times) * 1e6)


if __name__ == "__main__":
    main(*sys.argv[1:])
