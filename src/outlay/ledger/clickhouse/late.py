"""Calls that came to ClickHouse when their day had been pruned: kept apart, and settled once for ever."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson

from outlay.core.codec import record_from_json, record_json
from outlay.core.errors import LedgerBusyError
from outlay.core.keeping import Settled
from outlay.core.record import Record
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.dialect import HORIZON
from outlay.ledger.clickhouse.known import apart, known
from outlay.ledger.clickhouse.tables import shards
from outlay.ledger.late import PORTION, is_of_old, pages_of, row_of, settled_days, told
from outlay.ledger.olden import Day
from outlay.ledger.stored import record_of

_MOVED: Final = 10_000  # calls set aside at once
_SETTLED: Final = "SELECT id FROM settled WHERE run IN (SELECT run FROM settlements)"
_OPEN: Final = f"id NOT IN ({_SETTLED})"
_STRAGGLERS: Final = f""""at" < {HORIZON} AND {_OPEN}
    AND id NOT IN (SELECT id FROM pruned WHERE run IN (SELECT run FROM prunes))"""  # noqa: S608  # our own names


def is_late(horizon: datetime, record_id: str, at: datetime | None = None) -> bool:
    """Whether a call belongs to pruned days, by its instant or by its id, if that is a UUIDv7 and older."""
    return is_of_old(record_id, horizon) or (at is not None and at < horizon)


def set_aside(client: Client, records: Iterable[Record]) -> None:
    """Keep calls apart that came when those of their day had been pruned; of one id the first that came."""
    remaining = iter(records)
    while some := list(islice(remaining, _MOVED)):
        firsts = {each.id: each for each in reversed(some)}
        told = apart(client, list(firsts))
        lines = (record_json(each) for name, each in firsts.items() if name not in told)
        _insert(client, "late", ({"id": each["id"], "line": orjson.dumps(each).decode()} for each in lines))


def set_stragglers_aside(client: Client) -> None:
    """Keep calls apart that came while their day was pruned; those that are settled are no more.

    Some may have been pruned: who sweeps at this moment deletes calls first and then what names them, so that
    a question in between sees the calls alone. Of those none is there any more.
    """
    found = list(_stragglers(client))
    there = known(client, [each.id for each in found])
    set_aside(client, (each for each in found if each.id in there))
    client.run(f"DELETE FROM {shards(client.place, 'late')} WHERE id IN ({_SETTLED})")  # noqa: S608  # our own names


def late(client: Client) -> int:
    """Count the calls that came too late, those that are still to be set aside among them."""
    aside = client.all(f"SELECT count() FROM late WHERE {_OPEN}")[0][0]  # noqa: S608  # our own names
    return int(aside + client.all(f"SELECT count() FROM calls WHERE {_STRAGGLERS}")[0][0])  # noqa: S608  # likewise


def late_calls(client: Client, limit: int) -> tuple[Record, ...]:
    """Give the newest of the calls that came too late, those that are still to be set aside among them."""
    lines = client.all(f"SELECT line FROM late WHERE {_OPEN}")  # noqa: S608  # our own names
    aside = (record_from_json(orjson.loads(line)) for (line,) in lines)
    found = {each.id: each for each in (*_stragglers(client), *aside)}
    return tuple(sorted(found.values(), key=lambda each: (each.at, each.id), reverse=True)[:limit])


def settle_late(client: Client, *, count_in: bool, dry_run: bool) -> Settled:
    """Add late calls to the totals of their days, or give them up.

    A run names them and adds them up; one row in ``settlements`` makes it so, for every reader at once; only
    then are they deleted. Killed before that row nothing has changed, and behind it the next prune deletes.

    Raises:
        LedgerBusyError: somebody else settled at the same moment; nothing of this counts.
    """
    # before the calls are looked at: what another run settles in the meantime takes this number
    number = (client.all("SELECT max(number) FROM settlements")[0][0] or 0) + 1
    if not dry_run:
        set_stragglers_aside(client)
    run, places = secrets.randbits(63), 0
    done = Settled(calls=0, counted=count_in, dry_run=dry_run)
    for page in pages_of(lambda last: _page(client, last)):
        days = settled_days(page) if count_in else []
        done += told(page, days, counted=count_in)
        if not dry_run:
            _name(client, run, page, days, places)
            places += len(days)
    if done.calls and not dry_run:
        _make_it_so(client, run, number)
    return done


def _page(client: Client, last: str) -> list[Record]:
    found = client.all(
        f"""SELECT line FROM late WHERE {_OPEN} AND UUIDToNum(id) > UUIDToNum(toUUID(?))
        ORDER BY UUIDToNum(id) LIMIT {PORTION}""",  # noqa: S608  # our own names
        [last],
    )
    return [record_from_json(orjson.loads(line)) for (line,) in found]


def _name(client: Client, run: int, page: Sequence[Record], days: Sequence[Day], first: int) -> None:
    """Write down what a run would settle; it counts nowhere yet."""
    rows = [row_of(day) for day in days]
    _insert(client, "settled", ({"run": run, "id": e.id, "counted": bool(days)} for e in page))
    _insert(
        client,
        "rollups",
        (
            {**_plain(row), "tags": row["tags"] or {}, "run": run, "place": first + n}
            for n, row in enumerate(rows)
        ),
    )


def _make_it_so(client: Client, run: int, number: int) -> None:
    client.run(
        f"""INSERT INTO pruned_days ("day", currency, calls, cost, run)
        SELECT "at", currency, sum(calls), sum(cost), {run} FROM rollups WHERE run = {run}
        GROUP BY "at", currency"""  # noqa: S608  # our own names
    )
    client.run("INSERT INTO settlements (number, run) VALUES (?, ?)", [number, run])
    if client.all("SELECT run FROM settlements WHERE number = ?", [number]) != [(run,)]:
        for table in ("settled", "rollups", "pruned_days"):
            client.run(f"DELETE FROM {shards(client.place, table)} WHERE run = {run}")  # noqa: S608  # our own names
        raise LedgerBusyError(
            f"{client.place}: somebody else settled late calls at the same moment; try again"
        )
    set_stragglers_aside(client)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    cost = None if row["cost"] is None else format(row["cost"], "f")
    return {**row, "at": row["at"].isoformat(" "), "cost": cost}


def _insert(client: Client, table: str, rows: Iterable[dict[str, Any]]) -> None:
    lines = [orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in rows]
    if lines:
        client.insert(table, lines, secrets.token_hex())


def _stragglers(client: Client) -> Iterator[Record]:
    names = tuple(client.columns("calls"))
    listed = ", ".join(f'"{name}"' for name in names)
    for row in client.all(f"SELECT {listed} FROM calls WHERE {_STRAGGLERS}"):  # noqa: S608  # our own names
        yield record_of(names, row)
