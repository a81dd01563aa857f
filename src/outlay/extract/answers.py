"""What stands around a usage object: model, id, terms, stated money; or why there is no usage."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Item, Term, Usage, changed, merge_flags, ordered
from outlay.extract.plain import NAME, fields_of, name_of, plain
from outlay.extract.stated import STATED, stated_cost
from outlay.extract.tally import Tally, made, sum_units

NOTHING: Mapping[str, Any] = {}

_ERROR_NAMES = ("type", "code", "status", "__type")


def usage_in(value: object) -> dict[str, Any] | None:
    """Copy a usage object into plain data; None when it is absent, null, empty or no object."""
    copied = plain(value) if value is not None else None
    return copied if isinstance(copied, dict) and copied else None


def inner(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give a nested object of already plain data; an empty one when it is absent, null or something else."""
    found = source.get(name)
    return found if isinstance(found, dict) else NOTHING


def finish(
    tally: Tally,
    body: Mapping[str, Any],
    usage: Mapping[str, Any],
    provider: str,
    terms: dict[str, str] | None = None,
) -> Usage:
    """Close the tally of one response with what stands around its usage."""
    model, answer_id = names_in(body)
    if STATED.isdisjoint(usage):
        return tally.usage(terms, model=model, response_id=answer_id, raw=usage)
    cost, currency, flags = stated_cost(usage, provider)
    tally.flags.update(flags)
    return tally.usage(terms, model=model, response_id=answer_id, raw=usage, stated=(cost, currency))


def finish_common(
    items: tuple[Item, ...],
    usage: Mapping[str, Any],
    body: Mapping[str, Any],
    said: tuple[Term, ...],
    provider: str,
) -> Usage:
    """Make the usage of an answer that has the common shape; nothing about its counts is odd."""
    if "cost" not in usage:  # the one name of money that the common shape may have
        return made(items, names_in(body), said, usage)
    cost, currency, flags = stated_cost(usage, provider)
    return made(items, names_in(body), said, usage, (flags, None), (cost, currency))


def names_in(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Give the names of the model that served and of the answer."""
    model, answer_id = body.get("model"), body.get("id")
    if type(model) is not str or not model or len(model) > NAME or not model.isascii():
        model = name_of(model)
    if type(answer_id) is not str or not answer_id or len(answer_id) > NAME or not answer_id.isascii():
        answer_id = name_of(answer_id)
    return model, answer_id


def tier_in(body: Mapping[str, Any], usage: Mapping[str, Any] = NOTHING) -> str | None:
    """Read the service tier that served, from the first place that states one."""
    tier = body.get("service_tier")
    if tier is not None and (name := _name_of(tier)):
        return name.lower()
    tier = usage.get("service_tier")
    return name.lower() if tier is not None and (name := _name_of(tier)) else None


def _name_of(tier: object) -> str | None:
    return tier if type(tier) is str and 0 < len(tier) <= NAME and tier.isascii() else name_of(tier)


def tier_terms(body: Mapping[str, Any], usage: Mapping[str, Any] = NOTHING) -> dict[str, str]:
    """Give the service tier as a billing term."""
    tier = tier_in(body, usage)
    return {"service_tier": tier} if tier else {}


def missing(body: Mapping[str, Any], reason: str | None = None) -> Usage:
    """Give the usage of a response that states none, with the reason."""
    error = error_in(body)
    tier = tier_in(body)
    return made(
        (),
        (name_of(body.get("model")), name_of(body.get("id"))),
        (("service_tier", tier),) if tier else (),
        None,
        (("error",) if error else (), reason or error or "the response states no usage"),
    )


def error_in(body: Mapping[str, Any]) -> str | None:
    """Say that a body is an error, by the error's type only: its text may quote the prompt."""
    error = body.get("error")
    if not error:
        return None
    found = fields_of(error) or NOTHING
    found = fields_of(found.get("error")) or found  # Anthropic's batch lines wrap it once more
    names = [str(found[key]) for key in _ERROR_NAMES if isinstance(found.get(key), str | int)]
    return (
        f"the provider answered with an error: {names[0][:60]}"
        if names
        else "the provider answered with an error"
    )


def split(whole: Usage, parts: tuple[Usage, ...]) -> Usage:
    """Make a usage of parts: its units become their sum, so that both agree; oddities are said."""
    return changed(
        whole,
        items=ordered(sum_units(parts)),
        parts=parts,
        flags=merge_flags(whole.flags, *(part.flags for part in parts)),
        reason=whole.reason or next((part.reason for part in parts if part.reason), None),
    )
