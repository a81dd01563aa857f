"""Measures: sound that a usage states in tokens and in seconds is charged by one of them, never by both."""

from collections.abc import Mapping

from outlay.core.units import TOKEN_UNITS, split_unit
from outlay.core.usage import Item
from outlay.pricing.rates import ASSUMED, Rate

SECONDS = "audio_seconds"
OTHER_MEASURE = "other_measure"  # the flag of a cost that leaves out a unit which measures the same again


def charged_once(items: tuple[Item, ...], rates: Mapping[str, Rate]) -> tuple[Item, ...]:
    """Leave out what only measures again what the card charges by another unit.

    Audio tokens with a rate of their own are the finer measure, and seconds are left out; so they are where
    the card has no rate for seconds. Else seconds are charged, and audio tokens left out; on a card by time
    alone, without any rate for tokens, all tokens are.

    Sources: docs.mistral.ai/capabilities/audio (audio by the minute, text by tokens), docs.x.ai on voice
    (``billable_audio_seconds`` by the minute, no tokens).
    """
    units = dict(items)
    if SECONDS not in units:
        return items
    tokens = [unit for unit in units if unit in TOKEN_UNITS]
    audio = [unit for unit in tokens if split_unit(unit)[1] == "audio"]
    if any(_own(rates, unit) for unit in audio):
        again = {SECONDS}
    elif SECONDS not in rates:
        again = {SECONDS} if any(unit in rates for unit in audio) else set()
    else:
        again = set(audio) if any(unit in rates for unit in tokens) else set(tokens)
    return tuple(item for item in items if item[0] not in again)


def _own(rates: Mapping[str, Rate], unit: str) -> bool:
    rate = rates.get(unit)
    return rate is not None and rate.flag != ASSUMED
