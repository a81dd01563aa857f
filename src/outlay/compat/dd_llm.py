"""The names of dd_llm: adapters by name, their responses, and a tracker that begins empty."""

from os import PathLike

from outlay.core.ports import Clock
from outlay.llm import LLMResponse, get_adapter, list_adapters, register_adapter
from outlay.trackers import CallRecord
from outlay.trackers import CostTracker as _CostTracker


class CostTracker(_CostTracker):
    """A tracker that begins empty and writes nothing, unless it is given a path."""

    def __init__(
        self, storage_path: str | PathLike[str] | None = None, *, clock: Clock | None = None
    ) -> None:
        super().__init__(storage_path, clock=clock)


__all__ = ["CallRecord", "CostTracker", "LLMResponse", "get_adapter", "list_adapters", "register_adapter"]
