"""DynamicLLMClient: calls the model that a registry has for a tier, a name or an id, and tells a tracker."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from outlay.capture.guard import guarded, note_failure
from outlay.core.record import Record
from outlay.llm.client import failure_of
from outlay.llm.config import adapter_name
from outlay.llm.registry import LLMEntry, LLMRegistry, LLMTier
from outlay.llm.response import LLMResponse
from outlay.llm.route import RecorderOf, Route, now, process_recorder, raised_in
from outlay.llm.waiting import in_own_thread


class Tracker(Protocol):
    """What the client tells of each call."""

    def record(self, *args: Any, **kwargs: Any) -> Any:
        """Take one call."""
        ...


class DynamicLLMClient:
    """Chooses a model for each call; what it costs is reckoned by the entry's own price, else by the book.

    After a failure the call is made again, ``retries`` times, and then with the models of the tiers in
    ``fallbacks``. Every attempt is recorded, a failed one that was billed too.
    """

    def __init__(
        self,
        registry: LLMRegistry,
        tracker: Tracker | None = None,
        *,
        retries: int = 0,
        fallbacks: Sequence[LLMTier | str] = (),
        recorder: RecorderOf = process_recorder,
    ) -> None:
        self.registry = registry
        self.tracker = tracker
        self._retries = retries
        self._fallbacks = tuple(fallbacks)
        self._recorder = recorder
        self._routes: dict[Any, tuple[LLMEntry, Route]] = {}
        self._lock = threading.Lock()

    async def generate(self, prompt: str, **asked: Any) -> LLMResponse:
        """Do what :meth:`generate_sync` does, without holding up the event loop.

        A tracker with ``arecord`` is told in the loop, by that.
        """
        waiting = getattr(self.tracker, "arecord", None)
        if waiting is None:
            return await in_own_thread(self._generate, prompt, self._tell, **asked)
        told = _Told(self._tell)
        try:
            return await in_own_thread(told.within, self._generate, prompt, told.append, **asked)
        finally:
            for each in told.to_await():
                await _tell_awaiting(waiting, each)

    def generate_sync(self, prompt: str, **asked: Any) -> LLMResponse:
        """Send a prompt to the model of ``llm_id``, else ``llm_name``, else ``tier``, else to the default.

        ``user_id`` says whom it is for, ``system_prompt`` stands before the prompt; other options go to the
        adapter.

        Raises:
            SettingsError: there is no such model.
            CallError: no attempt worked; the provider's own error is its cause, unless that repeats the key.
            BudgetExceededError: a budget with a hard stop is spent; nothing was sent.
        """
        return self._generate(prompt, self._tell, **asked)

    def _generate(  # noqa: PLR0913 - the public keywords
        self,
        prompt: str,
        tell: Callable[[dict[str, Any]], object],
        *,
        tier: LLMTier | str | None = None,
        user_id: str | int | None = None,
        llm_id: Any = None,
        llm_name: str | None = None,
        system_prompt: str | None = None,
        **options: Any,
    ) -> LLMResponse:
        first = self._chosen(llm_id, llm_name, tier)
        entries = [first, *(self.registry.get_by_tier(each) for each in self._fallbacks)]
        response: LLMResponse | None = None
        for entry in dict.fromkeys(entries):
            usual = {
                "system": system_prompt,
                "max_tokens": entry.max_tokens,
                "temperature": entry.temperature,
            }
            sent = {**{name: value for name, value in usual.items() if value is not None}, **options}
            for attempt in range(self._retries + 1):
                route = self._route(entry)
                route.admit(self._recorder(), {} if user_id is None else {"user": str(user_id)})
                at = now()
                response = route.call(prompt, sent)
                fields = {
                    "user": None if user_id is None else str(user_id),
                    "retries": attempt,
                    "prompt_length": len(prompt),
                }
                kept = guarded(route.record)(response, at, self._recorder(), fields)
                if kept is not None:  # else an answer that was paid for goes back all the same
                    tell({**_told(entry, user_id, kept), **_whole(kept, self.tracker)})
                if (ending := raised_in(response)) is not None:
                    raise ending
                if response.success:
                    return response
        raise failure_of(response)

    def _chosen(self, llm_id: Any, llm_name: str | None, tier: LLMTier | str | None) -> LLMEntry:
        if llm_id is not None:
            return self.registry.get_by_id(llm_id)
        if llm_name is not None:
            return self.registry.get_by_name(llm_name)
        return self.registry.get_default() if tier is None else self.registry.get_by_tier(tier)

    def _route(self, entry: LLMEntry) -> Route:
        with self._lock:
            kept = self._routes.get(entry.id)
            if kept is None or kept[0] != entry:
                options = {"api_key": entry.api_key, "base_url": entry.base_url}
                kept = (entry, Route(adapter_name(entry.provider), entry.model, options, entry.book))
                self._routes[entry.id] = kept
            return kept[1]

    @guarded
    def _tell(self, told: dict[str, Any]) -> None:
        if self.tracker is not None:
            self.tracker.record(**told)


class _Told:
    """What a call has to tell a tracker that is awaited.

    Where nobody waits any more, the task being cancelled, the call goes on and may be paid for: then its
    thread tells the tracker.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], object]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._told: list[dict[str, Any]] = []
        self._over = self._left = False

    def append(self, told: dict[str, Any]) -> None:
        """Take what one attempt has to tell."""
        self._told.append(told)

    def within(self, function: Callable[..., LLMResponse], *args: Any, **kwargs: Any) -> LLMResponse:
        """Call a function in the call's thread."""
        try:
            return function(*args, **kwargs)
        finally:
            with self._lock:
                self._over = True
                left = self._told if self._left else []
            for each in left:
                self._tell(each)

    def to_await(self) -> list[dict[str, Any]]:
        """Give what the task has to tell: all of a call that is over, nothing of one that goes on."""
        with self._lock:
            self._left = True
            return self._told if self._over else []


async def _tell_awaiting(waiting: Any, told: dict[str, Any]) -> None:
    try:
        await waiting(**told)
    except Exception as error:  # noqa: BLE001 - a tracker that fails never breaks the call
        note_failure("DynamicLLMClient", error)


def _told(entry: LLMEntry, user_id: str | int | None, record: Record) -> dict[str, Any]:
    """Say what a tracker is told of one attempt."""
    return {
        "llm_id": entry.id,
        "user_id": user_id,
        "prompt_tokens": record.input_tokens,
        "completion_tokens": record.output_tokens,
        "cost": record.cost,
        "metadata": {
            "model": record.model,
            "provider": record.provider,
            "tier": str(entry.tier),
            "success": record.success,
            "latency_ms": record.latency_ms,
            "record_id": record.id,
        },
    }


def _whole(record: Record, tracker: object) -> dict[str, Any]:
    """Say the rest of a call to a tracker that takes it: who answered, how long it took, whether it worked.

    Else it would keep calls of nobody, and count those that failed as good.
    """
    told = {"timestamp": record.at, "success": record.success, "charge": record.charge}
    names = ("usage", "provider", "model", "latency_ms", "error", "error_type")
    told |= {name: getattr(record, name) for name in names}
    takes: frozenset[str] = getattr(tracker, "takes", frozenset())
    return {name: value for name, value in told.items() if name in takes}
