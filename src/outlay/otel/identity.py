"""Which calls are known already: by the provider's response id, else by trace and span; bounded."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from outlay.capture.recorder import UNKNOWN
from outlay.pricing.providers import STAND_INS

MAX_KNOWN = 20_000
# No identity: some servers count, read a clock or throw dice, as Ollama does (chatcmpl-0 to chatcmpl-998).
_NUMBERED = re.compile(r"(?:[a-z]+[-_])?\d{1,13}")
_DATED = re.compile(r"$|[-@:]\d|-v\d+:\d")  # Bedrock writes a version behind the date
_CLOUDS = re.compile(r"(?:[a-z_-]+\.)+(?=[a-z])")  # us.anthropic., as Bedrock writes it


class Known:
    """The identities of the last calls that were recorded; used under a lock of its owner."""

    def __init__(self) -> None:
        self._providers: OrderedDict[str, str] = OrderedDict()  # by response id
        self._spans: OrderedDict[tuple[str | None, str | None], None] = OrderedDict()

    def add(self, provider: str, response_id: str | None, span: tuple[str | None, str | None]) -> None:
        """Note a call that is recorded, or will be."""
        if response_id and not _NUMBERED.fullmatch(response_id):
            self._keep(self._providers, response_id, provider)
        if all(span):
            self._keep(self._spans, span, None)

    def _keep(self, known: OrderedDict[Any, Any], key: Any, value: Any) -> None:
        known[key] = value
        known.move_to_end(key)
        if len(known) > MAX_KNOWN:
            known.popitem(last=False)

    def has(self, provider: str, response_id: str | None, span: tuple[str, str]) -> bool:
        """Say whether a call is recorded: the same answer, by whatever name of its provider, or span."""
        if span in self._spans:
            return True
        other = None if response_id is None else self._providers.get(response_id)
        return other is not None and alike(provider, other)


def alike(one: str, other: str) -> bool:
    """Whether two names may mean one provider: the same, one unknown, or a maker and a cloud."""
    return (
        one == other
        or UNKNOWN in {one, other}
        or one in STAND_INS.get(other, ())
        or other in STAND_INS.get(one, ())
    )


def overlap(models: Iterable[str], covered: Iterable[str]) -> bool:
    """Whether one of these names may mean one of those: the same, one unknown, or one with a date behind."""
    return any(_one_model(one, other) for one in models for other in covered)


def _one_model(one: str, other: str) -> bool:
    short, long = sorted((_own_name(one), _own_name(other)), key=len)
    return not short or (long.startswith(short) and bool(_DATED.match(long[len(short) :])))


@lru_cache(maxsize=1024)
def _own_name(model: str) -> str:
    """Give a model's own name, without the gateway, cloud and maker that are put before it."""
    last = model.strip().lower().removesuffix("-latest").rpartition("/")[2]
    return _CLOUDS.sub("", last, count=1) if _CLOUDS.match(last) else last or model
