"""What mypy, pyright and ty must refuse: each line with the comment ``refused``, and no other; never run.

ty takes unknown keywords of an unpacked TypedDict as yet.
"""

from decimal import Decimal

import outlay

outlay.recrod(provider="openai")  # refused
outlay.record(provider="openai", modle="gpt-4o")  # refused, though not by ty
outlay.record(provider="openai", input_tokens="1000")  # refused
outlay.record(provider="openai", status="done")  # refused
outlay.record("openai")  # refused
outlay.score("0190", quality_score="good")  # refused
outlay.cost_of("a usage", model="gpt-4o")  # refused
outlay.usage_of({})  # refused
outlay.instrument(1)  # refused
outlay.open(1)  # refused
outlay.flush("soon")  # refused
outlay.measure("acme")  # refused


@outlay.track(query_type="summary")
def summarize(text: str) -> int:
    """Keep its types under the decorator."""
    return len(text)


summarize(1)  # refused
text: str = summarize("a")  # refused
record = outlay.record(provider="openai", model="gpt-4o", input_tokens=1)
record.user = "u2"  # refused
price: Decimal = record.cost  # refused
total: float = outlay.cost_of({"input": 1}, model="gpt-4o").amount  # refused

with outlay.open() as ledger:
    ledger.calls(order="size")  # refused
    ledger.report(by=1)  # refused
    ledger.report(group="model")  # refused

with outlay.measure(provider="acme") as call:
    call.usage(input_tokens="many")  # refused
    for part in call.stream(7):  # refused
        print(part)
