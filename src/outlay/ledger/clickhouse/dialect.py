"""The question as ClickHouse wants it written."""

from typing import Final

from outlay.ledger.dialect import Dialect

HORIZON: Final = "coalesce((SELECT max(before) FROM prunes), toDateTime64('0001-01-01 00:00:00', 6, 'UTC'))"
"""The instant before which calls are daily totals; older ones that are still here are in no answer."""

STANDING: Final = "run IN (SELECT run FROM prunes UNION ALL SELECT run FROM settlements)"
"""Of daily totals and their proof: those that count."""

_HERE = f'"at" >= {HORIZON}'
# Decimal256, so that sums have room for 58 digits before the point
_CALLS = f"(SELECT * REPLACE (toDecimal256(cost, 18) AS cost) FROM calls WHERE {_HERE}) AS calls"  # noqa: S608  # our own names
_ROLLED = f"""(SELECT *, CAST(NULL, 'Nullable(String)') AS session FROM rollups
    WHERE {STANDING}) AS calls"""  # noqa: S608  # our own names
_REVISED = f"""(SELECT * EXCEPT (
        revised, newer_cost, newer_lines, newer_currency, newer_status, newer_flags
    ) REPLACE (
        toDecimal256(if(revised = 1, newer_cost, cost), 18) AS cost,
        if(revised = 1, newer_lines, lines) AS lines,
        if(revised = 1, newer_currency, currency) AS currency,
        if(revised = 1, newer_status, cost_status) AS cost_status,
        if(revised = 1, newer_flags, cost_flags) AS cost_flags
    )
    FROM calls LEFT ANY JOIN (
        SELECT record_id AS id, 1 AS revised, cost AS newer_cost, lines AS newer_lines,
            currency AS newer_currency, cost_status AS newer_status, cost_flags AS newer_flags
        FROM revisions ORDER BY "at" DESC, arrived, place DESC LIMIT 1 BY record_id
    ) AS newest USING (id) WHERE {_HERE}) AS calls"""  # noqa: S608  # our own names
_JUDGED = """(SELECT * EXCEPT (newer_quality, newer_rating, newer_correct) REPLACE (
        coalesce(newer_quality, quality_score) AS quality_score,
        coalesce(newer_rating, user_rating) AS user_rating,
        coalesce(newer_correct, correct) AS correct
    )
    FROM {calls} LEFT ANY JOIN (
        SELECT record_id AS id,
            argMax(quality_score, ("at", -arrived, place)) AS newer_quality,
            argMax(user_rating, ("at", -arrived, place)) AS newer_rating,
            argMax(correct, ("at", -arrived, place)) AS newer_correct
        FROM scores GROUP BY record_id
    ) AS news USING (id)) AS calls"""
_LINE = "Tuple(unit String, rate String, per Int64, quantity String, amount String, model Nullable(String))"
_LINED = f"""(SELECT chosen.*, line.unit AS unit, line.per AS per,
        toDecimal256(line.rate, 18) AS rate,
        toDecimal256(line.quantity, 18) AS quantity,
        toDecimal256(line.amount, 18) AS amount,
        arrayFilter(each -> each.unit = {{fresh}} AND each.model <=> line.model, listed) AS paid,
        if(empty(paid), NULL, arrayMin(arrayMap(each -> toDecimal256(each.rate, 18), paid))) AS input_rate
    FROM (SELECT *, JSONExtract(assumeNotNull(lines), 'Array({_LINE})') AS listed FROM ({{chosen}})) AS chosen
    ARRAY JOIN listed AS line)"""  # noqa: S608  # our own names

CLICKHOUSE: Final = Dialect(
    shift="addSeconds({moment}, {seconds})",
    seconds="CAST(?, 'Int64')",
    # exact, by linear interpolation
    histogram=None,
    flags="cost_flags",
    percentiles="if(count({column}) = 0, [], quantilesExactInclusive(0.5, 0.9, 0.95, 0.99)({column}))",
    row="UUIDToNum(id)",
    arrival="arrived DESC, place",
    id="UUIDToNum(id)",
    id_value="UUIDToNum(toUUID(?))",
    among="IN (SELECT arrayJoin(CAST(?, 'Array(UUID)')))",
    amount="CAST(?, 'Decimal(38, 18)')",
    calls=_CALLS,
    rolled=_ROLLED,
    revised=_REVISED,
    judged=_JUDGED,
    lined=_LINED,
)
