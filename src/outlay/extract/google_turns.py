"""Gemini's live sessions and interactions: turns that add up, and totals that run along."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage, changed, ordered
from outlay.extract.answers import finish, missing, split, tier_terms, usage_in
from outlay.extract.google import Grounded, google_terms, google_usage, snake
from outlay.extract.modality import by_modality, count_input, count_output
from outlay.extract.plain import fields_of, rows_of
from outlay.extract.streams import cut_off, peek
from outlay.extract.tally import Tally, sum_units

_KNOWN_TURN = frozenset(
    {
        *(
            "prompt_token_count",
            "cached_content_token_count",
            "response_token_count",
            "candidates_token_count",
        ),
        *(
            "thoughts_token_count",
            "tool_use_prompt_token_count",
            "total_token_count",
            "prompt_tokens_details",
        ),
        *("cache_tokens_details", "response_tokens_details", "candidates_tokens_details"),
        *("tool_use_prompt_tokens_details", "traffic_type", "service_tier"),
    }
)
_KNOWN_INTERACTION = frozenset(
    {
        *("total_tokens", "total_input_tokens", "total_output_tokens", "total_thought_tokens"),
        *("total_tool_use_tokens", "total_cached_tokens", "input_tokens_by_modality"),
        *("output_tokens_by_modality", "cached_tokens_by_modality", "tool_use_tokens_by_modality"),
        *("grounding_tool_count", "initial_input_tokens"),
    }
)
_GROUNDINGS = {"google_search": "web_search", "google_maps": "maps_search"}


def read_live(body: Mapping[str, Any], provider: str) -> Usage:
    """Read one message of a live session."""
    session = LiveStream(provider)
    session.add(body)
    return session.usage()


def count_live(tally: Tally, named: Mapping[str, Any]) -> None:
    """Count one turn: thoughts are inside of the response here, unless the stated total says otherwise."""
    cached = tally.count(named, "cached_content_token_count") or 0
    thought = tally.count(named, "thoughts_token_count") or 0
    tools = tally.count(named, "tool_use_prompt_token_count") or 0
    total = tally.count(named, "total_token_count")
    given = tally.count(named, "prompt_token_count")
    shown = tally.first(named, "response_token_count", "candidates_token_count")
    outside = thought if thought and total == (given or 0) + (shown or 0) + thought + tools else 0
    prompt, response = tally.sides(given, shown, total, tools + outside)
    count_input(
        tally,
        prompt,
        cached,
        by_modality(tally, named.get("prompt_tokens_details")),
        by_modality(tally, named.get("cache_tokens_details")) if cached else {},
    )
    tally.put("input", tools)
    rows = named.get("response_tokens_details") or named.get("candidates_tokens_details")
    left = count_output(tally, "output", response, by_modality(tally, rows))
    if outside:
        tally.flags.add("reasoning_additive")
        tally.put("reasoning", thought)
    else:
        left = tally.take("reasoning", thought, left)
        tally.check(total, prompt + response + tools)
    tally.put("output", left)
    tally.unknown(named, _KNOWN_TURN)


class LiveStream:
    """A collector of a live session: every usageMetadata bills its turn, OpenAI's seconds run along."""

    __slots__ = ("_grounded", "_last", "_open", "_prompts", "_provider", "_seconds", "_terms", "_turns")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._turns = Tally()
        self._seconds: Any = None
        self._last: Mapping[str, Any] | None = None
        self._open = False
        self._grounded = Grounded()  # of the turn under way
        self._prompts: list[Usage] = []  # what each turn was grounded by: some models charge it by the prompt
        self._terms: dict[str, str] | None = None  # on which all turns agree

    def add(self, event: Any) -> None:
        """Count a turn when its usage comes; keep the last session usage of OpenAI's live API."""
        fields = event if type(event) is dict else fields_of(event) or {}
        content = fields.get("serverContent") or fields.get("server_content")
        if content is not None:
            self._grounded.add(content)
        if usage := google_usage(fields):
            self._end_turn(usage)
        elif "usage" in fields:
            self._seconds = fields["usage"]
        elif "serverContent" in fields or fields.get("server_content") is not None:
            self._open = True

    def _end_turn(self, usage: Mapping[str, Any]) -> None:
        self._last, self._open = usage, False
        named = {snake(key): value for key, value in usage.items()}
        count_live(self._turns, named)
        if grounded := self._grounded.items():
            self._prompts.append(Usage.of(grounded))
            self._grounded = Grounded()
        terms = google_terms(named)
        self._terms = terms if self._terms is None else dict(self._terms.items() & terms.items())

    @property
    def complete(self) -> bool:
        """Whether usage was seen, and nothing was said after it."""
        return (self._last is not None or self._seconds is not None) and not self._open

    def usage(self) -> Usage:
        """Give the sum over all turns, or the seconds of the session so far."""
        if self._seconds is not None:
            raw = usage_in(self._seconds)
            if raw is None:
                return cut_off(Usage(), "the session states no seconds")
            tally = Tally()
            tally.put("audio_seconds", tally.amount(raw, "seconds"))
            return tally.usage(raw=raw)
        if self._last is None:
            return cut_off(Usage(), "no turn has ended with its usage")
        turns = self._turns.usage(self._terms, raw=self._last)
        if self._prompts:
            turns = _with_prompts(turns, *self._prompts)
        return turns if self.complete else cut_off(turns, "the session ended within a turn")


