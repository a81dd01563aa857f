"""Reports about groups of calls, laid out for people: latency, errors, caching, quality, unit costs."""

from zoneinfo import ZoneInfo

from outlay.core.query import Row
from outlay.core.record import Record
from outlay.render import cells
from outlay.render.reports import NO_CALLS, owed_each, owed_for, price_gap_notes
from outlay.render.rolled import rolled_notes
from outlay.render.sheets import Field, Sheet, View
from outlay.report.caching import Caching
from outlay.report.economics import Economics
from outlay.report.errors import Errors
from outlay.report.latency import Latency
from outlay.report.money import ratio
from outlay.report.quality import Quality
from outlay.report.savings import Change, Savings

_MODEL = (Field("provider", "provider", "text", spare=6), Field("model", "model", "text"))
_CALLS = Field("calls", "calls")


def _by(names: tuple[str, ...]) -> tuple[Field, ...]:
    return _MODEL if names == ("provider", "model") else tuple(Field(each, each, "text") for each in names)


def latency_view(found: Latency, tz: ZoneInfo) -> View:
    """Lay latencies out, and the slowest calls below them."""
    fields = (
        *_by(found.query.by),
        _CALLS,
        Field("avg_latency_ms", "avg", "ms", spare=9),
        Field("p50_latency_ms", "p50", "ms", spare=1),
        Field("p90_latency_ms", "p90", "ms", spare=5),
        Field("p95_latency_ms", "p95", "ms"),
        Field("p99_latency_ms", "p99", "ms", spare=3),
        Field("max_latency_ms", "max", "ms", spare=10),
        Field("p50_first_token_ms", "first token", "ms", spare=4),
        Field("p95_first_token_ms", "its p95", "ms", spare=6),
        Field("output_tokens_per_second", "tokens/s", "number", spare=2),
        Field("slow_calls", f"over {found.slow_ms / 1000:g} s", "count", bad=True),
        Field("slow_share", "of timed", "percent", spare=8),
    )
    untimed = found.total["calls"] - found.total["timed_calls"]
    lack = cells.many(untimed, "call without a latency is", "calls without a latency are")
    notes = [f"{lack} in no figure of time"] if untimed else []
    notes += rolled_notes(found, "no percentiles, first tokens, slow calls")
    return View(
        (
            Sheet(fields, found.rows if found.query.by else (), found.total),
            Sheet(_SLOW, [_slow_row(each, tz) for each in found.slowest], title="The slowest calls"),
        ),
        tuple(notes),
        empty=None if found.total["calls"] else NO_CALLS,
    )


_SLOW = (
    Field("at", "at", "time", spare=1),
    Field("model", "model", "text"),
    Field("user", "user", "text", spare=4),
    Field("output_tokens", "output", spare=3),
    Field("latency_ms", "latency", "ms"),
    Field("cost", "cost", "money", spare=2),
    Field("id", "id", "id"),
)


def _slow_row(record: Record, tz: ZoneInfo) -> Row:
    names = ("model", "user", "output_tokens", "latency_ms", "cost", "currency", "id")
    found = {name: getattr(record, name) for name in names}
    return {"at": cells.local_time(record.at, tz), "calls": 1, **found}


def errors_view(found: Errors) -> View:
    """Lay errors out by type and model, and models by how often they fail."""
    rows = (
        Field("error_type", "error", "text"),
        *_MODEL,
        _CALLS,
        Field("share", "share", "share", spare=1),
        Field("cost", "cost", "money"),
        Field("unpriced_calls", "unpriced", spare=1, where_any=True, bad=True),
        Field("avg_latency_ms", "avg", "ms", spare=2),
    )
    models = (
        *_MODEL,
        _CALLS,
        Field("errors", "errors", bad=True),
        Field("error_rate", "rate", "percent"),
        Field("error_cost", "errors cost", "price", spare=1, owed=owed_for("errors")),
        Field("cost", "all cost", "money", spare=2),
    )
    none = found.total["calls"] and not found.total["errors"]
    empty = f"no errors in {cells.many(found.total['calls'], 'call')}" if none else NO_CALLS
    return View(
        (
            Sheet(rows, found.rows),
            Sheet(
                models, [row for row in found.models if row["errors"]], found.total, "How often models fail"
            ),
        ),
        (*rolled_notes(found), *price_gap_notes(found.price_gaps)),
        empty=None if found.total["errors"] else empty,
    )


def caching_view(found: Caching) -> View:
    """Lay cache hits and savings out."""
    fields = (
        *_by(found.query.by),
        _CALLS,
        Field("call_hit_rate", "hit by calls", "percent", spare=2),
        Field("cache_hit_rate", "by tokens", "percent"),
        Field("cached_tokens", "cached", spare=3),
        Field("input_tokens", "input", spare=4),
        Field("read_saving", "reading saved", "price", spare=5, owed=owed_for("cached_tokens")),
        Field("write_premium", "writing cost", "price", spare=6, owed=owed_for("cache_write_tokens")),
        Field("net_saving", "saved", "price", owed=owed_for("cached_tokens", "cache_write_tokens")),
        Field("possible_saving", "at most more", "price", spare=1, owed=_fresh),
        Field("cost", "cost", "money", spare=7),
    )
    notes = [*rolled_notes(found, "what caching saved of them, and could, is in no figure")]
    if found.total["unknown_tokens"]:
        notes.append(f"what {found.total['unknown_tokens']:,} cached tokens saved is not known")
    if found.total["possible_unknown_tokens"]:
        lacking = f"{found.total['possible_unknown_tokens']:,} tokens of fresh input"
        notes.append(f"no rate of a cache is known for {lacking}; they are not in what more could be saved")
    if found.total["calls"]:
        notes.append("at most more: if all fresh input were read from a cache, which no program reaches")
    return View(
        (Sheet(fields, found.rows if found.query.by else (), found.total),),
        (*notes, *price_gap_notes(found.price_gaps)),
        empty=None if found.total["calls"] else NO_CALLS,
    )


