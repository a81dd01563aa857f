-- One row a call, as it was recorded; a column of this table is read from the key of the same name in the
-- record's JSON (core/codec.py). Instants are UTC. JSON is kept as the text that was read.
--
-- A table is sorted by what makes its rows the same, and read with FINAL: of copies one counts from the moment
-- they are there. ClickHouse compares UUIDs by their second half, so ids are sorted as the bytes of their text;
-- a UUIDv7 begins with its time. Every statement may be run again, since no transaction holds them together.
CREATE TABLE IF NOT EXISTS calls (
    id                      UUID CODEC(ZSTD(3)),
    "at"                    DateTime64(6, 'UTC') CODEC(Delta, ZSTD(3)),
    provider                LowCardinality(String),
    model                   LowCardinality(Nullable(String)),
    model_requested         LowCardinality(Nullable(String)),
    operation               LowCardinality(String),
    api                     LowCardinality(Nullable(String)),
    status                  LowCardinality(String),
    error_type              LowCardinality(Nullable(String)),
    error                   Nullable(String) CODEC(ZSTD(3)),
    latency_ms              Nullable(Float64) CODEC(ZSTD(3)),
    time_to_first_token_ms  Nullable(Float64) CODEC(ZSTD(3)),
    streamed                Nullable(Bool) CODEC(ZSTD(1)),
    retries                 Nullable(Int64) CODEC(ZSTD(1)),
    "user"                  Nullable(String) CODEC(ZSTD(3)),
    session                 Nullable(String) CODEC(ZSTD(3)),
    query_type              LowCardinality(Nullable(String)),
    agent                   LowCardinality(Nullable(String)),
    action                  LowCardinality(Nullable(String)),
    workspace               LowCardinality(Nullable(String)),
    tags                    Map(LowCardinality(String), Nullable(String)) CODEC(ZSTD(3)),
    response_id             Nullable(String) CODEC(ZSTD(3)),
    trace_id                Nullable(String) CODEC(ZSTD(3)),
    span_id                 Nullable(String) CODEC(ZSTD(3)),
    prompt_length           Nullable(Int64) CODEC(ZSTD(1)),
    prompt                  Nullable(String) CODEC(ZSTD(6)),
    reply                   Nullable(String) CODEC(ZSTD(6)),
    quality_score           Nullable(Float64) CODEC(ZSTD(1)),
    user_rating             Nullable(Float64) CODEC(ZSTD(1)),
    correct                 Nullable(Bool) CODEC(ZSTD(1)),
    extra                   Nullable(String) CODEC(ZSTD(6)),
    -- what was used
    input_tokens            Int64 CODEC(T64, ZSTD(1)),
    cached_tokens           Int64 CODEC(T64, ZSTD(1)),
    cache_write_tokens      Int64 CODEC(T64, ZSTD(1)),
    output_tokens           Int64 CODEC(T64, ZSTD(1)),
    reasoning_tokens        Int64 CODEC(T64, ZSTD(1)),
    usage                   Nullable(String) CODEC(ZSTD(3)),
    flags                   LowCardinality(Nullable(String)),
    usage_reason            LowCardinality(Nullable(String)),
    usage_model             LowCardinality(Nullable(String)),
    terms                   LowCardinality(Nullable(String)),
    context_tokens          Nullable(Int64) CODEC(ZSTD(1)),
    reported_cost           Nullable(Decimal(38, 18)) CODEC(ZSTD(3)),
    reported_currency       LowCardinality(Nullable(String)),
    parts                   Nullable(String) CODEC(ZSTD(6)),
    raw                     Nullable(String) CODEC(ZSTD(6)),
    -- what it cost
    cost                    Nullable(Decimal(38, 18)) CODEC(ZSTD(3)),
    currency                LowCardinality(String),
    cost_status             LowCardinality(String),
    cost_reason             LowCardinality(Nullable(String)),
    cost_flags              LowCardinality(Nullable(String)),
    computed_cost           Nullable(Decimal(38, 18)) CODEC(ZSTD(3)),
    lines                   Nullable(String) CODEC(ZSTD(6)),
    price                   LowCardinality(Nullable(String)),
    -- how it came: which batch brought it, and when, in microseconds before 1970 so that the first copy counts
    delivery                UInt64 CODEC(ZSTD(1)),
    arrived                 Int64 DEFAULT -toUnixTimestamp64Micro(now64(6)) CODEC(ZSTD(1)),
    INDEX by_at "at" TYPE minmax GRANULARITY 1,
    INDEX by_user "user" TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_session session TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ReplacingMergeTree(arrived)
PARTITION BY toYYYYMM("at") ORDER BY UUIDToNum(id)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- Judgements on calls; of those at one instant the last to come counts (arrived, then place in its batch).
CREATE TABLE IF NOT EXISTS scores (
    record_id      UUID,
    "at"           DateTime64(6, 'UTC'),
    quality_score  Nullable(Float64),
    user_rating    Nullable(Float64),
    correct        Nullable(Bool),
    said           UInt64,  -- a digest of the above
    place          UInt32,
    arrived        Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY (UUIDToNum(record_id), "at", said)
SETTINGS non_replicated_deduplication_window = 1000;

-- Costs that were reckoned again; the newest one of a call counts, and what was recorded stays in calls.
CREATE TABLE IF NOT EXISTS revisions (
    record_id      UUID,
    "at"           DateTime64(6, 'UTC'),
    cost           Nullable(Decimal(38, 18)),
    currency       LowCardinality(String),
    cost_status    LowCardinality(String),
    cost_reason    LowCardinality(Nullable(String)),
    cost_flags     LowCardinality(Nullable(String)),
    computed_cost  Nullable(Decimal(38, 18)),
    lines          Nullable(String) CODEC(ZSTD(6)),
    price          LowCardinality(Nullable(String)),
    said           UInt64,  -- a digest of what it says beside how it came about
    place          UInt32,
    arrived        Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY (UUIDToNum(record_id), "at", said)
SETTINGS non_replicated_deduplication_window = 1000;

-- Calls that a process could not write down.
CREATE TABLE IF NOT EXISTS losses (
    "at"     DateTime64(6, 'UTC'),
    count    Int64,
    why      String,
    said     UInt64,
    arrived  Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY ("at", said);

-- Records whose id was taken by other content, as JSON: the one that counts, and the one set aside.
CREATE TABLE IF NOT EXISTS conflicts (
    id       UUID,
    kept     String CODEC(ZSTD(6)),
    other    String CODEC(ZSTD(6)),
    said     UInt64,
    arrived  Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY (UUIDToNum(id), said);
