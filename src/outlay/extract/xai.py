"""xAI's gRPC chat: reasoning outside of completion_tokens, cached text inside of the prompt."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage
from outlay.extract.answers import finish, missing, usage_in
from outlay.extract.plain import fields_of, name_of, rows_of
from outlay.extract.streams import LastUsage, peek
from outlay.extract.tally import Tally

_TOOL = "server_side_tool_"
_TIER = "service_tier_"
_KNOWN = frozenset(
    {
        *("prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens", "prompt_text_tokens"),
        *("prompt_image_tokens", "cached_prompt_text_tokens", "num_sources_used", "cost_in_usd_ticks"),
        "server_side_tools_used",
    }
)


def read_grpc_chat(body: Mapping[str, Any], provider: str) -> Usage:
    """Read a GetChatCompletionResponse, as protobuf message or its JSON: an absent field is 0."""
    usage = usage_in(body.get("usage"))
    if usage is None:
        return missing(body)
    tally = Tally()
    prompt = tally.count(usage, "prompt_tokens") or 0
    completion = tally.count(usage, "completion_tokens") or 0
    thought = tally.count(usage, "reasoning_tokens") or 0
    total = tally.count(usage, "total_tokens")
    left = tally.take("cache_read", tally.count(usage, "cached_prompt_text_tokens"), prompt)
    left = tally.overlap("input_image", tally.count(usage, "prompt_image_tokens"), left, prompt)
    tally.put("input", left)
    tally.put("output", completion)
    tally.put("reasoning", thought)
    tally.check(total, prompt + completion + thought)
    _count_tools(tally, usage.get("server_side_tools_used"))
    tally.put("sources", tally.count(usage, "num_sources_used"))
    tally.unknown(usage, _KNOWN)
    return finish(tally, body, usage, provider, _tier(body))


def _tier(body: Mapping[str, Any]) -> dict[str, str]:
    """Read the tier that served, by the name of its enum; unspecified says nothing."""
    name = (name_of(body.get("service_tier")) or "").lower().removeprefix(_TIER)
    return {"service_tier": name} if name and name != "unspecified" else {}


def _count_tools(tally: Tally, used: object) -> None:
    for tool in rows_of(used):
        tally.called(
            str(tool).lower().removeprefix(_TOOL), 1
        )  # a mere number is one that the SDK has no name for


class GrpcStream(LastUsage):
    """A collector of GetChatCompletionChunks: the usage runs along, the last counts."""

    __slots__ = ()

    def __init__(self, provider: str) -> None:
        super().__init__(read_grpc_chat, provider)

    def add(self, event: Any) -> None:
        """Keep as any stream of chunks, once unwrapped."""
        inside = peek(event, "chunk")
        super().add(event if inside is None else inside)

    @property
    def complete(self) -> bool:
        """Whether the last chunk ends an output."""
        outputs = rows_of((fields_of(self.last) or {}).get("outputs"))
        return self.carrier is not None and any(peek(output, "finish_reason") for output in outputs)
