"""DjangoUsageTracker: calls in Django's database, added up there; Django is loaded when it is used."""

from typing import Any

from outlay.core.errors import MissingExtraError
from outlay.core.instants import instant
from outlay.core.ports import Clock
from outlay.core.record import Record
from outlay.trackers.tracker import BaseTracker, Moment
from outlay.trackers.values import UsageEntry, UsageStats, UserId, entry_of


class DjangoUsageTracker(BaseTracker):
    """Keeps calls in the table of the app ``outlay.contrib.django``, with the interface of InMemoryTracker.

    ``using`` names a database of the settings; without it Django's routers decide. A call that is recorded
    inside a transaction which is rolled back is gone with it: name a database of its own where it must stay.

    Raises:
        MissingExtraError: Django is not installed.
    """

    def __init__(self, *, using: str | None = None, clock: Clock | None = None) -> None:
        super().__init__(clock=clock)
        try:
            import django.db  # noqa: F401, PLC0415 - an extra
        except ImportError:
            raise MissingExtraError.of("django", "Django") from None
        self._using = using

    def _keep(self, record: Record) -> Record:
        self._table().create(**_row(record))
        return record

    async def arecord(self, result: Any = None, prompt_snippet: str = "", **given: Any) -> Record:
        """Do what :meth:`record` does, without holding up the event loop."""
        record = self._made(result, prompt_snippet, given)
        await self._table().acreate(**_row(record))
        return record

    async def alog(self, record: Any) -> Record:
        """Do what :meth:`log` does, without holding up the event loop."""
        made = self._maker.of_usage_record(record)
        await self._table().acreate(**_row(made))
        return made

    def get_stats(
        self,
        *,
        user_id: UserId | None = None,
        llm_id: Any = None,
        since: Moment = None,
        until: Moment = None,
    ) -> UsageStats:
        """Give the totals of all calls, or of those that pass every filter; the database adds them up.

        Raises:
            QueryError: a time that is none; a ValueError.
        """
        from outlay.contrib.django.totals import stats_of  # noqa: PLC0415 - needs Django's settings

        wanted = {"user_id": user_id, "llm_id": llm_id}
        times = {
            name: None if at is None else instant(at) for name, at in (("since", since), ("until", until))
        }
        return stats_of(self._table(), **wanted, **times)

    async def aget_stats(self, **filters: Any) -> UsageStats:
        """Do what :meth:`get_stats` does, without holding up the event loop."""
        from asgiref.sync import sync_to_async  # noqa: PLC0415 - comes with Django

        stats: UsageStats = await sync_to_async(self.get_stats)(**filters)
        return stats

    def calls(self) -> list[Record]:
        """Give every call as a Record, in the order of their time."""
        from outlay.contrib.django.rows import record_of  # noqa: PLC0415 - needs Django's settings

        entries = self._table().order_by("at", "id").values_list("entry", flat=True)
        return [record_of(entry) for entry in entries.iterator()]

    @property
    def records(self) -> list[UsageEntry]:
        """Every call as an entry with llm_id, user_id, tokens, cost, timestamp and metadata."""
        return [entry_of(record) for record in self.calls()]

    def _table(self) -> Any:
        from outlay.contrib.django.models import Call  # noqa: PLC0415 - needs Django's settings

        return Call.objects.all() if self._using is None else Call.objects.using(self._using)


def _row(record: Record) -> dict[str, Any]:
    from django.conf import settings  # noqa: PLC0415 - as above

    from outlay.contrib.django.rows import row_of  # noqa: PLC0415 - as above

    return row_of(record, use_tz=settings.USE_TZ)
