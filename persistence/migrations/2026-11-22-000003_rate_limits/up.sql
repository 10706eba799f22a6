-- How much of a limit is used up, by hashed subject. Unlogged: what a crash forgets here, nobody misses.

CREATE UNLOGGED TABLE rate_limits (
  key     bytea PRIMARY KEY,
  -- When all that was taken will have flowed back (the "theoretical arrival time" of the generic cell rate algorithm).
  full_at timestamptz NOT NULL
);

CREATE INDEX rate_limits_full ON rate_limits (full_at);
