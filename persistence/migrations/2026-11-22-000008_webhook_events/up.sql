-- The inbox: what providers sent and we acknowledged. A row is there before the answer is, and its effect and its end commit together.

CREATE TABLE webhook_events (
  id                  uuid PRIMARY KEY,
  provider            text NOT NULL,
  -- What the provider names the event by; where it names none, the hash of the body.
  event_key           text NOT NULL,
  event_type          text NOT NULL,
  -- What it is about. Events of one subject are processed one at a time.
  subject             text,
  account             text,
  livemode            boolean,
  api_version         text,
  provider_created_at timestamptz,
  headers             jsonb NOT NULL DEFAULT '{}',
  -- As it came: JSON that PostgreSQL cannot store is still an event. Null once it is too old to keep.
  raw                 bytea,
  status              text NOT NULL DEFAULT 'pending'
                      CONSTRAINT webhook_events_status_known CHECK (status IN ('pending', 'done', 'ignored', 'dead')),
  attempts            integer NOT NULL DEFAULT 0,
  -- When it is to be processed (again). Whoever takes it moves this ahead: should they die, others take over then.
  due_at              timestamptz NOT NULL DEFAULT now(),
  last_error          text,
  received_at         timestamptz NOT NULL DEFAULT now(),
  processed_at        timestamptz
);

CREATE UNIQUE INDEX webhook_events_key ON webhook_events (provider, event_key);
CREATE INDEX webhook_events_due ON webhook_events (due_at) WHERE status = 'pending';
CREATE INDEX webhook_events_status ON webhook_events (status, id);
CREATE INDEX webhook_events_type ON webhook_events (provider, event_type, id);
CREATE INDEX webhook_events_kept ON webhook_events (received_at) WHERE raw IS NOT NULL;
