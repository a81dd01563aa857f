"""When two records with one id are the same call, and how later judgements and costs reach a record."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from outlay.core.codec import entry_from_json, entry_json, record_from_json, record_json
from outlay.core.cost import Cost
from outlay.core.errors import RefusedEntryError
from outlay.core.record import Entry, Loss, Record, Revision, Score

_SCORES = ("quality_score", "user_rating", "correct")


def as_kept(record: Record) -> Record:
    """Give a record as it comes back from its JSON, which is what every ledger keeps."""
    return record_from_json(record_json(record))


def revision_as_kept(revision: Revision) -> Revision:
    """Give a revision as it comes back from its JSON."""
    kept = entry_from_json(entry_json(revision))
    return kept if isinstance(kept, Revision) else revision


def same_call(kept: Record, other: Record, revisions: Iterable[Revision] = ()) -> bool:
    """Whether another record is the kept one, with the recorded cost or a revised one.

    Judgements are left aside: those may come later on a way of their own. So is what a price book made of the
    call: an import that is done again has the book of another day.
    """
    return _is_same(kept, other) and any(
        _stated(charge) == _stated(other.charge) for charge in _charges(kept, revisions)
    )


def as_recorded(kept: Record, recorded: Record, revisions: Iterable[Revision] = ()) -> bool:
    """Whether a kept call is what was recorded, with what a price book made of it then or later.

    Another book says which it is: who read the same answer on another day may have had it.
    """
    return _is_same(kept, recorded) and any(
        charge == recorded.charge or _is_by_another_book(charge, recorded.charge)
        for charge in _charges(kept, revisions)
    )


def _is_by_another_book(one: Cost, other: Cost) -> bool:
    is_unknown = one.amount is None and other.amount is None
    return _stated(one) == _stated(other) and (is_unknown or one.price != other.price)


def _is_same(kept: Record, other: Record) -> bool:
    blank = dict.fromkeys(_SCORES)
    at = other.at if _is_read_at(kept) and _is_read_at(other) else kept.at
    return replace(kept, at=at, charge=other.charge, **blank) == replace(other, **blank)  # type: ignore[arg-type]  # by name


def _is_read_at(record: Record) -> bool:
    """Whether a call's instant is that of whoever read it, since nothing told one."""
    return record.extra.get("time_assumed") is True


def _charges(kept: Record, revisions: Iterable[Revision]) -> tuple[Cost, ...]:
    return (kept.charge, *(each.charge for each in revisions))


def _stated(charge: Cost) -> Cost | None:
    """Give what is said of a cost by others than a price book; None where nothing is."""
    if charge.status == "reported":  # what a book says of it may stand beside it, or not
        return replace(charge, price=None, computed=None, flags=())
    if charge.amount is None or charge.price is not None:
        return None
    return replace(charge, computed=None)


def told_by(revision: Revision) -> tuple[Any, ...]:
    """Give by what costs of one call are told apart; the rest says how they came about."""
    charge = revision.charge
    return revision.at, charge.amount, charge.currency, charge.status


def missing_judgement(kept: Record, other: Record) -> Score | None:
    """Give what the second copy of a call judges where the first one, as it stands, says nothing."""
    news = {
        name: getattr(other, name)
        for name in _SCORES
        if getattr(kept, name) is None and getattr(other, name) is not None
    }
    return Score(record_id=kept.id, at=kept.at, **news) if news else None


def judged(record: Record, scores: Iterable[Score]) -> Record:
    """Apply judgements, given oldest first: the newest value of each field counts."""
    news = {
        name: value for score in scores for name in _SCORES if (value := getattr(score, name)) is not None
    }
    return replace(record, **news) if news else record


def revised(record: Record, revisions: Sequence[Revision]) -> Record:
    """Apply revisions, given oldest first: the newest cost counts."""
    return replace(record, charge=revisions[-1].charge) if revisions else record


def checked(entry: Entry) -> Entry:
    """Check the id as a column of type UUID would, and give the entry as columns keep it.

    Raises:
        RefusedEntryError: the id is no UUID.
    """
    entry = checked_id(entry)
    if isinstance(entry, Revision):
        return revision_as_kept(entry)
    return as_kept(entry) if isinstance(entry, Record) else entry


def checked_id(entry: Entry) -> Entry:
    """Give the entry with its id as a column of type UUID writes it.

    Raises:
        RefusedEntryError: the id is no UUID.
    """
    if isinstance(entry, Loss):
        return entry
    name = entry.id if isinstance(entry, Record) else entry.record_id
    try:
        plain = str(UUID(name))
    except ValueError:
        raise RefusedEntryError(f"{name!r:.60} is no id of a record; ids are UUIDs") from None
    if plain == name:
        return entry
    return replace(entry, id=plain) if isinstance(entry, Record) else replace(entry, record_id=plain)
