-- The tables, made in the ledger's own schema, which stands first on the search path. Instants are UTC, in
-- columns without a zone, so that no answer hangs on a session's time zone. Columns of type json hold the
-- text as it came; a NUL in other texts, which PostgreSQL cannot hold, is written as U+FFFF and "0".

-- What many calls have in common, once; "digest" is of all the other columns.
CREATE TABLE kinds (
    id                 integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest             uuid NOT NULL UNIQUE,
    provider           text NOT NULL,
    model              text,
    model_requested    text,
    operation          text NOT NULL,
    api                text,
    status             text NOT NULL,
    error_type         text,
    streamed           boolean,
    query_type         text,
    agent              text,
    action             text,
    workspace          text,
    flags              json,
    usage_reason       text,
    usage_model        text,
    terms              json,
    reported_currency  text,
    currency           text NOT NULL,
    cost_status        text NOT NULL,
    cost_reason        text,
    cost_flags         json
);

-- A price and its rates, once: [[unit, rate, factor, per, note, model], …] in the order of a cost's lines,
-- where an amount is quantity * rate * factor.
CREATE TABLE prices (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest  uuid NOT NULL UNIQUE,
    price   json,
    rates   json
);

-- One row a call, as it was recorded. A partition holds the ids of one month: the id is a UUIDv7, so its own
-- time decides, and a primary key on the id alone is unique over all partitions.
CREATE TABLE records (
    id                      uuid NOT NULL,
    "at"                    timestamp NOT NULL,
    latency_ms              double precision,
    input_tokens            bigint NOT NULL,
    cached_tokens           bigint NOT NULL,
    cache_write_tokens      bigint NOT NULL,
    output_tokens           bigint NOT NULL,
    reasoning_tokens        bigint NOT NULL,
    kind                    integer NOT NULL,
    price                   integer,
    cost                    numeric(38, 18),
    "user"                  text,
    session                 text,
    tags                    jsonb,
    usage                   json,
    response_id             text,
    raw                     json,
    lines                   json,  -- only where they do not follow from usage and price
    time_to_first_token_ms  double precision,
    retries                 bigint,
    error                   text,
    trace_id                text,
    span_id                 text,
    prompt_length           bigint,
    prompt                  text,
    reply                   text,
    quality_score           double precision,
    user_rating             double precision,
    correct                 boolean,
    extra                   json,
    context_tokens          bigint,
    reported_cost           numeric(38, 18),
    computed_cost           numeric(38, 18),
    parts                   json,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
-- Latencies are read from the index alone, at the ends of a period and where no rollup fits.
CREATE INDEX records_at ON records ("at") INCLUDE (kind, latency_ms);

-- Ids outside of the years in which months have partitions of their own: older, later, or no UUIDv7.
CREATE TABLE records_early PARTITION OF records FOR VALUES FROM (MINVALUE) TO ('016f5e66-e800-0000-0000-000000000000');
CREATE TABLE records_late PARTITION OF records FOR VALUES FROM ('020251fe-2400-0000-0000-000000000000') TO (MAXVALUE);

-- What people and questions read: every call with all its columns, as it was recorded.
CREATE VIEW calls AS
SELECT
    records.id, records."at", kinds.provider, kinds.model, kinds.model_requested, kinds.operation, kinds.api,
    kinds.status, kinds.error_type, records.error, records.latency_ms, records.time_to_first_token_ms,
    kinds.streamed, records.retries, records."user", records.session, kinds.query_type, kinds.agent,
    kinds.action, kinds.workspace, records.tags, records.response_id, records.trace_id, records.span_id,
    records.prompt_length, records.prompt, records.reply, records.quality_score, records.user_rating,
    records.correct, records.extra, records.input_tokens, records.cached_tokens, records.cache_write_tokens,
    records.output_tokens, records.reasoning_tokens, records.usage, kinds.flags, kinds.usage_reason,
    kinds.usage_model, kinds.terms, records.context_tokens, records.reported_cost, kinds.reported_currency,
    records.parts, records.raw, records.cost, kinds.currency, kinds.cost_status, kinds.cost_reason,
    kinds.cost_flags, records.computed_cost,
    coalesce(records.lines, (
        SELECT json_agg(json_strip_nulls(json_build_object(
            'unit', rate ->> 0,
            'quantity', records.usage -> (rate ->> 0),
            'rate', rate ->> 1,
            'per', rate -> 3,
            'amount', trim_scale(
                (records.usage ->> (rate ->> 0))::numeric * (rate ->> 1)::numeric * (rate ->> 2)::numeric
            )::text,
            'note', rate ->> 4,
            'model', rate ->> 5
        )) ORDER BY place)
        FROM json_array_elements(prices.rates) WITH ORDINALITY AS one(rate, place)
    )) AS lines,
    prices.price
FROM records
LEFT JOIN kinds ON kinds.id = records.kind
LEFT JOIN prices ON prices.id = records.price;

-- Judgements on calls; "rowid" is the order of their arrival.
CREATE TABLE scores (
    rowid          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record_id      uuid NOT NULL,
    "at"           timestamp NOT NULL,
    quality_score  double precision,
    user_rating    double precision,
    correct        boolean
);
CREATE INDEX scores_record_id ON scores (record_id);

-- Costs that were reckoned again; the newest one of a call counts, and what was recorded stays.
CREATE TABLE revisions (
    rowid          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record_id      uuid NOT NULL,
    "at"           timestamp NOT NULL,
    cost           numeric(38, 18),
    currency       text NOT NULL,
    cost_status    text NOT NULL,
    cost_reason    text,
    cost_flags     json,
    computed_cost  numeric(38, 18),
    lines          json,
    price          json
);
CREATE INDEX revisions_record_id ON revisions (record_id);

-- Calls that a process could not write down.
CREATE TABLE losses (
    "at"   timestamp NOT NULL,
    count  bigint NOT NULL,
    why    text NOT NULL
);

-- Records whose id was taken by other content, as JSON: the one that counts, and the one set aside.
CREATE TABLE conflicts (
    id     uuid NOT NULL,
    kept   text NOT NULL,
    other  text NOT NULL
);
CREATE INDEX conflicts_id ON conflicts (id);

-- Daily totals of calls that were pruned; "at" is midnight UTC of the day. What is missing in a dimension is
-- NULL, as in calls; sessions and hours are not kept.
CREATE TABLE rollups (
    "at"                timestamp NOT NULL,
    provider            text NOT NULL,
    model               text,
    operation           text NOT NULL,
    "user"              text,
    query_type          text,
    agent               text,
    action              text,
    workspace           text,
    status              text NOT NULL,
    error_type          text,
    currency            text NOT NULL,
    cost_status         text NOT NULL,
    tags                jsonb,
    calls               bigint NOT NULL,
    known               bigint NOT NULL,  -- calls whose cost is known
    input_tokens        bigint NOT NULL,
    cached_tokens       bigint NOT NULL,
    cache_write_tokens  bigint NOT NULL,
    output_tokens       bigint NOT NULL,
    reasoning_tokens    bigint NOT NULL,
    cost                numeric,  -- NULL where none is known
    timed               bigint NOT NULL,  -- calls whose latency is known
    latency_ms          double precision NOT NULL  -- the sum of those
);

-- The horizons of the prunes that were done, midnight UTC; the greatest one holds.
CREATE TABLE prunes (
    "before"  timestamp NOT NULL
);

-- What each pruned day held when it was pruned, by which the rollups can be proved.
CREATE TABLE pruned_days (
    "day"     timestamp NOT NULL,
    currency  text NOT NULL,
    calls     bigint NOT NULL,
    cost      numeric
);

-- Calls that came when those of their day had been pruned: nobody can tell whether the totals hold them already.
CREATE TABLE late (
    id      uuid PRIMARY KEY,
    "at"    timestamp NOT NULL,
    record  json NOT NULL
);
