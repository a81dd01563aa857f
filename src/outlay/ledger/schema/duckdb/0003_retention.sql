-- Daily totals of calls that were pruned; "at" is midnight UTC of the day. What is missing in a dimension is NULL,
-- as in calls; sessions and hours are not kept.
CREATE TABLE rollups (
    "at"                TIMESTAMP NOT NULL,
    provider            VARCHAR NOT NULL,
    model               VARCHAR,
    operation           VARCHAR NOT NULL,
    "user"              VARCHAR,
    query_type          VARCHAR,
    agent               VARCHAR,
    action              VARCHAR,
    workspace           VARCHAR,
    status              VARCHAR NOT NULL,
    error_type          VARCHAR,
    currency            VARCHAR NOT NULL,
    cost_status         VARCHAR NOT NULL,
    tags                MAP(VARCHAR, VARCHAR),
    calls               BIGINT NOT NULL,
    known               BIGINT NOT NULL,  -- calls whose cost is known
    input_tokens        BIGINT NOT NULL,
    cached_tokens       BIGINT NOT NULL,
    cache_write_tokens  BIGINT NOT NULL,
    output_tokens       BIGINT NOT NULL,
    reasoning_tokens    BIGINT NOT NULL,
    cost                DECIMAL(38, 18),  -- NULL where none is known
    timed               BIGINT NOT NULL,  -- calls whose latency is known
    latency_ms          DOUBLE NOT NULL   -- the sum of those
);

-- The horizons of the prunes that were done, midnight UTC; the greatest one holds.
CREATE TABLE prunes (
    "before"  TIMESTAMP NOT NULL
);

-- What each pruned day held when it was pruned, by which the rollups can be proved.
CREATE TABLE pruned_days (
    "day"     TIMESTAMP NOT NULL,
    currency  VARCHAR NOT NULL,
    calls     BIGINT NOT NULL,
    cost      DECIMAL(38, 18)
);

-- Calls that came when those of their day had been pruned: nobody can tell whether the totals hold them already.
CREATE TABLE late AS SELECT * FROM calls LIMIT 0;
