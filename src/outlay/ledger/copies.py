"""Copies of calls that are known: equal ones are nothing new, others are set aside."""

from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from outlay.core.codec import record_json
from outlay.core.record import Record, Score
from outlay.ledger.identity import judged, missing_judgement, same_call
from outlay.ledger.stored import Asked, revisions_of, scores_of


class Kept(Asked, Protocol):
    """Something that answers SQL and runs it."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> object:
        """Run a statement for its effect."""
        ...


def settle(tables: Kept, kept: Record, other: Record) -> None:
    """Compare a copy with the call that is kept, as it was recorded: set it aside if it is another call.

    What it judges, where nothing is said of the kept one yet, is kept as a score.
    """
    if not same_call(kept, other, revisions_of(tables, [kept.id]).get(kept.id, ())):
        _set_aside(tables, kept, other)
        return
    scores = scores_of(tables, [kept.id]).get(kept.id, [])
    news = missing_judgement(judged(kept, scores), other)
    if news is not None:
        _add_score(tables, news)


def _set_aside(tables: Kept, kept: Record, other: Record) -> None:
    texts = [orjson.dumps(record_json(each)).decode() for each in (kept, other)]
    if not tables.all("SELECT 1 FROM conflicts WHERE id = ? AND kept = ? AND other = ?", [kept.id, *texts]):
        tables.run("INSERT INTO conflicts VALUES (?, ?, ?)", [kept.id, *texts])


def _add_score(tables: Kept, score: Score) -> None:
    tables.run(
        'INSERT INTO scores (record_id, "at", quality_score, user_rating, correct) VALUES (?, ?, ?, ?, ?)',
        [
            score.record_id,
            score.at.replace(tzinfo=None),
            score.quality_score,
            score.user_rating,
            score.correct,
        ],
    )
