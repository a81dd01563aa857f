"""When two records with one id are the same call, and how later judgements reach a record."""

from collections.abc import Iterable
from dataclasses import replace

from outlay.core.codec import record_from_json, record_json
from outlay.core.record import Record, Score

_SCORES = ("quality_score", "user_rating", "correct")


def as_kept(record: Record) -> Record:
    """Give a record as it comes back from its JSON, which is what every ledger keeps."""
    return record_from_json(record_json(record))


def same_call(one: Record, other: Record) -> bool:
    """Whether two records say the same, judgements aside: those may come later on a way of their own."""
    blank = dict.fromkeys(_SCORES)
    return replace(one, **blank) == replace(other, **blank)  # type: ignore[arg-type]  # fields by name


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
