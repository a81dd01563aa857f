-- Times to first token are kept in order as latencies are, and calls whose price was extrapolated are counted. What
-- was sealed lacks both: it follows from the calls, and the next question makes it again.
CREATE TABLE sealed_first_tokens (
    "at"       TIMESTAMP NOT NULL,
    provider   VARCHAR NOT NULL,
    model      VARCHAR,
    n          BIGINT NOT NULL,
    least      DOUBLE NOT NULL,
    greatest   DOUBLE NOT NULL,
    latencies  DOUBLE[] NOT NULL
);
DELETE FROM seals;
DELETE FROM sealed_sums;
DELETE FROM sealed_latencies;
DELETE FROM sealed_lines;
ALTER TABLE sealed_sums ADD COLUMN extrapolated BIGINT;
