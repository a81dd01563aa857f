"""Page: everything that a page about a period shows, asked once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outlay.core.query import Row
from outlay.core.record import Record
from outlay.report.cube import Cube, cube_of
from outlay.report.latency import METRICS
from outlay.report.marks import Marking
from outlay.report.picture import Picture, picture_of
from outlay.report.reader import LedgerReader

_DEAREST = 50
_MODELS = 40
_AGENTS = 100
_OTHER_FEATURE = "query_type"


@dataclass(frozen=True, slots=True)
class Page:
    """The picture of a period, its cube for filters, and what no cube can hold: percentiles, single calls."""

    picture: Picture
    cube: Cube
    latencies: tuple[Row, ...]  # by model, with report.latency.METRICS
    agents: tuple[Row, ...]  # by agent and action
    dearest: tuple[Record, ...]
    feature: str  # the dimension that is a feature here
    about: str  # which calls, and when the page was made


def page_of(reader: LedgerReader, *, feature: str | None = None, **question: Any) -> Page:
    """Ask for a page; ``feature`` is a dimension, without it the tag ``feature``, or the query type.

    Raises:
        QueryError: a dimension, filter, period or time zone that cannot be.
    """
    with reader.together():
        picture = picture_of(reader, **question)
        dimension = feature or _feature(reader, question)
        models = reader.report("model", order="calls", limit=_MODELS, metrics=METRICS, **question)
        agents = reader.report(("agent", "action"), order="cost", limit=_AGENTS, detail="sums", **question)
        return Page(
            picture=picture,
            cube=cube_of(
                reader,
                feature=dimension,
                currency=picture.currency,
                marking=Marking.of(picture),
                **question,
            ),
            latencies=tuple(models.rows),
            agents=tuple(agents.rows),
            dearest=tuple(reader.calls(_DEAREST, "cost", **question)),
            feature=dimension,
            about=_about(picture, reader, question),
        )


def _feature(reader: LedgerReader, question: Mapping[str, Any]) -> str:
    rows = reader.rows("tag:feature", detail="counts", **question).rows
    return "tag:feature" if any(row["tag:feature"] is not None for row in rows) else _OTHER_FEATURE


def _about(picture: Picture, reader: LedgerReader, question: Mapping[str, Any]) -> str:
    days = [row["day"] for row in picture.days]
    period = f"{days[0]} to {days[-1]}" if days else "no calls"
    zone = question.get("tz") or "UTC"
    return f"{period} ({zone}); made {reader.now():%Y-%m-%d %H:%M} UTC"
