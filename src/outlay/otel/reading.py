"""One span of another instrumentation, read: which call it tells of, what that used, for whom it was."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from outlay.capture.recorder import UNKNOWN
from outlay.core.money import EXACT, total
from outlay.core.providers import WRITTEN, provider_id
from outlay.core.usage import Usage
from outlay.otel import names
from outlay.otel.counts import read_counts
from outlay.otel.values import Attributes, amount, label, table, text

MAX_BODY = 100_000  # characters of an answer that is looked through for its id
_TWO_SIDES = frozenset({"chat", "text_completion", "generate_content"})  # operations that read and write
_CURRENCY = re.compile(r"[A-Z]{3}")
_RUNS = ("lc_run-", "run-")  # how ids of LangChain's own runs begin


@dataclass(frozen=True, slots=True)
class Reading:
    """What a span says of a call."""

    provider: str
    model: str | None
    model_requested: str | None
    operation: str
    usage: Usage  # with the reported cost, if there is one
    single: bool  # one call, by its kind; else an agent, a chain, a tool, which repeat what is below them
    fields: Mapping[str, Any]  # of the record: user, session, agent, streamed
    notes: Mapping[str, Any]  # kept beside: whose span, which reading, what was odd

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the model, asked for and served; one empty name where there is none."""
        return tuple(name for name in (self.model, self.model_requested) if name) or ("",)


def read_span(attributes: Attributes, scope: str, version: str | None = None) -> Reading | None:
    """Read a span's attributes; None if it tells of no call of a model."""
    if scope in names.SAY_OPERATIONS and text(attributes, names.OPERATION) is None:
        return None
    operation, single = _kind(attributes)
    model = text(attributes, names.MODEL)
    asked = text(attributes, names.MODEL_REQUESTED) or _asked_of_parameters(attributes)
    counted = read_counts(attributes, scope, two_sides=operation in _TWO_SIDES)
    cost, currency, costs = _cost(attributes)
    used = counted.reading is not None or cost is not None
    if not used and not (single and (model or asked)):
        return None
    usage = counted.usage
    notes: dict[str, Any] = {"scope": scope}
    if cost is not None and cost == 0:
        usage = usage.flagged("zero_cost")  # written where nobody knew the price: 0 is not free
    elif cost is not None:
        usage = replace(usage, reason=None, reported_cost=cost, reported_currency=currency)
    if len(set(costs.values())) > 1:
        usage = usage.flagged("costs_differ")
    if len(set(costs.values())) > 1 or (costs and cost is None):
        notes["costs"] = {name: str(value) for name, value in costs.items()}
    found = {"version": version, "reading": counted.reading, "unreadable": list(counted.odd) or None}
    notes.update({name: value for name, value in found.items() if value})
    usage = replace(usage, model=model, response_id=_response_id(attributes))
    return Reading(
        provider=_provider(attributes),
        model=model or asked,
        model_requested=asked,
        operation=operation,
        usage=usage.with_terms(service_tier=_tier(attributes)),
        single=single,
        fields=_fields(attributes),
        notes=notes,
    )


def _provider(attributes: Attributes) -> str:
    """Name the provider: not the framework that some write in its place."""
    for name in names.PROVIDER:
        found = provider_id(text(attributes, (name,)))
        if found is not None and found not in names.FRAMEWORKS:
            return _of_vercel(found) or found
    return UNKNOWN


def _of_vercel(written: str) -> str | None:
    """Read a name with the API behind a dot: ``openai.chat``, ``google.vertex.chat``; None for any other."""
    while written not in WRITTEN.values():
        written, dot, _ = written.rpartition(".")
        if not dot:
            return None
        written = WRITTEN.get(written.replace(".", "-"), written)
    return written


