"""PostgreSQL's way of writing the questions."""

from collections.abc import Mapping
from typing import Final

from outlay.ledger.dialect import Dialect

_ASKED = (  # the columns of calls that questions are about, those of SQL of one's own among them
    *("id", "at", "provider", "model", "operation", "user", "session", "query_type", "agent", "action"),
    *("workspace", "status", "error_type", "currency", "cost_status", "cost_flags", "tags", "cost", "lines"),
    *("latency_ms", "time_to_first_token_ms", "input_tokens", "cached_tokens", "cache_write_tokens"),
    *(
        "output_tokens",
        "reasoning_tokens",
        "quality_score",
        "user_rating",
        "correct",
        "model_requested",
        "api",
        "error",
    ),
    *("streamed", "retries", "prompt_length", "response_id", "trace_id", "span_id", "extra"),
)


def _replaced(news: Mapping[str, str]) -> str:
    """List the columns of calls with others in the place of some."""
    return ", ".join(f'{news.get(name, f"""calls."{name}" """.strip())} AS "{name}"' for name in _ASKED)


_REVISED = _replaced(
    {
        "cost": "CASE WHEN newest.record_id IS NULL THEN calls.cost ELSE newest.cost END",
        "lines": "CASE WHEN newest.record_id IS NULL THEN calls.lines ELSE newest.lines END",
        "currency": "coalesce(newest.currency, calls.currency)",
        "cost_status": "coalesce(newest.cost_status, calls.cost_status)",
        "cost_flags": "CASE WHEN newest.record_id IS NULL THEN calls.cost_flags ELSE newest.cost_flags END",
    }
)
_JUDGED = _replaced(
    {
        "quality_score": "coalesce(news.quality_score, calls.quality_score)",
        "user_rating": "coalesce(news.user_rating, calls.user_rating)",
        "correct": "coalesce(news.correct, calls.correct)",
    }
)
_NEWS = ", ".join(
    f'(array_agg({name} ORDER BY "at" DESC, rowid DESC) FILTER (WHERE {name} IS NOT NULL))[1] AS {name}'
    for name in ("quality_score", "user_rating", "correct")
)

POSTGRES: Final = Dialect(
    shift="{moment} + {seconds} * INTERVAL '1 second'",
    tag="tags ->> CAST(? AS TEXT)",
    percentiles="percentile_cont(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY {column})",
    array="ARRAY[{items}]",
    histogram=None,
    row="id",
    among="= ANY(CAST(? AS UUID[]))",
    amount="CAST(? AS NUMERIC)",
    bounds='SELECT min("at"), max("at") FROM records',  # by index; over the view every call would be read
    judged=f"""(SELECT {_JUDGED} FROM {{calls}} LEFT JOIN (
            SELECT record_id, {_NEWS} FROM scores GROUP BY record_id
        ) AS news ON news.record_id = calls.id) AS calls""",  # noqa: S608  # our own names
    lined="""(SELECT chosen.*, line.unit, line.per, line.rate, line.quantity, line.amount, (
            SELECT min(each.rate)
            FROM json_to_recordset(chosen.lines) AS each(unit text, rate numeric, model text)
            WHERE each.unit = {fresh} AND each.model IS NOT DISTINCT FROM line.model
        ) AS input_rate
        FROM ({chosen}) AS chosen, json_to_recordset(chosen.lines) AS line(
            unit text, rate numeric, per bigint, quantity numeric, amount numeric, model text))""",
    revised=f"""(SELECT {_REVISED} FROM calls LEFT JOIN (
            SELECT DISTINCT ON (record_id) record_id, cost, currency, cost_status, cost_flags, lines
            FROM revisions ORDER BY record_id, "at" DESC, rowid DESC
        ) AS newest ON newest.record_id = calls.id) AS calls""",  # noqa: S608  # our own names
)
