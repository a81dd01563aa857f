"""LedgerReader: questions in people's words over any ledger; what ``outlay.open`` gives."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args

from outlay.core.errors import QueryError
from outlay.core.period import ends
from outlay.core.ports import Ledger, Naming, Steady
from outlay.core.query import (
    CallQuery,
    Detail,
    Order,
    Query,
    Row,
    Rows,
    check_metric,
    filters,
    zone,
)
from outlay.core.record import Record, Revision
from outlay.report.asked import Where, check_limit, dimensions, sort_key
from outlay.report.gaps import BY_MODEL, extrapolated_of, price_gaps_of
from outlay.report.rolled import with_unknown
from outlay.report.values import PriceGap, Report

if TYPE_CHECKING:  # extras
    import pandas as pd
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped] # it ships no types

Moment = str | datetime | None


def system_now() -> datetime:
    """Give the machine's time; the default clock of a reader."""
    return datetime.now(UTC)


class LedgerReader:
    """Answers questions about what was recorded; a context manager that closes its ledger.

    Periods are written as people write them: ``30d``, ``24h``, ``today``, ``month``, ``2026-11-01``, or a
    datetime. A call belongs to a period if since <= at < until. ``where`` maps a dimension to the value it
    must have, to None where it is missing, or to a list of such values; all its entries must hold.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        now: Callable[[], datetime] = system_now,
        refresh: Callable[[], object] | None = None,
    ) -> None:
        self.ledger = ledger
        self._now = now
        self._refresh = refresh  # called before every question, so that no answer misses what is in flight
        self.whole = True  # the last answer; False where something recorded was still on its way

    def report(  # noqa: PLR0913 - the parts of a question, as keywords
        self,
        by: str | Iterable[str] = (),
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        tz: str = "UTC",
        limit: int | None = None,
        order: str | None = None,
        metrics: Iterable[str] = (),
        detail: Detail = "all",
    ) -> Report:
        """Give totals, and one row for every value of the dimensions in ``by``.

        ``metrics`` names further ones (``core.query.MORE_METRICS``, ``slow:MS``) that rows shall have.
        With ``detail`` "sums" the percentiles are None, with "counts" all but calls, errors and unpriced
        calls, and the answer comes sooner.

        ``order`` names a metric, largest first, or a dimension, ascending; without it the rows stand in the
        order of their dimensions. Rows beyond ``limit`` are counted in ``left_out``; the total is that of all
        calls.

        Raises:
            QueryError: a dimension, metric, filter, period, time zone, order or limit that cannot be.
        """
        further = tuple(dict.fromkeys(check_metric(name) for name in metrics))
        asked = self._query(by, since, until, where, tz)
        query = replace(asked, metrics=further, detail=detail)
        key = None if order is None else sort_key(order, query)
        kept = check_limit(limit)
        with self.together():
            answer = with_unknown(self.ledger.rows(query), query, self.ledger)
            gaps = price_gaps_of(self.ledger, query, answer)
        rows = list(answer.rows) if key is None else sorted(answer.rows, key=key)
        return Report(
            rows=rows[:kept],
            total=answer.total,
            query=query,
            price_gaps=gaps,
            left_out=len(rows) - len(rows[:kept]),
            rolled=answer.rolled,
            rolled_unknown=answer.rolled_unknown,
        )

    def rows(  # noqa: PLR0913 - the parts of a question, as keywords
        self,
        by: str | Iterable[str] = (),
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        tz: str = "UTC",
        metrics: Iterable[str] = (),
        detail: Detail = "all",
    ) -> Rows:
        """Give the ledger's answer as it is; :meth:`report` also names the models whose price is not known.

        Raises:
            QueryError: a dimension, metric, filter, period or time zone that cannot be.
        """
        further = tuple(dict.fromkeys(check_metric(name) for name in metrics))
        query = replace(self._query(by, since, until, where, tz), metrics=further, detail=detail)
        return with_unknown(self._fresh().rows(query), query, self.ledger)

    def lines(
        self,
        by: str | Iterable[str] = (),
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        tz: str = "UTC",
    ) -> tuple[Row, ...]:
        """Give the lines of the calls' costs, added up by unit and rate; see ``core.ports.Ledger.lines``.

        Raises:
            QueryError: a dimension, filter, period or time zone that cannot be.
        """
        return self._fresh().lines(self._query(by, since, until, where, tz))

    def calls(
        self,
        limit: int | None = 100,
        order: Order = "time",
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        tz: str = "UTC",
    ) -> list[Record]:
        """Give single calls: newest first (``time``), dearest (``cost``) or slowest (``latency``) first.

        Raises:
            QueryError: an order, filter, period, time zone or limit that cannot be.
        """
        return list(self.each(limit, order, since=since, until=until, where=where, tz=tz))

    def each(
        self,
        limit: int | None = None,
        order: Order = "time",
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        tz: str = "UTC",
    ) -> Iterator[Record]:
        """Give what :meth:`calls` gives, one by one, so that any number of calls fits in memory.

        Raises:
            QueryError: an order, filter, period, time zone or limit that cannot be.
        """
        return self._fresh().calls(
            self.calls_query(limit, order, since=since, until=until, where=where, tz=tz)
        )

    def calls_query(
        self,
        limit: int | None = None,
        order: Order = "time",
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where = None,
        tz: str = "UTC",
    ) -> CallQuery:
        """Give the question that :meth:`each` asks its ledger; raises what that raises."""
        if order not in get_args(Order):
            raise QueryError(f"no order {order!r:.60}; there are {', '.join(get_args(Order))}")
        asked = self._query((), since, until, where, tz)
        return CallQuery(asked.since, asked.until, asked.where, tz=tz, order=order, limit=check_limit(limit))

    def to_polars(self, limit: int | None = None, order: Order = "time", **question: Any) -> "pl.DataFrame":
        """Give what :meth:`calls` gives as a polars frame; the other keywords are those of :meth:`calls`.

        Raises:
            MissingExtraError: polars is not installed.
        """
        from outlay.report.flat import COLUMNS, flat  # noqa: PLC0415 - only those who ask pay for frames
        from outlay.report.frames import polars_frame  # noqa: PLC0415 - likewise

        return polars_frame(COLUMNS, map(flat, self.each(limit, order, **question)))

    def to_pandas(self, limit: int | None = None, order: Order = "time", **question: Any) -> "pd.DataFrame":
        """Give what :meth:`calls` gives as a pandas frame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from outlay.report.flat import COLUMNS, flat  # noqa: PLC0415 - only those who ask pay for frames
        from outlay.report.frames import pandas_frame  # noqa: PLC0415 - likewise

        return pandas_frame(COLUMNS, map(flat, self.each(limit, order, **question)))

    def to_arrow(self, limit: int | None = None, order: Order = "time", **question: Any) -> "pa.Table":
        """Give what :meth:`calls` gives as an Arrow table.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        from outlay.report.flat import COLUMNS, flat  # noqa: PLC0415 - only those who ask pay for frames
        from outlay.report.frames import arrow_table  # noqa: PLC0415 - likewise

        return arrow_table(COLUMNS, map(flat, self.each(limit, order, **question)))

    def get(self, record_id: str) -> Record | None:
        """Give one call by its id, or by the start of its id if only one call matches; else None."""
        return self._fresh().get(record_id)

    def ids(self, start: str, limit: int = 10) -> tuple[str, ...]:
        """Give the ids of calls that begin so, in their order; none of a ledger that cannot name them."""
        ledger = self._fresh()
        return ledger.ids(start, limit) if isinstance(ledger, Naming) else ()

    def revisions(self, record_id: str) -> tuple[Revision, ...]:
        """Give every cost that a call has had, the recorded one first; empty if there is no such call."""
        return self._fresh().revisions(record_id)

    def conflicts(self) -> int:
        """Count the entries that were set aside because their id was taken by other content."""
        return self._fresh().conflicts()

    def info(self) -> dict[str, Any]:
        """Give what the ledger says of itself: location, size, counts, what is pending and what was lost."""
        ledger = self._fresh()
        ask = getattr(ledger, "info", None)  # part of Keeping, which a ledger need not have
        return {"conflicts": ledger.conflicts(), **({} if ask is None else ask().to_dict())}

    def close(self) -> None:
        """Let go of files and connections; calling it twice is harmless."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def together(self) -> AbstractContextManager[None]:
        """Have what this thread asks meanwhile answered from one state, where the ledger can hold one."""
        ledger = self._fresh()
        return ledger.together() if isinstance(ledger, Steady) else nullcontext()

    def now(self) -> datetime:
        """Give the instant at which this reader stands, aware UTC."""
        return self._now()

    def _fresh(self) -> Ledger:
        if self._refresh is not None:
            self.whole = self._refresh() is not False
        return self.ledger

    def _query(self, by: str | Iterable[str], since: Moment, until: Moment, where: Where, tz: str) -> Query:
        start, end = ends(since, until, self._now(), zone(tz))
        return Query(by=dimensions(by), since=start, until=end, where=filters(where), tz=tz)

    def extrapolated(
        self, *, since: Moment = None, until: Moment = None, where: Where = None, tz: str = "UTC"
    ) -> tuple[PriceGap, ...]:
        """Name the models of calls that are older than the first known price, which was taken for them.

        Raises:
            QueryError: a filter, period or time zone that cannot be.
        """
        by_model = replace(self._query(BY_MODEL, since, until, where, tz), detail="counts")
        return extrapolated_of(self._fresh(), by_model)
