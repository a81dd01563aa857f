"""A ledger in memory: the contract in plain Python, for tests and for processes that keep nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from outlay.core.buckets import bucket, span
from outlay.core.instants import midnight
from outlay.core.keeping import Compacted, Disagreement, LedgerInfo, Lost, Migrated, Pruned, Settled
from outlay.core.query import TIME_DIMENSIONS, CallQuery, Filter, Query, Row, Rows, zone
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.ledger.identity import checked, judged, missing_judgement, revised, same_call, told_by
from outlay.ledger.late import is_of_old, settled_days, told
from outlay.ledger.measures import JUDGED
from outlay.ledger.olden import Day, days_of, timed_of
from outlay.ledger.reckoned import line_sums, sums_of
from outlay.ledger.rolled import touches
from outlay.ledger.totals import Rolled, Sums, as_detailed, in_order, row_of, with_rolled


class MemoryLedger:
    """Keeps entries in dictionaries; a ``core.ports.Ledger`` whose content goes with the process."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._scores: defaultdict[str, list[Score]] = defaultdict(list)
        self._revisions: defaultdict[str, list[Revision]] = defaultdict(list)
        self._losses: list[Loss] = []
        self._conflicts: list[tuple[Record, Record]] = []
        self._days: list[Day] = []  # what is left of pruned calls
        self._horizon: datetime | None = None
        self._late: dict[str, Record] = {}
        # Late calls that were counted in or given up, and pruned ones whose ids do not tell that they are old
        self._settled: set[str] = set()

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new, all or none; give how many records were new.

        Raises:
            RefusedEntryError: an id is no UUID.
        """
        good = [checked(entry) for entry in entries]
        new = [entry for entry in good if self._keep(entry)]
        for entry in good:  # by all that was told beside them
            if isinstance(entry, Record) and entry.id in self._records:
                self._compare(self._records[entry.id], entry)
        return len(new)

    def _keep(self, entry: Entry) -> bool:
        if self._is_old(entry):
            if isinstance(entry, Record) and entry.id not in self._settled:
                self._late.setdefault(entry.id, entry)
            return False
        if isinstance(entry, Record):
            return self._records.setdefault(entry.id, entry) is entry
        if isinstance(entry, Loss):
            if entry not in self._losses:
                self._losses.append(entry)
        else:
            self._keep_about(entry)
        return False

    def _keep_about(self, entry: Score | Revision) -> None:
        """Keep what is said about a call, which may itself come later."""
        if isinstance(entry, Score):
            scores = self._scores[entry.record_id]
            if entry not in scores:
                scores.append(entry)
        elif told_by(entry) not in map(told_by, self._revisions[entry.record_id]):
            self._revisions[entry.record_id].append(entry)

    def _compare(self, kept: Record, record: Record) -> None:
        """Set a copy aside if it is another call; what it judges, where nothing is said yet, is kept."""
        if kept is record:
            return
        if not same_call(kept, record, self._newer(record.id)):
            if (kept, record) not in self._conflicts:
                self._conflicts.append((kept, record))
        elif news := missing_judgement(self._judged(kept), record):
            self._keep_about(news)

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; without dimensions the one row is the total, if there is any call."""
        everything = list(self._chosen(query))
        if not JUDGED.isdisjoint(query.metrics):
            everything = [self._judged(record) for record in everything]
        pruned = self._pruned(query)
        single = {values: records for values, _, records in _groups(query, everything)}
        rows = []
        for values in {**single, **pruned}:
            labels = dict(zip(query.by, values, strict=True))
            sums = _joined(single.get(values, []), pruned.get(values), query.metrics)
            rows.append((_sort_keys(query, values), row_of(labels, sums)))
        whole = self._pruned(replace(query, by=())).get(())
        total = row_of({}, _joined(everything, whole, query.metrics))
        count = 0 if whole is None else whole.counts.calls
        before = self._horizon if touches(query, self._horizon) else None
        return as_detailed(Rows(in_order(rows), total, count, pruned_before=before), query)

    def _pruned(self, query: Query) -> dict[tuple[str | None, ...], Rolled]:
        """Give what daily totals hold for each group."""
        found: dict[tuple[str | None, ...], Rolled] = {}
        for day in self._chosen_days(query):
            key = tuple(day.value(name) for name in query.by)
            found[key] = found[key] + day.sums if key in found else day.sums
        return found

    def _chosen_days(self, query: Query) -> Iterator[Day]:
        for day in self._days:
            late_enough = query.since is None or query.since <= day.at
            early_enough = query.until is None or day.at < query.until
            wanted = (day.value(name) in values for name, values in query.where)
            if late_enough and early_enough and all(wanted):
                yield day

    def lines(self, query: Query) -> tuple[Row, ...]:
        """Add up the lines of the calls' costs: a row for each group, unit, currency, rate and input rate."""
        return in_order(
            ((*_sort_keys(query, values), *sums.key), {**labels, **sums.as_row()})
            for values, labels, records in _groups(query, self._chosen(query))
            for sums in line_sums(records)
        )

    def calls(self, query: CallQuery) -> Iterator[Record]:
        """Give single calls in the order asked for, scores and revisions applied."""
        found = sorted(self._chosen(query), key=lambda record: _rank(record, query.order), reverse=True)
        for record in found[: query.limit]:
            yield self._judged(record)

    def get(self, record_id: str) -> Record | None:
        """Give one call by its id, or by the start of it if only one matches."""
        found = self._starting_with(record_id)
        return self._judged(self._revised(found[0])) if len(found) == 1 else None

    def ids(self, start: str, limit: int) -> tuple[str, ...]:
        """Give the ids that begin so, in their order, but no more than so many."""
        return tuple(sorted(record.id for record in self._starting_with(start))[:limit])

    def revisions(self, record_id: str) -> tuple[Revision, ...]:
        """Give every cost that a call has had, the recorded one first; empty if there is no such call."""
        found = self._starting_with(record_id)
        firsts = [Revision(record_id=each.id, at=each.at, charge=each.charge) for each in found]
        return (*firsts, *self._newer(firsts[0].record_id)) if len(firsts) == 1 else ()

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Revision, ...]]:
        """Give what ``revisions`` gives, of those of these calls whose cost was reckoned again."""
        newer = (each for each in ids if each in self._records and self._revisions.get(each))
        return {each: self.revisions(each) for each in newer}

    def conflicts(self) -> int:
        """Count the entries that were set aside because their id was taken by other content."""
        return len(self._conflicts)

    def info(self) -> LedgerInfo:
        """Tell how much is kept and what was lost."""
        instants = [record.at for record in self._all()]
        lost: defaultdict[str, int] = defaultdict(int)
        for each in sorted(self._losses, key=lambda loss: loss.at):
            lost[each.why] += each.count
        return LedgerInfo(
            ledger="memory:",
            calls=len(instants),
            first=min(instants, default=None),
            last=max(instants, default=None),
            revisions=sum(map(len, tuple(self._revisions.values()))),
            conflicts=len(self._conflicts),
            lost=tuple(Lost(why, count) for why, count in lost.items()),
            pruned_before=self._horizon,
            pruned_calls=sum(day.sums.counts.calls for day in self._days),
            late=len(self._late),
        )

    def migrate(self) -> Migrated:
        """Change nothing; there are no tables."""
        return Migrated(0, 0)

    def compact(self) -> Compacted:
        """Change nothing; there is no file."""
        return Compacted(None, None)

    def prune(self, before: datetime, *, dry_run: bool = False) -> Pruned:
        """Turn calls that started before that day (UTC) into daily totals; see ``core.ports.Keeping``."""
        until = max(midnight(before), self._horizon or midnight(before))
        old = [record for record in self._all() if record.at < until]
        standing = [self._revised(record) for record in old]
        days = days_of(standing)
        if not dry_run:
            self._days += days
            self._horizon = until
            gone = {record.id for record in old}
            self._settled |= {name for name in gone if not is_of_old(name, until)}
            self._conflicts = [pair for pair in self._conflicts if pair[0].id not in gone]
            for name in gone:
                del self._records[name]
                self._scores.pop(name, None)
                self._revisions.pop(name, None)
        costs = sums_of(standing).costs
        return Pruned(before=until, calls=len(old), rollups=len(days), costs=costs, dry_run=dry_run)

    def verify(self) -> tuple[Disagreement, ...]:
        """Give nothing; everything stands in one place only."""
        return ()

    def late_calls(self, limit: int) -> tuple[Record, ...]:
        """Give the newest of the calls that came when their day had been pruned; they are in no total."""
        return tuple(sorted(self._late.values(), key=lambda each: (each.at, each.id), reverse=True)[:limit])

    def settle_late(self, *, count_in: bool, dry_run: bool = False) -> Settled:
        """Add late calls to the totals of their days, or give them up; see ``core.ports.Keeping``."""
        page = tuple(self._late.values())
        days = settled_days(page) if count_in else []
        if not dry_run:
            self._days += days
            for record in page:  # another may have come meanwhile
                self._settled.add(record.id)
                del self._late[record.id]
        return replace(told(page, days, counted=count_in), dry_run=dry_run)

    def known(self, ids: Sequence[str]) -> frozenset[str]:
        """Give those of these ids whose calls are here."""
        return frozenset(name for name in ids if name in self._records)

    def close(self) -> None:
        """Do nothing; there is nothing to let go of."""

    def _all(self) -> tuple[Record, ...]:
        """Give the calls that there are now: other threads may bring more while they are looked at."""
        return tuple(self._records.values())

    def _starting_with(self, record_id: str) -> list[Record]:
        digits = record_id.lower().replace("-", "")
        return [record for record in self._all() if record.id.replace("-", "").startswith(digits)]

    def _is_old(self, entry: Entry) -> bool:
        """Whether an entry is of, or about, a call of the time that was pruned."""
        if self._horizon is None or isinstance(entry, Loss):
            return False
        name = entry.id if isinstance(entry, Record) else entry.record_id
        if name in self._records:  # which is kept, whatever its id says
            return False
        if is_of_old(name, self._horizon):
            return True
        return isinstance(entry, Record) and (
            entry.at < self._horizon or name in self._late or name in self._settled
        )

    def _newer(self, record_id: str) -> list[Revision]:
        return sorted(self._revisions.get(record_id, ()), key=lambda revision: revision.at)

    def _revised(self, record: Record) -> Record:
        return revised(record, self._newer(record.id))

    def _judged(self, record: Record) -> Record:
        return judged(record, sorted(self._scores.get(record.id, ()), key=lambda score: score.at))

    def _chosen(self, query: Query | CallQuery) -> Iterator[Record]:
        tests = [_test(each, query.tz) for each in query.where]
        for recorded in self._all():
            record = self._revised(recorded)
            late_enough = query.since is None or query.since <= record.at
            early_enough = query.until is None or record.at < query.until
            wanted = (_value(record, name, query.tz) in values for name, values in tests)
            if late_enough and early_enough and all(wanted):
                yield record


