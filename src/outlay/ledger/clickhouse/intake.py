"""Entries into the tables: what is new is inserted as one block, copies of what is known are compared."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b, sha256
from itertools import islice
from typing import Any
from uuid import UUID

import orjson

from outlay.core.codec import cost_json, record_json
from outlay.core.errors import RefusedEntryError
from outlay.core.instants import text_of as instant_text
from outlay.core.money import PLACES, text_of, to_ledger_places
from outlay.core.record import Entry, Loss, Record, Revision, Score
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.drawn import Drawing
from outlay.ledger.clickhouse.known import LISTED, apart, done_with, here, known, raced
from outlay.ledger.clickhouse.late import is_late, set_aside
from outlay.ledger.identity import as_kept, judged, missing_judgement, same_call
from outlay.ledger.rolled import horizon_of
from outlay.ledger.stored import record_of as stored_record
from outlay.ledger.stored import revisions_of, scores_of
from outlay.ledger.usual import Seen, read, record_of

ENTRIES = 50_000  # in one block
_COMPARED = 1_000  # whole calls in memory at a time
_GREATEST = 2**63
_PLAIN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # an id as the server would write it
_COUNTS = (
    *("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
    *("retries", "prompt_length", "context_tokens"),
)
_AMOUNTS = ("cost", "computed_cost", "reported_cost")
Lines = dict[int, bytes]
"""JSON lines by the digest of what makes them the same."""


def add(client: Client, entries: Iterable[Entry]) -> int:
    """Keep entries whose id is new; give how many calls were new.

    All or none of each 50,000: ClickHouse has no transactions, but a block is there as a whole or not at all.
    What is repeated after a failure changes nothing.

    Raises:
        RefusedEntryError: an entry cannot be kept.
        LedgerError: the server cannot be reached.
    """
    return add_drawn(client, _blocks(entries, _record_line))


@dataclass(frozen=True, slots=True)
class Drawn:
    """Entries of one block, all of which have been looked at."""

    entries: Sequence[Entry | Seen]
    calls: Sequence[Record | Seen]  # those among them, each with its id in the usual form
    lines: Sequence[bytes]  # of these calls


def drawn(lines: Iterable[bytes], drawing: Drawing) -> list[Drawn]:
    """Read journal lines and write them for the server, which is asked nothing.

    Raises:
        RefusedEntryError: a line is no entry, or one that cannot be kept.
    """
    return list(_blocks(map(read, lines), lambda call: _drawn_line(call, drawing)))


def _drawn_line(call: Record | Seen, drawing: Drawing) -> bytes:
    usual = drawing.draw(call) if isinstance(call, Seen) else None  # a Record of what begins unusually
    return usual or _record_line(_whole(call))


def add_drawn(client: Client, blocks: Iterable[Drawn]) -> int:
    """Keep what was drawn, likewise.

    Raises:
        RefusedEntryError: the server takes one of them for none that it can keep.
        LedgerError: the server cannot be reached.
    """
    return sum(_keep(client, block) for block in blocks)


def _blocks(entries: Iterable[Entry | Seen], draw: Callable[[Any], bytes]) -> Iterator[Drawn]:
    remaining = iter(entries)
    while some := list(islice(remaining, ENTRIES)):
        calls = [_with_plain_id(entry) for entry in some if isinstance(entry, Record | Seen)]
        yield Drawn(some, calls, [draw(call) for call in calls])


def _keep(client: Client, block: Drawn) -> int:
    horizon = horizon_of(client)
    calls, lines = block.calls, block.lines
    gone: set[str] = set()
    if horizon is not None:
        gone, late = _gone(client, block, horizon), _late(client, block, horizon)
        kept = [(call, line) for call, line in zip(calls, lines, strict=True) if call.id not in late]
        calls, lines = [call for call, _ in kept], [line for _, line in kept]
        set_aside(client, (call for call in late.values() if call is not None))
    others = _other_lines(block.entries, gone)
    new, copies = _keep_calls(client, calls, lines)
    for table, said in others.items():
        _insert(client, table, said.values())
    _compare(client, copies)
    return new


def _gone(client: Client, block: Drawn, horizon: datetime) -> set[str]:
    """Name calls of pruned days that entries are about; one that is here is none of them."""
    about = (_plain_id(each.record_id) for each in block.entries if isinstance(each, Score | Revision))
    old = {name for name in about if is_late(horizon, name)}
    return old - here(client, list(old))


def _late(client: Client, block: Drawn, horizon: datetime) -> dict[str, Record | None]:
    """Give the calls of pruned days by their ids, and None for those that are known not to be new.

    The latter were settled, or pruned though their ids do not tell so. A call that is here is none of them;
    of two with one id the first to come decides for both.
    """
    firsts = {call.id: call for call in reversed(block.calls)}
    ids = list(firsts)
    done = done_with(client, ids)
    old = done | apart(client, ids)
    old.update(name for name, call in firsts.items() if is_late(horizon, name, _at(call)))
    return {name: None if name in done else _whole(firsts[name]) for name in old - here(client, list(old))}


def _whole(call: Record | Seen) -> Record:
    return record_of(call) if isinstance(call, Seen) else call


def _at(call: Record | Seen) -> datetime:
    return datetime.fromisoformat(call.at) if isinstance(call, Seen) else call.at


def _with_plain_id(call: Record | Seen) -> Record | Seen:
    if isinstance(call, Seen) or (plain := _plain_id(call.id)) == call.id:
        return call
    return replace(call, id=plain)


def _plain_id(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise RefusedEntryError(f"{text!r:.60} is no id of a record; ids are UUIDs") from None


def _record_line(record: Record) -> bytes:
    """Write a record as JSON that the table's columns hold; ClickHouse would cut greater numbers silently."""
    try:
        data = record_json(record)
    except (TypeError, AttributeError, ValueError) as error:  # no mapping where there should be one, say
        raise RefusedEntryError(f"an entry cannot be kept: {error}") from error
    for name in _AMOUNTS:
        if name in data and len(data[name].partition(".")[2]) > PLACES:
            data[name] = text_of(to_ledger_places(Decimal(data[name])))
    for name in _COUNTS:
        value = data.get(name)
        if isinstance(value, int) and not -_GREATEST <= value < _GREATEST:
            raise RefusedEntryError(f"an entry cannot be kept: {name} is too great")
    return _line(data)


