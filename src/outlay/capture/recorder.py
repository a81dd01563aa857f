"""The recorder: makes Records of calls, prices them, and hands them to the journal."""

from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol

from outlay.capture import contexts
from outlay.capture.fields import COUNTS, beside, plain_entries, stated_cost, usage_of_counts
from outlay.capture.forms import Forms, Tariffs
from outlay.capture.guard import note_failure, text_of
from outlay.capture.redact import without_keys
from outlay.capture.surroundings import here
from outlay.capture.texts import Texts
from outlay.core.cost import Cost, fitting, unpriced
from outlay.core.errors import UsageError
from outlay.core.ids import uuid7
from outlay.core.instants import instant
from outlay.core.ports import Clock, Sink
from outlay.core.record import Record, Score, Status
from outlay.core.usage import Usage
from outlay.extract import known_operation

UNKNOWN = "unknown"  # the provider of a call that nobody named
_SPECIAL = {"provider", "usage", "cost", "currency", "terms", "success", "response_id", *COUNTS}
_RECORD_FIELDS = frozenset(field.name for field in dataclass_fields(Record)) - {"usage", "charge", "provider"}
_KEYWORDS = _RECORD_FIELDS | _SPECIAL


class Pricer(Protocol):
    """Prices a usage; ``outlay.pricing.cost_of`` is one."""

    def __call__(self, usage: Usage, *, provider: str | None, model: str | None, at: datetime | None) -> Cost:
        """Give what the usage costs at that instant."""
        ...


class Gate(Protocol):
    """Lets calls pass or raises; ``outlay.alerts`` has one."""

    def __call__(self, provider: str, model: str | None, whom: contexts.Attribution) -> None:
        """Look at a call before it is made."""
        ...


class Billed(NamedTuple):
    """The heart of a record: who served what, when, and what it cost."""

    provider: str
    model: str | None
    at: datetime
    usage: Usage
    charge: Cost


