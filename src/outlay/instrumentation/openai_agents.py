"""openai-agents: whom the calls of its runs are for; the calls themselves are counted by the SDKs below.

A run passes ``AgentRunner.run`` or ``run_streamed`` once, each turn one of two functions that know its agent.
"""

from collections.abc import Callable
from typing import Any

from outlay.capture.recorder import Recorder
from outlay.instrumentation.lending import lent, lent_async, named, said_by
from outlay.instrumentation.patches import Patches

OLDEST = (0, 24)
_UNNAMED = ("Agent workflow", "no-op")
"""What the SDK calls a workflow that nobody named."""


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - makes no calls
    """Hook the runner, and the turns of its runs where the release has them as functions.

    Raises:
        ImportError: it is not installed.
    """
    from agents.run import AgentRunner  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    patches.replace(AgentRunner, "run", lambda original: lent_async(original, _said_of_run))
    patches.replace(AgentRunner, "run_streamed", lambda original: lent(original, _said_of_run))
    try:
        from agents.run_internal import run_loop  # noqa: PLC0415 - likewise
    except ImportError:  # an older release: the run's first agent stands for all
        return patches
    for name in ("get_new_response", "run_single_turn_streamed"):
        patches.replace(run_loop, name, lambda original: lent_async(original, _said_of_turn))
    return patches


def _said_of_run(args: tuple[Any, ...], asked: dict[str, Any]) -> dict[str, str]:
    """Give what a run says: workflow, group or session, metadata, and the agent that it begins with.

    What a trace that is open around several runs says stands under the run's own.
    """
    from agents.tracing import get_current_trace  # noqa: PLC0415 - loaded by now

    config, trace = asked.get("run_config"), get_current_trace()
    agent = asked["starting_agent"] if "starting_agent" in asked else args[1]
    return {
        **_said_of_trace(getattr(trace, "name", None), trace, "metadata"),
        **named(session=asked.get("conversation_id")),
        **named(session=getattr(asked.get("session"), "session_id", None)),
        **_said_of_trace(getattr(config, "workflow_name", None), config, "trace_metadata"),
        **named(agent=getattr(agent, "name", None)),
    }


def _said_of_trace(workflow: object, source: Any, metadata: str) -> dict[str, str]:
    feature = None if workflow in _UNNAMED else workflow
    own = named(query_type=feature, session=getattr(source, "group_id", None))
    return {**own, **said_by(getattr(source, metadata, None))}


def _said_of_turn(args: tuple[Any, ...], asked: dict[str, Any]) -> dict[str, str]:
    """Give the name of the agent whose turn it is: after a handoff it is another."""
    agents = (getattr(each, "public_agent", None) for each in (*args, *asked.values()))
    return named(agent=getattr(next(filter(None, agents), None), "name", None))
