"""Gemini and Vertex generate_content: cached inside the prompt, thoughts and tool-use prompts outside."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from outlay.core.usage import Item, Term, Usage, sort_terms
from outlay.extract.answers import finish, missing, names_in, usage_in
from outlay.extract.google_usual import usual_items
from outlay.extract.modality import by_modality, count_input, count_output
from outlay.extract.plain import fields_of, name_of, rows_of
from outlay.extract.streams import Kept, cut_off, peek
from outlay.extract.tally import Tally, made
from outlay.extract.usual import Usual

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_TRAFFIC = {1: "on_demand", 2: "provisioned_throughput"}  # the protobuf's numbers
_LONGEST = 100  # letters of a name; a longer one is cut by the whole way
_TIERS = {"on_demand_flex": "flex", "on_demand_priority": "priority"}

_KNOWN = frozenset(
    {
        *(
            "prompt_token_count",
            "cached_content_token_count",
            "candidates_token_count",
            "response_token_count",
        ),
        *("thoughts_token_count", "tool_use_prompt_token_count", "total_token_count"),
        *(
            "prompt_tokens_details",
            "prompt_token_details",
            "cache_tokens_details",
            "candidates_tokens_details",
        ),
        *("response_tokens_details", "tool_use_prompt_tokens_details", "traffic_type", "service_tier"),
        *("pydantic_ai_gateway", "initial_prompt_token_count"),
    }
)
_SHOWN = ("candidates_token_count", "response_token_count")
_COUNTS = frozenset({"prompt_token_count", "total_token_count", *_SHOWN})


@lru_cache(maxsize=512)  # the keys of a handful of messages; bounded, for keys are also strangers'
def snake(key: str) -> str:
    """Write a key as Python SDKs do: ``promptTokenCount`` -> ``prompt_token_count``."""
    return _HUMP.sub(r"_\1", key).lower()


def google_usage(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Copy the usage of a Google body, in either spelling."""
    found = body.get("usageMetadata")
    return usage_in(found if found is not None else body.get("usage_metadata"))


def read_generate_content(body: Mapping[str, Any], provider: str) -> Usage:
    """Read one generate_content body, camelCase from the wire or snake_case from SDKs."""
    if (usual := usual_generate_content(body)) is not None:
        items, names, terms, stated = usual
        return made(items, names, terms, usage_in(stated))
    usage = google_usage(body)
    facts = google_facts(body)
    if usage is None:
        return missing(facts)
    tally = Tally()
    named = {snake(key): value for key, value in usage.items()}
    count_google(tally, named)
    for unit, count in groundings(body.get("candidates")):
        tally.put(unit, count)
    return finish(tally, facts, usage, provider, google_terms(named))


def usual_generate_content(body: Mapping[str, Any]) -> Usual | None:
    """Read a usual answer and give its very usage; None for one that needs a closer look."""
    usage = body.get("usageMetadata")
    if type(usage) is not dict or not (items := usual_items(usage)) or groundings(body.get("candidates")):
        return None
    model, answer_id = body.get("modelVersion"), body.get("responseId")
    names = (model, answer_id) if _is_name(model) and _is_name(answer_id) else names_in(google_facts(body))
    return items, names, _usual_terms(usage), usage


def _is_name(value: object) -> bool:
    return type(value) is str and 0 < len(value) <= _LONGEST and value.isascii()


def _usual_terms(usage: Mapping[str, Any]) -> tuple[Term, ...]:
    tier, traffic = usage.get("serviceTier"), usage.get("trafficType")
    if tier is None and traffic is None:
        return ()
    return sort_terms(google_terms({"service_tier": tier, "traffic_type": traffic}))