def _with_prompts(turns: Usage, first: Usage, *others: Usage) -> Usage:
    """Add what turns were grounded by; where there are several, each is priced apart."""
    one = changed(turns, items=ordered(sum_units((turns, first))))
    return split(one, (changed(one, raw=None), *others)) if others else one


def read_interaction(body: Mapping[str, Any], provider: str) -> Usage:
    """Read an interaction: total = input + output + thought + tool use, cached inside of the input."""
    usage = usage_in(body.get("usage"))
    if usage is None:
        return missing(body)
    tally = Tally()
    cached = tally.count(usage, "total_cached_tokens") or 0
    thought = tally.count(usage, "total_thought_tokens") or 0
    tools = tally.count(usage, "total_tool_use_tokens") or 0
    total = tally.count(usage, "total_tokens")
    given, written = tally.count(usage, "total_input_tokens"), tally.count(usage, "total_output_tokens")
    given, written = tally.sides(given, written, total, thought + tools)
    cached_listed = by_modality(tally, usage.get("cached_tokens_by_modality")) if cached else {}
    count_input(
        tally, given, cached, by_modality(tally, usage.get("input_tokens_by_modality")), cached_listed
    )
    if tools:
        tool_listed = by_modality(tally, usage.get("tool_use_tokens_by_modality"))
        tally.put("input", count_output(tally, "input", tools, tool_listed))
    listed = by_modality(tally, usage.get("output_tokens_by_modality"))
    tally.put("output", count_output(tally, "output", written, listed))
    tally.put("reasoning", thought)
    for row in rows_of(usage.get("grounding_tool_count")):
        count = tally.count(row, "count") if isinstance(row, dict) else None
        if unit := _GROUNDINGS.get(str(peek(row, "type"))):
            tally.put(unit, count)
        elif count:
            tally.flags.add("unknown_keys")
    tally.check(total, given + written + thought + tools)
    tally.unknown(usage, _KNOWN_INTERACTION)
    return finish(tally, body, usage, provider, tier_terms(body))


class InteractionStream:
    """A collector of interaction events: the completed interaction has the usage, others tell it so far."""

    __slots__ = ("_first", "_metadata", "_provider", "_whole")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._first: Any = None
        self._whole: Any = None
        self._metadata: Any = None

    def add(self, event: Any) -> None:
        """Keep the interaction when it carries usage, and the usage so far."""
        interaction = peek(event, "interaction")
        if interaction is not None:
            self._first = self._first or interaction
            if peek(interaction, "usage"):
                self._whole = interaction
        metadata = peek(event, "metadata")
        if metadata is not None:
            self._metadata = metadata

    @property
    def complete(self) -> bool:
        """Whether the finished interaction was seen."""
        return self._whole is not None

    def usage(self) -> Usage:
        """Read the finished interaction, else what is known so far."""
        if self._whole is not None:
            return read_interaction(fields_of(self._whole) or {}, self._provider)
        facts = {**(fields_of(self._first) or {}), "usage": peek(self._metadata, "usage")}
        return cut_off(read_interaction(facts, self._provider), "the stream ended before its final usage")
