-- What was asked of the language model, and what it took: a row per question. It is there before the first word of the answer goes out.

CREATE TABLE chat_usage (
  id                uuid PRIMARY KEY,
  user_id           uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  model             text NOT NULL,
  outcome           text NOT NULL DEFAULT 'running'
                    CONSTRAINT chat_usage_outcome_known CHECK (outcome IN ('running', 'done', 'left', 'failed', 'lost')),
  prompt_tokens     bigint NOT NULL CONSTRAINT chat_usage_prompt_counted CHECK (prompt_tokens >= 0),
  completion_tokens bigint NOT NULL DEFAULT 0 CONSTRAINT chat_usage_completion_counted CHECK (completion_tokens >= 0),
  -- Whether the numbers are guesses: the model tells only at the end.
  estimated         boolean NOT NULL DEFAULT true,
  started_at        timestamptz NOT NULL DEFAULT now(),
  ended_at          timestamptz
);

CREATE INDEX chat_usage_user ON chat_usage (user_id, started_at);
CREATE INDEX chat_usage_started ON chat_usage (started_at);
CREATE INDEX chat_usage_running ON chat_usage (started_at) WHERE outcome = 'running';