def _fresh(row: Row) -> bool:
    """Whether some input came from no cache, or nobody knows."""
    read: int = row["input_tokens"] - row["cached_tokens"] - row["cache_write_tokens"]
    return read > 0


def quality_view(found: Quality) -> View:
    """Lay judgements out beside cost."""
    fields = (
        *_by(found.query.by),
        Field("calls", "calls", spare=1),
        Field("quality_scores", "scored", spare=7),
        Field("avg_quality_score", "quality", "number"),
        Field("user_ratings", "rated", spare=8),
        Field("avg_user_rating", "rating", "number", spare=3),
        Field("judged_calls", "judged", spare=6),
        Field("correct_rate", "right", "percent"),
        Field(
            "cost_per_correct_answer",
            "cost of a right one",
            "price",
            spare=2,
            owed=owed_each("correct_calls"),
        ),
        Field("avg_cost", "avg cost", "money", spare=4, owed=owed_each("calls")),
        Field("cost", "cost", "money", spare=5),
    )
    total = found.total
    judged = total["quality_scores"] or total["user_ratings"] or total["judged_calls"]
    hint = "no call has been judged; outlay.score(id, correct=…, quality_score=…, user_rating=…) does it"
    notes = [*rolled_notes(found, "how they were judged is not known")]
    if total["unpriced_judged"]:
        notes.append(
            f"{total['unpriced_judged']:,} judged calls of unknown cost are in no cost of a right one"
        )
    return View(
        (Sheet(fields, found.rows if found.query.by else (), total),),
        (*notes, *price_gap_notes(found.price_gaps)),
        empty=None if judged or found.rolled else hint if total["calls"] else NO_CALLS,
    )


def economics_view(found: Economics) -> View:
    """Lay unit costs out."""
    fields = (
        *_by(found.query.by),
        _CALLS,
        Field("cost", "cost", "money", spare=6),
        Field("cost_per_call", "a call", "price", owed=owed_each("calls")),
        Field("cost_per_successful_call", "a success", "price", spare=3, owed=owed_each("successful_calls")),
        Field("cost_per_user", "a user", "price", spare=1, owed=owed_each("users")),
        Field("cost_per_session", "a session", "price", spare=2, owed=owed_each("sessions")),
        Field("cost_per_correct_answer", "a right answer", "price", spare=5, owed=owed_each("correct_calls")),
        Field("cost_per_1k_tokens", "1,000 tokens", "price", spare=4, owed=owed_each("total_tokens")),
    )
    return View(
        (Sheet(fields, found.rows if found.query.by else (), found.total),),
        (
            *rolled_notes(found, "no distinct users, sessions, right answers"),
            *price_gap_notes(found.price_gaps),
        ),
        empty=None if found.total["calls"] else NO_CALLS,
    )


def savings_view(found: Savings) -> View:
    """Lay the changes out that save, the largest first."""
    fields = (
        Field("kind", "change", "text"),
        *_MODEL,
        Field("to", "to", "text"),
        Field("calls", "calls", spare=1),
        Field("cost", "cost", "price", spare=3),
        Field("cost_there", "cost then", "price", spare=4),
        Field("saving", "saves", "price"),
        Field("share", "of it", "percent", spare=2),
        Field("correct_rate", "right now", "percent", spare=5, where_any=True),
        Field("correct_rate_there", "right then", "percent", spare=6, where_any=True),
    )
    rows = [_saving_row(each) for each in found.changes]
    if not found.total["calls"]:
        return View((Sheet(fields, ()),), rolled_notes(found), empty=NO_CALLS)
    notes = [
        *rolled_notes(found, "they cannot be priced again"),
        f"priced again: {found.looked_at:,} of the {cells.many(found.calls, 'call')} of the dearest models",
        *(["each change by itself; they do not add up"] if len(rows) > 1 else []),
        *(["caching: at most, if all fresh input were read from a cache"] if _any_bound(found) else []),
        *(["token counts are taken as they are, and answers may be worse"] if _any_model(found) else []),
    ]
    empty = None if rows else "nothing that was tried would have been cheaper"
    return View((Sheet(fields, rows),), (*notes, *price_gap_notes(found.price_gaps)), empty=empty)


def _saving_row(change: Change) -> Row:
    share = ratio(change.saving, change.cost)
    return {**change.to_dict(), **{name: getattr(change, name) for name in _AMOUNTS}, "share": share}


_AMOUNTS = ("cost", "cost_there", "saving")


def _any_bound(found: Savings) -> bool:
    return any(each.at_most for each in found.changes)


def _any_model(found: Savings) -> bool:
    return any(each.kind == "model" for each in found.changes)
