-- Costs that were reckoned again, in the order of their arrival; the newest one of a call counts, and what
-- was recorded stays in calls. Columns are read from the keys of the same name in the entry's JSON.
CREATE TABLE revisions (
    record_id      UUID NOT NULL,
    "at"           TIMESTAMP NOT NULL,
    cost           DECIMAL(38, 18),
    currency       VARCHAR NOT NULL,
    cost_status    VARCHAR NOT NULL,
    cost_reason    VARCHAR,
    cost_flags     JSON,
    computed_cost  DECIMAL(38, 18),
    lines          JSON USING COMPRESSION zstd,
    price          JSON
);