def _kind(attributes: Attributes) -> tuple[str, bool]:
    """Name the operation, and say whether it is a single call: what names another kind is none."""
    for said in (text(attributes, names.OPERATION), text(attributes, names.KIND)):
        if said is not None:
            known = names.OPERATIONS.get(said.lower())
            return known or said.lower(), known is not None
    return "chat", True


def _asked_of_parameters(attributes: Attributes) -> str | None:
    """Find the model in OpenInference's parameters, the one place where a failed call has it."""
    for name in ("llm.invocation_parameters", "embedding.invocation_parameters"):
        model = table(attributes.get(name)).get("model")
        if isinstance(model, str) and model:
            return model
    return None


def _response_id(attributes: Attributes) -> str | None:
    """Give the provider's id of the answer; OpenInference has it in the answer's text alone."""
    stated = text(attributes, names.RESPONSE_ID)
    body = attributes.get("output.value")
    if stated is not None or not isinstance(body, str) or len(body) > MAX_BODY:
        return stated
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # a model may write brackets without end
        return None
    inner = (found.get("id") or _id_of_langchain(found)) if isinstance(found, dict) else None
    return inner if isinstance(inner, str) and inner else None


def _id_of_langchain(body: Mapping[str, Any]) -> object:
    """Give the id in a result of LangChain's; a message that has none from its provider has its run's."""
    found: Any = body.get("generations")
    for _ in range(2):  # a list for each prompt, of a list for each choice
        found = found[0] if isinstance(found, list) and found else None
    said = _part(_part(found, "message"), "kwargs")
    stated, own = _part(said, "response_metadata").get("id"), said.get("id")
    return stated or (own if isinstance(own, str) and not own.startswith(_RUNS) else None)


def _part(of: object, name: str) -> Mapping[str, Any]:
    found = of.get(name) if isinstance(of, dict) else None
    return found if isinstance(found, dict) else {}


def _cost(attributes: Attributes) -> tuple[Decimal | None, str, dict[str, Decimal]]:
    """Give the reported cost, its currency, and every cost that stands on the span.

    Of a currency that is none, credits say, the amount says nothing of what a call cost.
    """
    found = {name: value for name in names.COSTS if (value := _amount(attributes.get(name))) is not None}
    if (ticks := amount(attributes.get(names.COST_TICKS))) is not None:
        found[names.COST_TICKS] = EXACT.scaleb(ticks, -10)
    if not found:
        found = _cost_of_parts(attributes)
    stated = attributes.get(names.COST_CURRENCY)
    currency = (stated.strip().upper() if isinstance(stated, str) else "") or "USD"
    if not _CURRENCY.fullmatch(currency):
        return None, "USD", found
    return next(iter(found.values()), None), currency, found


def _cost_of_parts(attributes: Attributes) -> dict[str, Decimal]:
    """Add up the costs of both sides; one side alone is not what the call cost."""
    for parts in names.COST_PARTS:
        amounts = [value for name in parts if (value := amount(attributes.get(name))) is not None]
        if len(amounts) == len(parts):
            return {" + ".join(parts): total(amounts)}
    return {}


def _amount(value: object) -> Decimal | None:
    """Read an amount, or the total of a table of them."""
    parts = table(value)
    if not parts:
        return amount(value)
    for key in ("total_cost", "total"):
        if key in parts:
            return amount(parts[key])
    amounts = [each for each in map(amount, parts.values()) if each is not None]
    return total(amounts) if amounts else None


def _tier(attributes: Attributes) -> str | None:
    served = text(attributes, names.SERVED_TIER)
    asked = text(attributes, (names.ASKED_TIER,))
    return (served or (asked if asked != "auto" else None) or "").lower() or None


def _fields(attributes: Attributes) -> dict[str, Any]:
    said = {
        "user": label(attributes, names.USER),
        "session": label(attributes, names.SESSION),
        "agent": text(attributes, names.AGENT),
        "streamed": any(attributes.get(name) is True for name in names.STREAMED) or None,
    }
    return {name: value for name, value in said.items() if value is not None}
