-- Daily totals of calls that were pruned; "at" is midnight UTC of the day. They count once their run stands in
-- prunes: that one row makes a prune, and what a killed one left here is in no total.
CREATE TABLE IF NOT EXISTS rollups (
    "at"                DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    provider            LowCardinality(String),
    model               LowCardinality(Nullable(String)),
    operation           LowCardinality(String),
    "user"              Nullable(String) CODEC(ZSTD(3)),
    query_type          LowCardinality(Nullable(String)),
    agent               LowCardinality(Nullable(String)),
    action              LowCardinality(Nullable(String)),
    workspace           LowCardinality(Nullable(String)),
    status              LowCardinality(String),
    error_type          LowCardinality(Nullable(String)),
    currency            LowCardinality(String),
    cost_status         LowCardinality(String),
    tags                Map(LowCardinality(String), Nullable(String)) CODEC(ZSTD(3)),
    calls               Int64,
    known               Int64,  -- calls whose cost is known
    input_tokens        Int64,
    cached_tokens       Int64,
    cache_write_tokens  Int64,
    output_tokens       Int64,
    reasoning_tokens    Int64,
    cost                Nullable(Decimal(76, 18)),  -- NULL where none is known
    timed               Int64,  -- calls whose latency is known
    latency_ms          Float64,  -- the sum of those
    run                 UInt64,
    place               UInt64,
    arrived             Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
PARTITION BY toYear("at") ORDER BY (run, "at", place);

-- The prunes that were done: calls from one horizon to the next are daily totals of that run. Of two that began
-- at the same horizon the first to come counts.
CREATE TABLE IF NOT EXISTS prunes (
    since    DateTime64(6, 'UTC'),
    before   DateTime64(6, 'UTC'),
    run      UInt64,
    arrived  Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY since;

-- The calls that a run adds up, until those are deleted; whatever else is as old came late.
CREATE TABLE IF NOT EXISTS pruned (
    run      UInt64,
    id       UUID,
    arrived  Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY (run, UUIDToNum(id));

-- What each pruned day held when it was pruned, by which the rollups can be proved.
CREATE TABLE IF NOT EXISTS pruned_days (
    "day"     DateTime64(6, 'UTC'),
    currency  LowCardinality(String),
    calls     Int64,
    cost      Nullable(Decimal(76, 18)),
    run       UInt64,
    arrived   Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY (run, "day", currency);

-- Calls that came when those of their day had been pruned, as JSON: nobody can tell whether the totals hold them.
CREATE TABLE IF NOT EXISTS late (
    id       UUID,
    line     String CODEC(ZSTD(6)),
    arrived  Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY UUIDToNum(id);
