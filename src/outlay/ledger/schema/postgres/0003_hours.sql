-- How many latencies lie in each bucket, by hour (UTC) over all calls, so that a question about hours, or about days of
-- another zone, need not read every call; by hour and kind as well, a row would hold hardly more than one call.
CREATE TABLE hour_latencies (
    hour    timestamp NOT NULL,
    bucket  smallint NOT NULL,
    calls   bigint NOT NULL,
    PRIMARY KEY (hour, bucket)
) WITH (fillfactor = 50);

-- One partition after the other; each notice says how far it is.
DO $$
DECLARE
    part record;
    done integer := 0;
    parts integer := (SELECT count(*) FROM pg_inherits WHERE inhparent = 'records'::regclass);
BEGIN
    FOR part IN SELECT inhrelid::regclass AS name FROM pg_inherits WHERE inhparent = 'records'::regclass LOOP
        EXECUTE format(
            'INSERT INTO hour_latencies
            SELECT date_trunc(''hour'', "at"),
                CASE WHEN latency_ms > 0.001 THEN floor(ln(latency_ms) / ln(1.04::double precision)) ELSE -177 END,
                count(*)
            FROM %s WHERE latency_ms IS NOT NULL GROUP BY 1, 2
            ON CONFLICT (hour, bucket) DO UPDATE SET calls = hour_latencies.calls + excluded.calls',
            part.name
        );
        done := done + 1;
        RAISE NOTICE 'outlay: % of %', done, parts;
    END LOOP;
END
$$;
