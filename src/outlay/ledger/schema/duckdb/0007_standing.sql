-- A seal holds calls as they stand: with the newest of their costs and judgements, as far as these have been looked at.
-- It is of so many calls, the first in the order in which they came; rowids may be given anew, the order stays.
ALTER TABLE seals ADD COLUMN revisions BIGINT DEFAULT 0;  -- so many revisions, the first, are in the sums
ALTER TABLE seals ADD COLUMN scores BIGINT DEFAULT 0;     -- so many judgements
ALTER TABLE seals ADD COLUMN lines BIGINT DEFAULT 0;      -- the lines of so many calls, the first, are in sealed_lines
ALTER TABLE seals ADD COLUMN lined BIGINT DEFAULT 0;      -- with so many revisions
ALTER TABLE seals ADD COLUMN lines_since TIMESTAMP;       -- of days from there on; NULL where of all
ALTER TABLE seals ADD COLUMN lines_again BIGINT DEFAULT 0;  -- how many sealed calls there must be until lines are tried

-- Sums over the lines of known costs of one day and kind, by what a line is of; made when somebody asks for lines.
CREATE TABLE sealed_lines (
    "at"         TIMESTAMP NOT NULL,
    provider     VARCHAR NOT NULL,
    model        VARCHAR,
    operation    VARCHAR NOT NULL,
    status       VARCHAR NOT NULL,
    error_type   VARCHAR,
    currency     VARCHAR NOT NULL,
    cost_status  VARCHAR NOT NULL,
    unit         VARCHAR,
    rate         DECIMAL(38, 18),
    per          BIGINT,
    input_rate   DECIMAL(38, 18),  -- beside what a cache held: the rate that the same call paid for fresh input
    lines        BIGINT NOT NULL,
    quantity     DECIMAL(38, 18),
    amount       DECIMAL(38, 18)
);
