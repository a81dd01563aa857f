-- One row a call, as it was recorded; a column of this table is read from the key of the same name in the
-- record's JSON (core/codec.py). Instants are UTC. Types JSON are kept as the text that was read.
CREATE TABLE calls (
    id                      UUID NOT NULL,
    "at"                    TIMESTAMP NOT NULL,
    provider                VARCHAR NOT NULL,
    model                   VARCHAR,
    model_requested         VARCHAR,
    operation               VARCHAR NOT NULL,
    api                     VARCHAR,
    status                  VARCHAR NOT NULL,
    error_type              VARCHAR,
    error                   VARCHAR,
    latency_ms              DOUBLE,
    time_to_first_token_ms  DOUBLE,
    streamed                BOOLEAN,
    retries                 BIGINT,
    "user"                  VARCHAR,
    session                 VARCHAR,
    query_type              VARCHAR,
    agent                   VARCHAR,
    action                  VARCHAR,
    workspace               VARCHAR,
    tags                    MAP(VARCHAR, VARCHAR),
    response_id             VARCHAR,
    trace_id                VARCHAR,
    span_id                 VARCHAR,
    prompt_length           BIGINT,
    prompt                  VARCHAR USING COMPRESSION zstd,
    reply                   VARCHAR USING COMPRESSION zstd,
    quality_score           DOUBLE,
    user_rating             DOUBLE,
    correct                 BOOLEAN,
    extra                   JSON USING COMPRESSION zstd,
    -- what was used
    input_tokens            BIGINT NOT NULL,
    cached_tokens           BIGINT NOT NULL,
    cache_write_tokens      BIGINT NOT NULL,
    output_tokens           BIGINT NOT NULL,
    reasoning_tokens        BIGINT NOT NULL,
    usage                   JSON,
    flags                   JSON,
    usage_reason            VARCHAR,
    usage_model             VARCHAR,
    terms                   JSON,
    context_tokens          BIGINT,
    reported_cost           DECIMAL(38, 18),
    reported_currency       VARCHAR,
    parts                   JSON USING COMPRESSION zstd,
    raw                     JSON USING COMPRESSION zstd,
    -- what it cost
    cost                    DECIMAL(38, 18),
    currency                VARCHAR NOT NULL,
    cost_status             VARCHAR NOT NULL,
    cost_reason             VARCHAR,
    cost_flags              JSON,
    computed_cost           DECIMAL(38, 18),
    lines                   JSON USING COMPRESSION zstd,
    price                   JSON
);

-- Judgements on calls, in the order of their arrival.
CREATE TABLE scores (
    record_id      UUID NOT NULL,
    "at"           TIMESTAMP NOT NULL,
    quality_score  DOUBLE,
    user_rating    DOUBLE,
    correct        BOOLEAN
);

-- Calls that a process could not write down.
CREATE TABLE losses (
    "at"   TIMESTAMP NOT NULL,
    count  BIGINT NOT NULL,
    why    VARCHAR NOT NULL
);

-- Records whose id was taken by other content, as JSON: the one that counts, and the one set aside.
CREATE TABLE conflicts (
    id     UUID NOT NULL,
    kept   VARCHAR NOT NULL,
    other  VARCHAR NOT NULL
);

-- Lines of journals that are no entries.
CREATE TABLE faults (
    segment         VARCHAR NOT NULL,
    segment_offset  BIGINT NOT NULL,
    reason          VARCHAR NOT NULL
);

-- Up to which byte each segment has been taken in.
CREATE TABLE journals (
    segment  VARCHAR NOT NULL,
    taken    BIGINT NOT NULL
);
