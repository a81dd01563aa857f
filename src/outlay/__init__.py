"""Know what every LLM call costs.

>>> import outlay
>>> outlay.instrument()  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outlay.api import (
        cost_of,
        flush,
        instrument,
        measure,
        record,
        score,
        store_prompts,
        track,
        uninstrument,
        usage_of,
    )
    from outlay.api import open as open  # noqa: A004 - no builtin is used here; not in __all__, yet public
    from outlay.capture import carry, carrying, context, suppress
    from outlay.core.cost import Cost, CostLine
    from outlay.core.errors import OutlayError
    from outlay.core.record import Record, Score
    from outlay.core.usage import Usage
    from outlay.report import LedgerReader, Report
    from outlay.trackers import UsageRecord, calculate_cost

__version__ = "0.1.0"

__all__ = [  # all that is public but open(), which would hide the builtin after "from outlay import *"
    "Cost",
    "CostLine",
    "LedgerReader",
    "OutlayError",
    "Record",
    "Report",
    "Score",
    "Usage",
    "UsageRecord",
    "calculate_cost",
    "carry",
    "carrying",
    "context",
    "cost_of",
    "flush",
    "instrument",
    "measure",
    "record",
    "score",
    "store_prompts",
    "suppress",
    "track",
    "uninstrument",
    "usage_of",
]

_ELSEWHERE = {
    "Cost": "outlay.core.cost",
    "CostLine": "outlay.core.cost",
    "LedgerReader": "outlay.report",
    "OutlayError": "outlay.core.errors",
    "Record": "outlay.core.record",
    "Report": "outlay.report",
    "Score": "outlay.core.record",
    "Usage": "outlay.core.usage",
    "UsageRecord": "outlay.trackers",
    "calculate_cost": "outlay.trackers",
    "carry": "outlay.capture",
    "carrying": "outlay.capture",
    "context": "outlay.capture",
    "load_ipython_extension": "outlay.notebook",  # IPython looks for these two on %load_ext outlay
    "open": "outlay.api",
    "suppress": "outlay.capture",
    "unload_ipython_extension": "outlay.notebook",
}


if not TYPE_CHECKING:  # else a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used: ``import outlay`` itself costs next to nothing."""
        if name not in __all__ and name not in _ELSEWHERE:
            raise AttributeError(f"module 'outlay' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_ELSEWHERE.get(name, "outlay.api")), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "open"})