def _test(wanted: Filter, tz: str) -> Filter:
    name, values = wanted
    if name in TIME_DIMENSIONS:
        for value in values:
            if value is not None:
                span(name, value, zone(tz))  # refuses what no bucket is called
    return wanted


def _value(record: Record, name: str, tz: str) -> str | None:
    if name in TIME_DIMENSIONS:
        return bucket(name, record.at, zone(tz))
    if name.startswith("tag:"):
        return record.tags.get(name.removeprefix("tag:"))
    value: str | None = getattr(record, name)
    return value


def _joined(records: list[Record], pruned: Rolled | None, metrics: Sequence[str]) -> Sums:
    sums = sums_of(records, metrics)
    return sums if pruned is None else with_rolled(sums, timed_of(records), pruned)


Group = tuple[tuple[str | None, ...], dict[str, str | None], list[Record]]


def _groups(query: Query, records: Iterable[Record]) -> Iterator[Group]:
    """Give each group: the values of the dimensions, the same by name, and its records."""
    groups: defaultdict[tuple[str | None, ...], list[Record]] = defaultdict(list)
    for record in records:
        groups[tuple(_value(record, name, query.tz) for name in query.by)].append(record)
    for values, members in groups.items():
        yield values, dict(zip(query.by, values, strict=True)), members


def _sort_keys(query: Query, values: tuple[str | None, ...]) -> tuple[Any, ...]:
    return tuple(_sort_key(name, value, query.tz) for name, value in zip(query.by, values, strict=True))


def _sort_key(name: str, value: str | None, tz: str) -> Any:
    """Sort by the value itself, but an hour by its beginning, since clocks may show it twice."""
    return span("hour", value, zone(tz))[0] if name == "hour" and value is not None else value


def _rank(record: Record, order: str) -> tuple[Any, str]:
    keys = {
        "time": record.at,
        "cost": (record.cost is not None, record.cost or Decimal(0)),
        "latency": (record.latency_ms is not None, record.latency_ms or 0.0),
    }
    return keys[order], record.id
