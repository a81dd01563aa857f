"""What LangChain says of its runs: metadata, tags, LangGraph's thread, the name of the outermost.

A run is told of its own name alone, so that the names are kept here while the runs are under way.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from outlay.capture import contexts
from outlay.capture.guard import guarded
from outlay.instrumentation.lending import named, said_by

MAX_RUNS = 10_000  # that never ended: the oldest is forgotten
_NOBODYS = ("Runnable", "LangGraph", "CompiledStateGraph", "ChatPromptTemplate")
"""How a name begins that LangChain gave itself."""


def forget_oldest(runs: dict[Any, Any]) -> None:
    """Make room for a run: callbacks of some never end, as where a handler of the program's own raises."""
    if len(runs) >= MAX_RUNS:
        for run in list(runs)[: len(runs) - MAX_RUNS + 1]:  # at one go, while other threads begin runs
            runs.pop(run, None)


class Names:
    """The name of the outermost run around each run that is under way."""

    def __init__(self) -> None:
        self._outermost: dict[Any, str | None] = {}

    def begin(self, run: Any, parent: Any, name: object) -> None:
        """Note a run; one further in has the name of the one around it, if that has any."""
        forget_oldest(self._outermost)
        own = name if isinstance(name, str) and name and not name.startswith(_NOBODYS) else None
        self._outermost[run] = self._outermost.get(parent) or own

    def end(self, run: Any) -> None:
        """Forget a run."""
        self._outermost.pop(run, None)

    def of(self, run: Any) -> str | None:
        """Give the name of the outermost run around this one."""
        return self._outermost.get(run)


def said_of(metadata: Mapping[str, Any] | None, tags: Iterable[Any] | None, name: object) -> dict[str, str]:
    """Give the attributes of a run: what metadata calls its feature stands over its name."""
    return {**named(query_type=name), **said_by(metadata, tags or ())}


def telling(original: Callable[[Any], Any], names: Names) -> Callable[[Any], Any]:
    """Wrap what makes a configuration that of a step: calls inside, of any client, are for the same."""
    tell = guarded(_tell)

    @wraps(original)
    def _set_config_context(config: Any) -> Any:
        given = original(config)
        tell(config, names)
        return given

    return _set_config_context


def _tell(config: Mapping[str, Any], names: Names) -> None:
    """Say it in the context that is the step's own, which goes when the step ends."""
    facts = {**(config.get("configurable") or {}), **(config.get("metadata") or {})}
    name = names.of(getattr(config.get("callbacks"), "parent_run_id", None))
    tags = config.get("tags")
    if facts or name or tags:
        contexts.attribution.set(contexts.attribution.get().over(said_of(facts, tags, name)))