def google_facts(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give model, id and error under the names that every family has."""
    return {
        "model": name_of(body.get("modelVersion")) or name_of(body.get("model_version")) or body.get("model"),
        "id": name_of(body.get("responseId")) or name_of(body.get("response_id")),
        "error": body.get("error"),
    }


def google_terms(named: Mapping[str, Any]) -> dict[str, str]:
    """Read the served tier and Vertex's traffic type."""
    terms: dict[str, str] = {}
    if tier := name_of(named.get("service_tier")):
        terms["service_tier"] = tier.lower().removeprefix("service_tier_")
    kind = named.get("traffic_type")
    traffic = _TRAFFIC.get(kind) if isinstance(kind, int) else (name_of(kind) or "").lower()
    if traffic and traffic != "traffic_type_unspecified":
        terms["traffic_type"] = traffic
        if traffic in _TIERS:
            terms["service_tier"] = _TIERS[traffic]
    return terms


def count_google(tally: Tally, named: Mapping[str, Any], *, answers: bool = True) -> None:
    """Count a usageMetadata: total = prompt + candidates + thoughts + tool-use prompt.

    Without ``answers``, as of embeddings, there is nothing but a prompt.
    """
    cached = tally.count(named, "cached_content_token_count") or 0
    thought = tally.count(named, "thoughts_token_count") or 0
    tools = tally.count(named, "tool_use_prompt_token_count") or 0
    total = tally.count(named, "total_token_count")
    prompt, shown = tally.count(named, "prompt_token_count"), tally.first(named, *_SHOWN)
    if named.keys() & _COUNTS:
        shown = shown if answers else shown or 0
        prompt, shown = tally.sides(prompt, shown, total, thought + tools)
    else:
        tally.reason = "the usage states no counts"
        prompt, shown = prompt or 0, shown or 0
    rows = named.get("prompt_tokens_details") or named.get("prompt_token_details")
    _count_prompt(tally, named, (prompt, cached, tools), rows)
    rows = named.get("candidates_tokens_details") or named.get("response_tokens_details")
    tally.put("output", count_output(tally, "output", shown, by_modality(tally, rows)))
    tally.put("reasoning", thought)
    tally.check(total, prompt + shown + thought + tools)
    tally.unknown(named, _KNOWN)


def _count_prompt(tally: Tally, named: Mapping[str, Any], counts: tuple[int, int, int], rows: object) -> None:
    prompt, cached, tools = counts
    listed = by_modality(tally, rows)
    cached_listed = by_modality(tally, named.get("cache_tokens_details")) if cached else {}
    count_input(tally, prompt, cached, listed, cached_listed)
    if tools:  # billed as input, beside the prompt
        tool_listed = by_modality(tally, named.get("tool_use_prompt_tokens_details"))
        tally.put("input", count_output(tally, "input", tools, tool_listed))


def groundings(candidates: object) -> list[Item]:
    """Count what the grounding of an answer is charged for, which usageMetadata leaves out."""
    told = [each for each in rows_of(candidates) if _grounding_of(each) is not None]
    if not told:
        return []
    grounded = Grounded()
    for candidate in told:
        grounded.add(candidate)
    return grounded.items()


def _grounding_of(content: object) -> Any:
    return peek(content, "groundingMetadata") or peek(content, "grounding_metadata")


class Grounded:
    """What one answer was grounded by, over all of its candidates and chunks.

    ai.google.dev/gemini-api/docs/google-search: of an answer's web searches each unique query that is not
    empty counts; /maps-grounding: an answer that has at least one source of Google Maps is one request.
    What a search for images costs is not told anywhere: it is counted, so that its cost says what it lacks.
    """

    __slots__ = ("_images", "_maps", "_queries")

    def __init__(self) -> None:
        self._queries: set[str] = set()
        self._images: set[str] = set()
        self._maps = False

    def add(self, content: object) -> None:
        """Look at a candidate, or at what a live session says."""
        grounding = _grounding_of(content)
        if grounding is None:
            return
        queries = peek(grounding, "webSearchQueries") or peek(grounding, "web_search_queries")
        self._queries.update(str(query) for query in rows_of(queries) if query)
        queries = peek(grounding, "imageSearchQueries") or peek(grounding, "image_search_queries")
        self._images.update(str(query) for query in rows_of(queries) if query)
        chunks = peek(grounding, "groundingChunks") or peek(grounding, "grounding_chunks")
        self._maps = self._maps or any(peek(chunk, "maps") for chunk in rows_of(chunks))

    def items(self) -> list[Item]:
        """Give the counts."""
        counts = (
            ("web_search", len(self._queries)),
            ("image_search", len(self._images)),
            ("maps_search", int(self._maps)),
        )
        return [found for found in counts if found[1]]

    def as_candidates(self) -> list[dict[str, Any]] | None:
        """Give candidates of a body that were grounded by just this; None where nothing is charged."""
        if not self.items():
            return None
        chunks = [{"maps": {"of": "any"}}] if self._maps else []
        told = {
            "webSearchQueries": sorted(self._queries),
            "imageSearchQueries": sorted(self._images),
            "groundingChunks": chunks,
        }
        return [{"groundingMetadata": told}]


class GenerateContentStream:
    """A collector of generate_content chunks: the usage runs along, per field the last one counts."""

    __slots__ = ("_first", "_grounded", "_kept", "_last", "_provider")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._first: Any = None
        self._last: Any = None
        self._grounded = Grounded()
        self._kept = Kept()

    def add(self, event: Any) -> None:
        """Keep the first and the last chunk, every usage, and what chunks tell of searches."""
        if self._first is None:
            self._first = event
        self._last = event
        if type(event) is dict:
            usage = event.get("usageMetadata") or event.get("usage_metadata")
        else:
            usage = getattr(event, "usage_metadata", None)
        if usage is not None:
            self._kept.append(usage)
        for candidate in rows_of(peek(event, "candidates")):
            self._grounded.add(candidate)

    @property
    def complete(self) -> bool:
        """Whether usage was seen and the last chunk ends the answer."""
        if not self._kept:
            return False
        candidates = rows_of(peek(self._last, "candidates"))
        return not candidates or any(
            peek(candidate, "finishReason") or peek(candidate, "finish_reason") for candidate in candidates
        )

    def hold(self) -> None:
        """Copy the usage."""
        self._kept.hold()

    def as_body(self) -> Mapping[str, Any] | None:
        """Give the body that a stream amounts to which came to its end; None for one that did not."""
        return self._facts() if self.complete else None

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for chunk in (self._first, self._last):
            for key, value in (fields_of(chunk) or {}).items():
                if value or key not in facts:
                    facts[key] = value
        facts["usageMetadata"] = self._kept.merged() or None
        facts["candidates"] = self._grounded.as_candidates()
        return facts

    def usage(self) -> Usage:
        """Read the merged usage with the facts of the first and last chunk."""
        read = read_generate_content(self._facts(), self._provider)
        return read if self.complete else cut_off(read, "the stream ended before its final usage")