def _line(data: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE)
    except (TypeError, ValueError) as error:
        raise RefusedEntryError(f"an entry cannot be written as JSON: {error}") from error


def _other_lines(entries: Iterable[Entry | Seen], gone: Collection[str]) -> dict[str, Lines]:
    """Write what is no record, by table: the same thing said twice is one line, the first.

    What is said about a call that is a daily total by now is left out.
    """
    found: dict[str, Lines] = {"scores": {}, "revisions": {}, "losses": {}}
    for place, entry in enumerate(entries):
        about = getattr(entry, "record_id", None)
        if about is not None and gone and _plain_id(about) in gone:
            continue
        if isinstance(entry, Score):
            _say(found["scores"], _score_data(entry), place)
        elif isinstance(entry, Revision):
            data = {"record_id": _plain_id(entry.record_id), "at": instant_text(entry.at)}
            said = (
                "record_id",
                "at",
                "cost",
                "currency",
                "cost_status",
            )  # the rest tells how that came about
            _say(found["revisions"], {**data, **cost_json(entry.charge)}, place, said)
        elif isinstance(entry, Loss):
            _say(
                found["losses"], {"at": instant_text(entry.at), "count": entry.count, "why": entry.why}, place
            )
    return found


def _score_data(score: Score) -> dict[str, Any]:
    return {
        "record_id": _plain_id(score.record_id),
        "at": instant_text(score.at),
        "quality_score": score.quality_score,
        "user_rating": score.user_rating,
        "correct": score.correct,
    }


