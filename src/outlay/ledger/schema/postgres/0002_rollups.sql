-- What standard questions are answered from, in large ledgers; kept in the transactions that change calls.

-- Sums by hour (UTC) and kind, with the newest of each call's costs.
CREATE TABLE hours (
    hour                timestamp NOT NULL,
    kind                integer NOT NULL,
    currency            text NOT NULL,
    cost_status         text NOT NULL,
    calls               bigint NOT NULL,
    known               bigint NOT NULL,  -- calls whose cost is known
    cost                numeric NOT NULL,  -- of those
    input_tokens        bigint NOT NULL,
    cached_tokens       bigint NOT NULL,
    cache_write_tokens  bigint NOT NULL,
    output_tokens       bigint NOT NULL,
    reasoning_tokens    bigint NOT NULL,
    timed               bigint NOT NULL,  -- calls whose latency is known
    latency_ms          double precision NOT NULL,  -- the sum of those
    PRIMARY KEY (hour, kind, currency, cost_status)
) WITH (fillfactor = 50);  -- the rows of the hour at hand are updated with each batch

-- How many latencies lie in each bucket, by day (UTC) and kind: bucket n reaches from 1.04 ^ n milliseconds up
-- to 1.04 ^ (n + 1); what is below a thousandth of a millisecond is in the first one.
CREATE TABLE latencies (
    day     date NOT NULL,
    kind    integer NOT NULL,
    bucket  smallint NOT NULL,
    calls   bigint NOT NULL,
    PRIMARY KEY (day, kind, bucket)
) WITH (fillfactor = 50);

INSERT INTO hours
SELECT
    date_trunc('hour', records."at"), kind, coalesce(newest.currency, kinds.currency),
    coalesce(newest.cost_status, kinds.cost_status), count(*),
    count(CASE WHEN newest.record_id IS NULL THEN records.cost ELSE newest.cost END),
    coalesce(sum(CASE WHEN newest.record_id IS NULL THEN records.cost ELSE newest.cost END), 0),
    sum(input_tokens), sum(cached_tokens), sum(cache_write_tokens), sum(output_tokens), sum(reasoning_tokens),
    count(latency_ms), coalesce(sum(latency_ms), 0)
FROM records
JOIN kinds ON kinds.id = records.kind
LEFT JOIN (
    SELECT DISTINCT ON (record_id) record_id, cost, currency, cost_status FROM revisions
    ORDER BY record_id, "at" DESC, rowid DESC
) AS newest ON newest.record_id = records.id
GROUP BY 1, 2, 3, 4;

INSERT INTO latencies
SELECT
    CAST("at" AS date), kind,
    CASE WHEN latency_ms > 0.001 THEN floor(ln(latency_ms) / ln(1.04::double precision)) ELSE -177 END,
    count(*)
FROM records
WHERE latency_ms IS NOT NULL
GROUP BY 1, 2, 3;