class Recorder:
    """Makes one Record of each call and hands it on; safe to use from any thread or task."""

    def __init__(  # noqa: PLR0913 - what a process hands its recorder, by keyword
        self,
        sink: Sink,
        *,
        clock: Clock,
        price: Pricer,
        tags: Mapping[str, str] | None = None,
        gate: Gate | None = None,
        texts: Texts | None = None,
        errors: Texts | None = None,
        tariff: Tariffs | None = None,
    ) -> None:
        self.sink = sink
        self.forms = (
            None if tariff is None else Forms(tariff)
        )  # None: every call's line is made the whole way
        self.texts = texts  # how prompts and replies are kept; None: they are not
        self.errors = errors or texts  # how the words of errors are kept; None: only their facts are
        self.clock = clock
        # Where the clock has it: the instant as seconds, of which a datetime is made in another thread.
        self.moment: Callable[[], datetime | float] = getattr(clock, "moment", clock.now)
        self.gated = gate is not None
        self._gate = gate
        self._price = price
        self._tags = dict(tags or {})

    def record(self, *, provider: str = UNKNOWN, model: str | None = None, **given: Any) -> Record:
        """Record one call and give the Record.

        Every field of Record is a keyword. Tokens are given as the inclusive counts input_tokens,
        cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens; or ``usage`` gives units.
        ``cost`` states the cost; without it the price book is asked. ``operation`` follows from an ``api``
        that is known, and is else ``chat``. What the open context says is added. Of
        ``prompt`` the length is kept, and the texts of prompt and reply only where prompts are stored.

        Raises:
            TypeError: an unknown keyword.
            UsageError: a count or cost that cannot be.
        """
        _check_keywords(given)
        at = instant(given.pop("at")) if given.get("at") is not None else self.clock.now()
        given.pop("at", None)
        usage = _usage_of(given)
        charge = self._charge(usage, provider, model, at, given)
        given = {**_by_hand(given), **_texts(given, self.texts)}
        own = {name: given.pop(name) for name in ("id", "tags") if name in given}
        place = here()
        spans = {"trace_id": place.trace_id, "span_id": place.span_id}
        record = self.build(Billed(provider, model, at, usage, charge), {**spans, **given}, place.attribution)
        if own:
            tags = {**record.tags, **own.get("tags", {})}
            own["tags"] = {name: value for name, value in tags.items() if value is not None}
            record = replace(record, **own)
        self.keep(record)
        return record

    def admit(self, provider: str, model: str | None, whom: contexts.Attribution | None = None) -> None:
        """Let a call pass that is about to be made for these, or for those that the context says.

        Raises:
            BudgetExceededError: a budget with a hard stop is spent.
        """
        if self._gate is not None:
            who = contexts.attribution.get() if whom is None else whom
            self._gate(provider, model, contexts.Attribution(who.fields, {**self._tags, **who.tags}))

    def price(self, usage: Usage, provider: str, model: str | None, at: datetime) -> Cost:
        """Price a usage; a failure of ours gives an unknown price with that reason, never an exception."""
        try:
            return self._price(usage, provider=provider, model=model, at=at)
        except Exception as error:  # noqa: BLE001 - a fault in pricing must not lose the call
            note_failure("price", error)
            return unpriced(f"pricing failed: {type(error).__name__}", flags=("pricing_failed",))

    def _charge(
        self, usage: Usage, provider: str, model: str | None, at: datetime, given: dict[str, Any]
    ) -> Cost:
        amount, currency = given.pop("cost", None), given.pop("currency", None)
        stated = None if amount is None else stated_cost(amount, currency or "USD")
        ours = self.price(usage, provider, model, at)
        return ours if stated is None else beside(stated, ours.amount)

    def build(
        self, billed: Billed, fields: dict[str, Any], attribution: contexts.Attribution | None = None
    ) -> Record:
        """Make the Record: what was given over what the context says, over what the settings say."""
        who = contexts.attribution.get() if attribution is None else attribution
        return Record(**self.facts(billed, fields, who))

    def facts(self, billed: Billed, fields: dict[str, Any], who: contexts.Attribution) -> dict[str, Any]:
        """Give the keywords of the Record that :meth:`build` makes of these."""
        return {
            "id": uuid7(billed.at),
            "at": billed.at,
            "provider": billed.provider,
            "model": billed.model,
            "usage": billed.usage,
            "charge": fitting(billed.charge),
            "tags": {**self._tags, **who.tags},
            **who.fields,
            **fields,
        }

    def keep(self, record: Record) -> None:
        """Hand a finished record on; the caller's scope learns that a call was seen."""
        scope = contexts.scope.get()
        if scope is not None:
            scope.saw_call()
        self.sink.append(record)

    def score(
        self,
        record_id: str,
        *,
        quality_score: float | None = None,
        user_rating: float | None = None,
        correct: bool | None = None,
    ) -> Score:
        """Judge a recorded call, now or later; the newest value of each field counts."""
        if quality_score is None and user_rating is None and correct is None:
            raise UsageError("a score needs quality_score, user_rating or correct")
        score = Score(
            record_id=record_id,
            at=self.clock.now(),
            quality_score=quality_score,
            user_rating=user_rating,
            correct=correct,
        )
        self.sink.append(score)
        return score

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was recorded is in the journal on disk; False if that took too long."""
        return self.sink.flush(timeout)


def _texts(given: Mapping[str, Any], texts: Texts | None) -> dict[str, Any]:
    """Give what is kept of a prompt and reply that were handed over."""
    told = {name: text_of(given[name]) for name in ("prompt", "reply") if given.get(name) is not None}
    said = {name: text for name, text in told.items() if text is not None}
    kept: dict[str, Any] = {name: None if texts is None else texts.kept(text) for name, text in told.items()}
    if "prompt" in said and given.get("prompt_length") is None:
        kept["prompt_length"] = len(said["prompt"])
    return kept


def _by_hand(given: dict[str, Any]) -> dict[str, Any]:
    """Bring what people give into the kinds that a Record holds; a None is as good as not given."""
    said = {name: value for name, value in given.items() if value is not None}
    for name in contexts.NAMES & said.keys():
        said[name] = text_of(said[name])
    if "tags" in said:
        tags = said["tags"].items()  # a None takes away what the context says, as it does there
        said["tags"] = {name: None if value is None else text_of(value) for name, value in tags}
    if "error" in said:
        words = text_of(said["error"])
        said["error"] = without_keys(type(said["error"]).__name__ if words is None else words)
    if "extra" in said:
        said["extra"] = plain_entries(said["extra"])
    if "operation" not in said and (operation := known_operation(said.get("api"))) is not None:
        said["operation"] = operation
    success = said.pop("success", None)
    if "status" not in said:
        said["status"] = _status(said) if success is None else ("success" if success else "error")
    return said


def _status(fields: Mapping[str, Any]) -> Status:
    failed = fields.get("error") is not None or fields.get("error_type") is not None
    return "error" if failed else "success"


def _check_keywords(given: Mapping[str, Any]) -> None:
    unknown = [name for name in given if name not in _KEYWORDS]
    if unknown:
        near = get_close_matches(unknown[0], _KEYWORDS, n=1)
        hint = f"did you mean {near[0]}?" if near else "put business fields into extra={} or tags={}"
        raise TypeError(f"record() has no keyword {unknown[0]!r}; {hint}")


def _usage_of(given: dict[str, Any]) -> Usage:
    counts = {name: given.pop(name, None) for name in COUNTS}
    usage, terms, response_id = (given.pop(name, None) for name in ("usage", "terms", "response_id"))
    found = _counted(usage, counts).with_terms(**(terms or {}))
    return found if response_id is None else replace(found, response_id=response_id)


def _counted(usage: Any, counts: dict[str, Any]) -> Usage:
    if usage is None:
        return usage_of_counts(counts)
    if any(count is not None for count in counts.values()):
        raise UsageError("give either usage or token counts, not both")
    return usage if isinstance(usage, Usage) else Usage.of(usage)