def _say(lines: Lines, data: dict[str, Any], place: int, said: Sequence[str] | None = None) -> None:
    told = [data.get(name) for name in said or data]
    digest = int.from_bytes(blake2b(_line({"": told}), digest_size=8).digest())
    lines.setdefault(digest, _line({**data, "said": digest, "place": place}))


def _insert(client: Client, table: str, lines: Iterable[bytes]) -> None:
    block = list(lines)
    if block:
        client.insert(table, block, _digest(block).hex())


def _digest(lines: Iterable[bytes]) -> bytes:
    digest = sha256()  # which processors have; half the time of blake2b
    for line in lines:
        digest.update(line)
    return digest.digest()[:16]


def _keep_calls(
    client: Client, calls: Sequence[Record | Seen], lines: Sequence[bytes]
) -> tuple[int, list[Record]]:
    """Insert the calls that are new; give how many, and those whose id was taken, to be compared.

    Somebody else may bring the same calls at the same moment: both then find them new and insert them.
    Reading counts one copy; whether they say the same is looked at afterwards, when one of the two at least
    sees both. It compares every copy, since which of them counts is not for it to say.
    """
    places = {call.id: at for at, call in reversed(list(enumerate(calls)))}  # where each id comes first
    there = known(client, list(places))
    new = [at for at, call in enumerate(calls) if places[call.id] == at and call.id not in there]
    met: set[str] = set()
    if new:
        block = [lines[at] for at in new]
        token = _digest(block)
        delivery = _number(token)
        begin = b'{"delivery":%d,' % delivery
        client.insert("calls", [begin + line[1:] for line in block], token.hex())
        met = raced(client, [calls[at].id for at in new], delivery)
    first = [line for at, line in enumerate(lines) if places[calls[at].id] == at]
    odd = _brought_otherwise(client, there, first)
    copies = [_whole(each) for at, each in enumerate(calls) if each.id in odd or places[each.id] != at]
    return len(new), [*copies, *_kept(client, sorted(met), every=True)]


def _brought_otherwise(client: Client, there: set[str], lines: Sequence[bytes]) -> set[str]:
    """Give those of these ids that another block than this very one has brought: it may say something else.

    What comes a second time as it came first, a file or a parcel, is known by its digest and not looked at.
    """
    return raced(client, sorted(there), _number(_digest(lines))) if there else set()


def _number(token: bytes) -> int:
    return int.from_bytes(token[:8])


def _compare(client: Client, copies: Sequence[Record]) -> None:
    """Look at copies of calls that are known: equal ones are nothing new, others are set aside."""
    for start in range(0, len(copies), _COMPARED):
        some = [as_kept(each) for each in copies[start : start + _COMPARED]]
        kept = {each.id: each for each in _kept(client, [each.id for each in some])}
        ids = list(kept)
        scores, newer = scores_of(client, ids), revisions_of(client, ids)
        news: Lines = {}
        conflicts: Lines = {}
        for place, other in enumerate(some):
            first = kept.get(other.id)
            if first is None:  # its day was pruned meanwhile
                continue
            if not same_call(first, other, newer.get(first.id, ())):
                texts = [_line(record_json(each)).decode().rstrip() for each in (first, other)]
                data = {"id": first.id, "kept": texts[0], "other": texts[1]}
                _say(conflicts, data, place)
            elif score := missing_judgement(judged(first, scores.get(first.id, ())), other):
                scores.setdefault(first.id, []).append(score)
                _say(news, _score_data(score), place)
        _insert(client, "conflicts", conflicts.values())
        _insert(client, "scores", news.values())


def _kept(client: Client, ids: Sequence[str], *, every: bool = False) -> Iterator[Record]:
    """Give the calls that count, or with ``every`` all copies of them."""
    names = tuple(client.columns("calls"))
    listed = ", ".join(f'"{name}"' for name in names)
    text = f"SELECT {listed} FROM calls WHERE {LISTED}"  # noqa: S608  # our own names
    for start in range(0, len(ids), _COMPARED):
        some = list(ids[start : start + _COMPARED])
        for row in client.all(text, [some], {"final": 0} if every else None):
            yield stored_record(names, row)
