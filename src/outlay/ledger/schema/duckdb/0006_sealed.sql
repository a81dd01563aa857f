-- What most questions ask of very many calls, worked out beforehand: sums and sorted latencies by UTC day, of the calls
-- whose rowid is below that of the seal. Calls do not change, and what comes later has a greater rowid; where calls are
-- deleted or rowids given anew, all three are emptied in the same transaction, and filled again by a later question.
CREATE TABLE seals (
    upto   BIGINT NOT NULL,  -- the rowid below which calls are in both tables
    again  BIGINT NOT NULL   -- how many calls there must be until the next seal is tried
);

-- Sums of the calls of one day and kind; "at" is midnight UTC of the day.
CREATE TABLE sealed_sums (
    "at"                TIMESTAMP NOT NULL,
    provider            VARCHAR NOT NULL,
    model               VARCHAR,
    operation           VARCHAR NOT NULL,
    status              VARCHAR NOT NULL,
    error_type          VARCHAR,
    currency            VARCHAR NOT NULL,
    cost_status         VARCHAR NOT NULL,
    calls               BIGINT NOT NULL,
    known               BIGINT NOT NULL,  -- calls whose cost is known
    cost                DECIMAL(38, 18),  -- NULL where none is known
    input_tokens        HUGEINT NOT NULL,
    cached_tokens       HUGEINT NOT NULL,
    cache_write_tokens  HUGEINT NOT NULL,
    output_tokens       HUGEINT NOT NULL,
    reasoning_tokens    HUGEINT NOT NULL,
    cached_calls        BIGINT NOT NULL,  -- with input that was read from a cache
    timed               BIGINT NOT NULL,  -- calls whose latency is known
    latency_ms          DOUBLE,           -- the sum of those
    least_ms            DOUBLE,
    greatest_ms         DOUBLE,
    written_tokens      HUGEINT,          -- output of calls that took longer than no time
    written_ms          DOUBLE,           -- the sum of their latencies
    first_tokens        BIGINT NOT NULL,  -- calls whose time to first token is known
    first_token_ms      DOUBLE,
    judged              BIGINT NOT NULL,  -- calls that came with a judgement
    correct             BIGINT NOT NULL,
    judged_known        BIGINT NOT NULL,  -- judged calls whose cost is known
    judged_cost         DECIMAL(38, 18),
    quality_scores      BIGINT NOT NULL,
    quality_score       DOUBLE,
    user_ratings        BIGINT NOT NULL,
    user_rating         DOUBLE
);

-- All known latencies of one day, provider and model, in order, a few hundred a row: exact percentiles of any days need a
-- look at few of the rows.
CREATE TABLE sealed_latencies (
    "at"       TIMESTAMP NOT NULL,
    provider   VARCHAR NOT NULL,
    model      VARCHAR,
    n          BIGINT NOT NULL,
    least      DOUBLE NOT NULL,
    greatest   DOUBLE NOT NULL,
    latencies  DOUBLE[] NOT NULL
);
