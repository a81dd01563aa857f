-- Late calls that were added to the totals of their days, or given up, each once for ever: told again, they are
-- nothing new.
CREATE TABLE settled (
    id       uuid PRIMARY KEY,
    counted  boolean NOT NULL  -- in the totals
);
