"""Llm: a small client of one model, with its usage and costs at hand."""

from collections.abc import Iterator, Sequence
from contextlib import suppress as ignore
from typing import Any

from outlay.capture import suppress
from outlay.capture.guard import guarded
from outlay.core.errors import CallError
from outlay.llm.config import LlmConfig
from outlay.llm.response import LLMResponse
from outlay.llm.route import RecorderOf, Route, now, process_recorder, raised_in
from outlay.llm.usage import LlmUsage
from outlay.llm.waiting import in_own_thread

_WHOM = {
    "user_id": "user",
    "session_id": "session",
    "agent_id": "agent",
    "action_id": "action",
    "workspace": "workspace",
    "query_type": "query_type",
}


class Llm:
    """Calls the model of a config; when that fails, again, and then those of the ``fallbacks`` in order.

    Every attempt, a failed one that was billed too, is recorded and counted in ``usage``. The adapter is the
    one registered under the provider's name.
    """

    def __init__(
        self,
        config: LlmConfig,
        *,
        fallbacks: Sequence[LlmConfig] = (),
        recorder: RecorderOf = process_recorder,
        session_id: str | None = None,
        workspace: str | None = None,
    ) -> None:
        self.config = config
        self.usage = LlmUsage()
        self._recorder = recorder
        self._routes = [(each, route_of(each)) for each in (config, *fallbacks)]
        self._whom = {"session_id": session_id, "workspace": workspace}

    def complete(self, prompt: str, system_prompt: str | None = None, **options: Any) -> str:
        """Send a prompt and give the answer's text.

        ``user_id``, ``session_id``, ``agent_id``, ``action_id``, ``workspace`` and ``query_type`` say whom
        the call is for; other options go to the adapter.

        Raises:
            CallError: no attempt worked; the provider's own error is its cause, unless that repeats the key.
            BudgetExceededError: a budget with a hard stop is spent; nothing was sent.
        """
        return self.respond(prompt, system_prompt, **options).content

    async def acomplete(self, prompt: str, system_prompt: str | None = None, **options: Any) -> str:
        """Do what :meth:`complete` does, without holding up the event loop.

        Each call has a thread of its own; a semaphore of yours bounds how many are under way.
        """
        return await in_own_thread(self.complete, prompt, system_prompt, **options)

    def respond(self, prompt: str, system_prompt: str | None = None, **options: Any) -> LLMResponse:
        """Send a prompt and give the whole answer; see :meth:`complete`."""
        whom, asked = self._split(options)
        response: LLMResponse | None = None
        for config, route in self._routes:
            for attempt in range(config.retries + 1):
                route.admit(self._recorder(), whom)
                at = now()
                response = route.call(prompt, _asked(config, system_prompt, asked))
                self._keep(route, response, at, {**whom, "retries": attempt, "prompt_length": len(prompt)})
                if (ending := raised_in(response)) is not None:
                    raise ending
                if response.success:
                    return response
        raise failure_of(response)

    def stream(self, prompt: str, system_prompt: str | None = None, **options: Any) -> Iterator[str]:
        """Send a prompt and give the answer's text piece by piece; a stream left early is recorded as such.

        An adapter that cannot stream gives one piece. Streams are neither repeated nor do they fall back.

        Raises:
            CallError: the call failed; the provider's own error is its cause, unless that repeats the key.
            BudgetExceededError: a budget with a hard stop is spent; nothing was sent.
        """
        config, route = self._routes[0]
        whom, asked = self._split(options)
        made = route.made()
        if not hasattr(made, "stream"):
            yield self.complete(prompt, system_prompt, **options)
            return
        route.admit(self._recorder(), whom)
        at, answer = now(), made.stream(prompt, **_asked(config, system_prompt, asked))
        broken: Exception | None = None
        try:
            while True:
                with suppress():
                    try:
                        piece = next(answer)
                    except StopIteration:
                        break
                    except Exception as error:  # noqa: BLE001 - the SDK's own errors, known only where it is
                        broken = error
                        break
                yield piece
        finally:
            with ignore(Exception):  # whatever closing says, the call is over
                answer.close()
            response = answer.response()
            fields = {**whom, "streamed": True, "prompt_length": len(prompt)}
            self._keep(route, response, at, fields)
        if broken is not None:
            if response.success:  # an adapter that does not know of it
                raise broken
            raise failure_of(response)

    @guarded
    def _keep(self, route: Route, response: LLMResponse, at: Any, fields: dict[str, Any]) -> None:
        self.usage.add(route.record(response, at, self._recorder(), fields))

    def _split(self, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        given = {**self._whom, **{name: value for name, value in options.items() if name in _WHOM}}
        whom = {_WHOM[name]: str(value) for name, value in given.items() if value is not None}
        return whom, {name: value for name, value in options.items() if name not in _WHOM}


def route_of(config: LlmConfig) -> Route:
    """Make the route that a config describes."""
    options = {
        "api_key": config.api_key,
        "base_url": config.base_url,
        "timeout": config.timeout,
        **config.options,
    }
    return Route(config.provider, config.model, options, config.book)


def failure_of(response: LLMResponse | None) -> CallError:
    """Say that no attempt worked, and why the last one did not.

    The provider's own error is its cause, unless that repeats the key: a traceback would show it.
    """
    if response is None:
        return CallError("no attempt was made; retries must be 0 or more")
    kind = f"{response.error_type}: " if response.error_type else ""
    failure = CallError(f"{response.provider}, {response.model}: {kind}{response.error or 'the call failed'}")
    failure.__cause__ = None if response.cause_tells else response.cause
    return failure


def _asked(config: LlmConfig, system_prompt: str | None, asked: dict[str, Any]) -> dict[str, Any]:
    usual = {"system": system_prompt, "temperature": config.temperature, "max_tokens": config.max_tokens}
    return {**{name: value for name, value in usual.items() if value is not None}, **asked}
