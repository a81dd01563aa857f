"""What others list: genai-prices where it is installed, litellm's price map from a file or URL.

The one module of pricing that reads from elsewhere; everything in it runs only when asked for.
"""

import io
import json
import re
import time
import urllib.error
import urllib.request
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, BinaryIO

from outlay.core.errors import MissingExtraError, PriceBookError
from outlay.core.money import EXACT
from outlay.core.providers import provider_id
from outlay.core.usage import Term

_LIMIT = 64 * 2**20  # bytes; the largest known map has a twentieth of it
_TIMEOUT = 30.0  # seconds of silence
_PATIENCE = 300.0  # seconds for all of it: a server that drips a byte now and then is never silent
_PORTION = 2**16
_SCHEMES = ("http://", "https://", "file://")
_MAP = "model_prices_and_context_window"
_GENAI_UNITS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "web_searches_kcount": "web_search",
}
_LITELLM_UNITS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
}
_LITELLM_TARIFFS: Mapping[str, tuple[Term, ...]] = {
    "": (),
    "_batches": (("batch", "true"),),
    "_priority": (("service_tier", "priority"),),
    "_flex": (("service_tier", "flex"),),
}
_LITELLM_HOMES = {
    "fireworks_ai-embedding-models": "fireworks",
    "text-completion-codestral": "mistral",
    "codestral": "mistral",
    "meta_llama": "meta",
}
# Their zeros mean "included in a subscription".
_SUBSCRIPTIONS = frozenset({"github_copilot", "chatgpt", "microsoft_365_copilot"})
_BEDROCK = re.compile(r"(?:bedrock(?:_mantle|_converse)?/)?(?:([a-z]{2}(?:-gov)?-[a-z]+-\d)/)?(.+)")
# Not about models of language, or unverifiable.
_GENAI_SKIPPED = frozenset({"openai-decisions", "typesafe", "quicksilverpro"})
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Listed:
    """One rate as another list states it, for as many units as our book states it for; in USD."""

    provider: str
    model: str
    unit: str
    rate: Decimal
    terms: tuple[Term, ...] = ()


def fetch(where: str, *, limit: int = _LIMIT) -> bytes:
    """Read a file, or what a URL (http, https, file) gives.

    Raises:
        PriceBookError: it cannot be read, or is larger than ``limit`` bytes.
    """
    try:
        if where.lower().startswith(_SCHEMES):
            with urllib.request.urlopen(where, timeout=_TIMEOUT) as answer:  # noqa: S310  the schemes are ours
                content = _read(answer, limit)
        else:
            with Path(where).open("rb") as file:
                content = file.read(limit + 1)
    except urllib.error.HTTPError as error:
        with error:  # it is an answer too, and holds its connection
            raise PriceBookError(f"{where} cannot be read: {_in_words(error.reason)}") from None
    except HTTPException as error:  # a bad URL, too; its text may be whatever the server sent
        raise PriceBookError(f"{where} cannot be read: {type(error).__name__} in HTTP") from None
    except (OSError, ValueError) as error:  # URLError and time-outs are OSErrors; ValueError is a bad URL
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise PriceBookError(f"{where} cannot be read: {_in_words(reason)}") from None
    if len(content) > limit:
        raise PriceBookError(f"{where} has more than {limit:,} bytes, too many for a list of prices")
    return content


def _read(answer: HTTPResponse | BinaryIO, limit: int) -> bytes:
    """Read an answer as it comes, up to one byte above the limit.

    Raises:
        OSError: it is not there in time, or breaks off.
    """
    content, end = bytearray(), time.monotonic() + _PATIENCE
    whole = answer.length if isinstance(answer, HTTPResponse) else None
    portion = answer.read1 if isinstance(answer, HTTPResponse) else answer.read
    wanted = limit + 1 if whole is None else min(whole, limit + 1)
    while len(content) < wanted and (part := portion(min(_PORTION, wanted - len(content)))):
        content += part
        if time.monotonic() > end:
            raise TimeoutError(f"not there after {_PATIENCE:g} seconds")
    if whole is not None and len(content) < wanted:
        raise OSError(f"it broke off after {len(content):,} of {whole:,} bytes")
    return bytes(content)


def _in_words(reason: object) -> str:
    """Give what a library or a server says in one line that can be shown."""
    return " ".join("".join(each if each.isprintable() else " " for each in str(reason)).split())


def genai_listed(at: datetime) -> Iterator[Listed]:
    """Give every rate that genai-prices lists for an instant, below every tier.

    Raises:
        MissingExtraError: genai-prices is not installed.
    """
    try:
        from genai_prices.data import providers  # noqa: PLC0415  an oracle, never needed to price
        from genai_prices.types import TieredPrices  # noqa: PLC0415  likewise
    except ImportError:
        raise MissingExtraError("genai-prices is not installed; run: pip install genai-prices") from None
    for provider in (each for each in providers if each.id not in _GENAI_SKIPPED):
        home = provider_id(provider.id) or provider.id
        for model in provider.models:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about terms that nobody gave
                prices = model.get_prices(at)
            name = model.id.replace("regional.", "us.", 1) if model.id.startswith("regional.") else model.id
            for key, unit in _GENAI_UNITS.items():
                value = getattr(prices, key, None)
                rate = value.base if isinstance(value, TieredPrices) else value
                if isinstance(rate, Decimal | int):
                    yield Listed(home, name, unit, Decimal(rate))


def litellm_map(content: bytes, where: str) -> dict[str, Any]:
    """Read litellm's map, or the wheel that holds it; numbers as they are written.

    Raises:
        PriceBookError: it is neither.
    """
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            content = _unpacked(content)
        data = json.loads(content, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, StopIteration, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise PriceBookError(f"{where} is no price map of litellm: {error!r:.80}") from None
    if not isinstance(data, dict):
        raise PriceBookError(f"{where} is no price map of litellm: it is no JSON object")
    return data


def _unpacked(wheel: bytes) -> bytes:
    """Take the map out of its wheel, up to the most that a list may have."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        name = next(each for each in archive.namelist() if _MAP in each and each.endswith(".json"))
        with archive.open(name) as file:
            content = file.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise ValueError(f"it unpacks to more than {_LIMIT:,} bytes")
    return content


def litellm_listed(prices: Mapping[str, Any]) -> Iterator[Listed]:
    """Give every rate per token of litellm's map; its zeros are left out, since they may mean unknown."""
    for key, data in prices.items():
        home = _home(data.get("litellm_provider")) if isinstance(data, dict) else None
        if home is None or "commitment" in key:
            continue
        name, place = _split(key, home)
        for root, unit in _LITELLM_UNITS.items():
            for tariff, terms in _LITELLM_TARIFFS.items():
                rate = data.get(f"{root}{tariff}")
                if isinstance(rate, Decimal) and rate:
                    yield Listed(home, name, unit, EXACT.multiply(rate, _MILLION), (*place, *terms))


def _home(written: object) -> str | None:
    if not isinstance(written, str) or written in _SUBSCRIPTIONS or " " in written:
        return None
    if written.startswith("vertex_ai"):
        return "vertex"
    return _LITELLM_HOMES.get(written) or provider_id(written)


def _split(key: str, home: str) -> tuple[str, tuple[Term, ...]]:
    """Take provider and Bedrock region off a key; our own reading of names does the rest."""
    if home == "bedrock":
        found = _BEDROCK.fullmatch(key)
        return (key, ()) if found is None or found[1] is None else (found[2], (("region", found[1]),))
    first, _, rest = key.partition("/")
    return (rest if rest and _home(first) == home else key), ()
