-- Late calls that were added to the totals of their days, or given up, by the run that did so: told again, they
-- are nothing new. They count once their run stands in settlements.
CREATE TABLE IF NOT EXISTS settled (
    run      UInt64,
    id       UUID,
    counted  Bool,  -- in the totals
    arrived  Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY (run, UUIDToNum(id));

-- The runs that settled late calls, one after the other: of two of one number the first to come counts.
CREATE TABLE IF NOT EXISTS settlements (
    number   UInt64,
    run      UInt64,
    arrived  Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))
) ENGINE = ReplacingMergeTree(arrived)
ORDER BY number;
