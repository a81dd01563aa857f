"""Measures: what a usage states twice, in tokens and in seconds or characters, is charged by one of them."""

from collections.abc import Iterable, Mapping

from outlay.core.units import TOKEN_UNITS, split_unit
from outlay.core.usage import Item
from outlay.pricing.rates import ASSUMED, Rate

SECONDS = "audio_seconds"
CHARACTERS = "characters"
OTHER_MEASURE = "other_measure"  # the flag of a cost that leaves out a unit which measures the same again


def charged_once(items: tuple[Item, ...], rates: Mapping[str, Rate]) -> tuple[Item, ...]:
    """Leave out what only measures again what the card charges by another unit."""
    units = dict(items)
    again = {*_sound_again(units, rates), *_text_again(units, rates)}
    return tuple(item for item in items if item[0] not in again) if again else items


def _sound_again(units: Iterable[str], rates: Mapping[str, Rate]) -> set[str]:
    """Give what measures sound again.

    Audio tokens with a rate of their own are the finer measure, and seconds are left out; so they are where
    the card has no rate for seconds. Else seconds are charged, and audio tokens left out; on a card by time
    alone, without any rate for tokens, all tokens are.

    Sources: docs.mistral.ai/capabilities/audio (audio by the minute, text by tokens), docs.x.ai on voice
    (``billable_audio_seconds`` by the minute, no tokens).
    """
    if SECONDS not in units:
        return set()
    tokens = [unit for unit in units if unit in TOKEN_UNITS]
    audio = [unit for unit in tokens if split_unit(unit)[1] == "audio"]
    if any(_own(rates, unit) for unit in audio):
        return {SECONDS}
    if SECONDS not in rates:
        return {SECONDS} if any(unit in rates for unit in audio) else set()
    return set(audio) if any(unit in rates for unit in tokens) else set(tokens)


def _text_again(units: Iterable[str], rates: Mapping[str, Rate]) -> set[str]:
    """Give what measures a text that is read again: its tokens where the card charges its characters.

    Where it has no rate for characters, and one for the tokens, characters are left out.

    Source: cloud.google.com/vertex-ai/generative-ai/pricing (embeddings for text by 1,000 characters; the
    rate a token that a list has beside it is four times that of a character, whatever the text).
    """
    if CHARACTERS not in units:
        return set()
    text = {unit for unit in units if TOKEN_UNITS.get(unit) == "input" and split_unit(unit)[1] is None}
    if CHARACTERS in rates:
        return text
    return {CHARACTERS} if any(unit in rates for unit in text) else set()


def _own(rates: Mapping[str, Rate], unit: str) -> bool:
    rate = rates.get(unit)
    return rate is not None and rate.flag != ASSUMED
